"""Slices of labels, generators that condition on them, and data in place of a suite's."""

from __future__ import annotations

import csv
import io
import json

import numpy as np
import pandas as pd
import pytest

from dnabench import SequenceSet, suites
from dnabench.data.source import load
from dnabench.plugins import load_catalog


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_slices_are_scored_as_if_they_were_files(dnabench, labelled, tmp_path):
    run = ("run", "-g", "markov,position", "--set", "markov.by=species", "-m", "mmd@kmer,motif-kl", "--seeds", "0")
    out = tmp_path / "run"
    ended = dnabench(*run, "--dataset", labelled, "--samples", "80", "--out", out, "--format", "csv")
    assert ended.code == 0
    rows = [row for row in rows_of(ended.out) if "." not in row["metric"]]
    slices = {name: {row["slice"] for row in rows if row["generator"] == name} for name in ("markov", "position")}
    assert slices == {"markov": {"all", "species=at", "species=gc"}, "position": {"all"}}
    generated = SequenceSet.from_fasta(out / "samples" / "markov" / "seed0.fa.gz")
    data = load(load_catalog([]), suites.load("promoters-sim-v1"), tmp_path, dataset=[str(labelled)])
    held_out, reference = data.floor_pair(80, 80, repeat=0)
    sides = {"generated": generated, "reference": reference, "held-out": held_out}
    counts = {side: dict(sequences.labels["species"].value_counts()) for side, sequences in sides.items()}
    # Each slice is thinned out to the fewer of those generated and those held out: of two, one keeps all generated.
    whole = min(("at", "gc"), key=lambda species: counts["generated"][species] - counts["held-out"][species])
    for side, sequences in sides.items():
        sequences.take((sequences.labels["species"] == whole).to_numpy()).to_fasta(tmp_path / f"{side}.fa")
    scored = dnabench(
        "score",
        tmp_path / "generated.fa",
        "--reference",
        tmp_path / "reference.fa",
        "-m",
        "mmd@kmer",
        "--format",
        "csv",
    )
    expected, *_ = rows_of(scored.out)
    found = {row["slice"]: row for row in rows if (row["generator"], row["metric"]) == ("markov", "mmd@kmer")}
    for column in ("value", "n_generated", "n_reference"):
        assert found[f"species={whole}"][column] == expected[column]
    for species in ("at", "gc"):
        row = found[f"species={species}"]
        assert int(row["n_generated"]) == min(counts["generated"][species], counts["held-out"][species])
        assert int(row["n_reference"]) == counts["reference"][species]
        assert row["floor"] != row["value"]
    # The held-out control is drawn from the same sequences as the floor, and here both are all of them.
    control = {row["slice"]: row for row in rows if (row["generator"], row["metric"]) == ("holdout", "mmd@kmer")}
    for part in ("species=at", "species=gc"):
        assert float(control[part]["floor"]) == pytest.approx(float(control[part]["value"]), abs=1e-6)
    assert found["all"]["floor"] == control["all"]["floor"]


def test_slices_change_no_score_of_the_whole_and_no_rank(dnabench, labelled, tmp_path):
    suite = (
        'samples = 80\nmetrics = ["mmd@kmer"]\nseeds = [0]\n[dataset]\n'
        f'path = "{labelled}"\n'
    )  # fmt: skip
    (tmp_path / "without.toml").write_text(suite)
    (tmp_path / "with.toml").write_text('slices = ["species"]\n' + suite)

    def run(name: str) -> tuple[list[str], bytes]:
        ended = dnabench("run", "-g", "markov", "--suite", tmp_path / f"{name}.toml", "--out", tmp_path / name)
        assert ended.code == 0
        rows = rows_of((tmp_path / name / "results.csv").read_text())
        board = (tmp_path / name / "leaderboard.csv").read_bytes()
        assert {row["suite"] for row in rows} == {name}
        return [row["value"] for row in rows if row["slice"] == "all"], board

    assert run("with") == run("without")


def test_a_slice_that_is_too_small_is_skipped_and_says_so(dnabench, labelled, tmp_path):
    sequences = SequenceSet.from_fasta(labelled)
    labels = sequences.labels
    labels.loc[::200, "species"] = "rare"
    SequenceSet(sequences.codes, labels=labels).to_fasta(tmp_path / "rare.fa")
    ended = dnabench("run", "-g", "bootstrap", "-m", "swd@kmer", "--dataset", tmp_path / "rare.fa", "--format", "csv",
                     "--seeds", "0-4", "--no-controls")  # fmt: skip
    assert ended.code == 0
    rare = [row for row in rows_of(ended.out) if row["slice"] == "species=rare"]
    for row in rare:
        assert int(row["n_generated"]) < 2 or int(row["n_reference"]) < 2
        assert (row["status"], row["value"]) == ("skipped", "")
        assert "sequences are too few: swd@kmer needs 2 on each side" in row["error"]
    assert rare
    assert "scores of slices were skipped: too few sequences" in ended.err


def test_a_model_that_knows_labels_draws_those_asked_for(dnabench, labelled, tmp_path):
    run = ("run", "-m", "mmd@kmer", "--dataset", labelled, "--seeds", "0", "--no-controls")
    dnabench(*run, "-g", "markov", "--set", "markov.by=species", "--out", tmp_path / "by")
    model = tmp_path / "by" / "models" / "markov" / "seed0"
    drawn = tmp_path / "gc.fa"
    assert dnabench("sample", model, "--n", 200, "-o", drawn, "--label", "species=gc").code == 0
    sequences = SequenceSet.from_fasta(drawn)
    assert set(sequences.labels["species"]) == {"gc"}
    assert 0.68 < ((sequences.codes == 1) | (sequences.codes == 2)).mean() < 0.72
    assert (
        "no training sequence has species='xx'"
        in dnabench("sample", model, "--n", 2, "-o", drawn, "--label", "species=xx").err
    )
    assert f"{model} conditions on species" in dnabench("sample", model, "--n", 2, "-o", drawn, "--label", "a=b").err
    dnabench(*run, "-g", "markov", "--out", tmp_path / "plain")
    plain = tmp_path / "plain" / "models" / "markov" / "seed0"
    refused = dnabench("sample", plain, "--n", 2, "-o", drawn, "--label", "species=gc")
    assert refused.code == 2
    assert "was not trained to condition on any label" in refused.err


def test_data_given_in_place_of_a_suites_are_said_and_recorded(dnabench, labelled, tmp_path):
    sequences = SequenceSet.from_fasta(labelled)
    labels = sequences.labels.replace({"species": {"at": "hs", "gc": "mm"}})
    labels.loc[::5, "species"] = "rn"
    labels.loc[1::5, "species"] = "rm"
    longer = SequenceSet(np.tile(sequences.codes, 4), labels=labels)
    directory = tmp_path / "mine"
    directory.mkdir()
    for species, rows in labels.groupby("species").indices.items():
        longer.take(rows).to_fasta(directory / f"{species}.fa.gz")
    run = ("run", "-g", "markov", "-m", "mmd@kmer", "--seeds", "0", "--data", directory, "--out", tmp_path / "run")
    ended = dnabench(*run, "--suite", "mammals-256-v1")
    assert ended.code == 0
    rows = rows_of((tmp_path / "run" / "results.csv").read_text())
    assert {(row["suite"], row["dataset"]) for row in rows} == {("mammals-256-v1", "mine")}
    assert "not the published epd-gendna-256" in ended.err
    assert "other-data: mine" in ended.out
    board = rows_of((tmp_path / "run" / "leaderboard.csv").read_text())
    assert all("other-data" in row["flags"].split(";") for row in board)
    plan = json.loads((tmp_path / "run" / "manifest.json").read_text())["plan"]
    assert plan["flags"] == ["other-data"]
    assert plan["published"] == ["epd-gendna-256", ""]
    refused = dnabench("run", "-g", "markov", "--suite", "epd15-256-v1", "--data", directory)
    assert refused.code == 2
    assert "mine holds no sequences of species am, at, ce, cf" in refused.err


@pytest.mark.slow
def test_the_real_promoters_in_place_of_the_published(dnabench, real_data, tmp_path):
    directory = real_data / "promoters256"
    ended = dnabench("run", "--suite", "epd15-256-v1", "--data", directory, "-g", "markov", "-m", "mmd@kmer,motif-kl",
                     "--seeds", "0", "--samples", "1000", "--out", tmp_path / "run")  # fmt: skip
    assert ended.code == 0
    assert "holds 66524 sequences" in ended.err
    rows = [row for row in rows_of((tmp_path / "run" / "results.csv").read_text()) if "." not in row["metric"]]
    value = {(row["generator"], row["slice"], row["metric"]): float(row["value"] or "nan") for row in rows}
    assert len({part for _, part, _ in value}) == 16
    # The TATA-box is where it is in every TATA-rich species, and shuffling destroys it.
    for part in ("all", "species=at", "species=dm", "species=ce"):
        assert value["holdout", part, "motif-kl"] < value["dinucleotide-shuffle", part, "motif-kl"]
    assert value["holdout", "all", "mmd@kmer"] < value["markov", "all", "mmd@kmer"]


def test_a_slice_too_small_for_a_metric_s_own_rule_is_skipped_and_the_rest_is_scored(dnabench, tmp_path):
    labels = pd.DataFrame({"species": ["hs"] * 560 + ["mm"] * 40})
    codes = np.random.default_rng(0).integers(0, 4, (600, 64), dtype=np.uint8)
    SequenceSet(codes, labels=labels).to_fasta(tmp_path / "x.fa")
    (tmp_path / "own.toml").write_text(
        'samples = 60\nmetrics = ["precision@kmer"]\nseeds = [0]\nslices = ["species"]\n'
        f'[dataset]\npath = "{tmp_path / "x.fa"}"\n'
    )
    run = ("run", "-g", "markov", "--set", "markov.by=species", "--suite", tmp_path / "own.toml")
    ended = dnabench(*run, "--set", "precision.k=10", "--no-controls", "--format", "csv", "--out", tmp_path / "run")
    assert ended.code == 0, ended.err
    status = {row["slice"]: (row["status"], row["error"]) for row in rows_of(ended.out)}
    assert status["all"][0] == status["species=hs"][0] == "done"
    assert status["species=mm"][0] == "skipped"
    assert "k = 10" in status["species=mm"][1]
