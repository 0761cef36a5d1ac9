from __future__ import annotations

import json

import pytest

from dnabench import EmbedderSpec, MetricSpec
from dnabench.leaderboard.families import known_families

MOTIFS = ("motif-kl", "motif-profile", "motif-frequency", "motif-cooccurrence", "motif-spacing")


def test_families_are_those_of_sarkar_and_a_metric_on_features_has_its_embedders():
    sequence = ("kmer-js", "gc", "c2st", "novelty", "diversity", "uniqueness", "mmd@kmer", "precision@kmer", "sim-nll")
    functional = ("fred", "swd", "mmd", "fred@sei", "precision", "coverage", "authenticity", "oracle")
    wanted = dict.fromkeys(sequence, "sequence") | dict.fromkeys(functional, "functional")
    wanted |= dict.fromkeys(MOTIFS, "compositional")
    assert known_families(wanted) == wanted


def test_a_metric_that_is_not_installed_is_a_family_of_its_own():
    assert known_families(["theirs", "fred@theirs"]) == {"theirs": "theirs", "fred@theirs": "fred@theirs"}


def test_a_record_names_a_family_that_there_is():
    common = {"name": "x", "target": "x:X", "summary": ""}
    with pytest.raises(ValueError, match="family 'shape' is none of functional, sequence, compositional"):
        MetricSpec(**common, direction="lower", family="shape")
    with pytest.raises(ValueError, match="family 'shape' is none of"):
        EmbedderSpec(**common, dimension=2, family="shape")


def test_commands_say_the_family(dnabench):
    assert "family: functional" in dnabench("show", "fred").out
    entries = json.loads(dnabench("list", "--format", "json").out)
    assert {entry["name"]: entry.get("family") for entry in entries if entry["name"] in ("gc", "gan", "motif-kl")} == {
        "gc": "sequence", "gan": None, "motif-kl": "compositional",
    }  # fmt: skip
