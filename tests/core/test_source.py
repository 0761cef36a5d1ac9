from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from dnabench import SequenceSet, suites
from dnabench.data.source import load
from dnabench.plugins import load_catalog


@pytest.fixture
def data(tmp_path):
    codes = np.random.default_rng(0).integers(0, 4, (500, 60), dtype=np.uint8)
    SequenceSet(codes).to_fasta(tmp_path / "x.fa")
    suite = suites.load("promoters-sim-v1")
    return load(load_catalog([]), suite, tmp_path / "store", dataset=[str(tmp_path / "x.fa")])


def strings(sequences):
    return set(sequences.strings())


def test_the_parts_are_disjoint_and_named_by_their_protocol(data):
    parts = [strings(part) for part in (data.train, data.validation, data.test)]
    assert [len(part) for part in parts] == [400, 50, 50]
    assert len(set.union(*parts)) == 500
    assert data.protocol == "groups-50mer-80:10:10"
    assert data.name == "x"


def test_a_reference_is_drawn_from_test_alone_and_depends_on_the_repeat_alone(data):
    drawn = data.reference(30, repeat=0)
    assert strings(drawn) < strings(data.test)
    assert drawn.digest == data.reference(30, repeat=0).digest
    assert drawn.digest != data.reference(30, repeat=1).digest
    assert data.reference(50, repeat=1).digest == data.test.digest


def test_the_floor_compares_validation_with_the_reference(data):
    generated, reference = data.floor_pair(20, 30, repeat=0)
    assert (len(generated), len(reference)) == (20, 30)
    assert strings(generated) < strings(data.validation)
    assert reference.digest == data.reference(30, repeat=0).digest
    assert generated.digest != data.floor_pair(20, 30, repeat=1)[0].digest
    assert data.floor_pair(51, 30, repeat=0) is None


def test_labels_asked_for_are_as_frequent_as_in_training_and_depend_on_the_repeat_alone(tmp_path):
    codes = np.random.default_rng(0).integers(0, 4, (2000, 60), dtype=np.uint8)
    labels = pd.DataFrame({"species": ["hs"] * 1500 + ["mm"] * 500})
    SequenceSet(codes, labels=labels).to_fasta(tmp_path / "x.fa")
    data = load(load_catalog([]), suites.load("promoters-sim-v1"), tmp_path / "store", dataset=[str(tmp_path / "x.fa")])
    asked = data.labels(10_000, repeat=0)["species"]
    share = (data.train.labels["species"] == "hs").mean()
    assert abs((asked == "hs").mean() - share) < 5 * np.sqrt(share * (1 - share) / 10_000)
    assert asked.equals(data.labels(10_000, repeat=0)["species"])
    assert not asked.equals(data.labels(10_000, repeat=1)["species"])


def test_sequences_without_labels_are_asked_for_none(data):
    assert data.labels(10, repeat=0) is None
