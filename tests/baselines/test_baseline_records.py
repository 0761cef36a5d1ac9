"""Every baseline and control, through its record: the whole Generator protocol."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module

import numpy as np
import pandas as pd
import pytest

import dnabench_baselines
from dnabench import SequenceSet

RECORDS = {record.name: record for record in dnabench_baselines.dnabench_generators()}
CONTROLS = ("holdout", "bootstrap", "dinucleotide-shuffle")
EVERY = pytest.mark.parametrize("name", RECORDS)


def construct(name):
    record = RECORDS[name]
    module, attribute = record.target.split(":")
    generator = getattr(import_module(module), attribute)
    return generator() if record.options is None else generator(record.options())


def labelled(seed, n=40, length=24, letters=5):
    """Random sequences whose label tells which sequence they are."""
    codes = np.random.default_rng(seed).integers(0, letters, (n, length), dtype=np.uint8)
    return SequenceSet(codes, labels=pd.DataFrame({"species": [f"s{seed}-{i}" for i in range(n)]}))


@pytest.fixture
def fitted(make_context):
    def fit(name):
        generator = construct(name)
        generator.fit(labelled(1), context=make_context(length=24, held_out=labelled(2)))
        return generator

    return fit


def codes_of(sample):
    return sample.codes if isinstance(sample, SequenceSet) else sample


def test_records():
    assert {name: record.kind for name, record in RECORDS.items()} == {
        "random": "baseline",
        "composition": "baseline",
        "position": "baseline",
        "markov": "baseline",
        "holdout": "control",
        "bootstrap": "control",
        "dinucleotide-shuffle": "control",
    }


def test_what_the_records_say_about_labels():
    conditional = {name for name, record in RECORDS.items() if record.label_option == "by"}
    assert conditional == {"composition", "position", "markov"}
    assert {name for name, record in RECORDS.items() if record.uses_labels} == conditional | set(CONTROLS)
    assert {name: record.variant for name, record in RECORDS.items() if record.variant} == {"markov": "order"}


def test_the_entry_point_modules_import_nothing_heavy():
    code = (
        "import sys, dnabench_baselines as b, dnabench_promoters as p\n"
        "assert list(b.dnabench_generators()) and list(p.dnabench_datasets())\n"
        "print(sorted({'numpy', 'pandas', 'torch', 'scipy', 'safetensors'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


@EVERY
@pytest.mark.parametrize("n", [1, 7])
def test_exactly_n_sequences_of_the_length(fitted, make_context, name, n):
    codes = codes_of(fitted(name).sample(n, context=make_context(seed=3, length=24)))
    assert codes.shape == (n, 24)
    assert codes.dtype == np.uint8


@EVERY
def test_the_context_decides_the_sample(fitted, make_context, name):
    generator = fitted(name)
    first, again, other = (
        codes_of(generator.sample(20, context=make_context(seed=seed, length=24))) for seed in (3, 3, 4)
    )
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


@EVERY
def test_a_loaded_generator_samples_the_same(fitted, make_context, tmp_path, name):
    generator, loaded = fitted(name), construct(name)
    directory = tmp_path / "model"
    directory.mkdir()
    generator.save(directory)
    loaded.load(directory)
    before = generator.sample(20, context=make_context(seed=3, length=24))
    after = loaded.sample(20, context=make_context(seed=3, length=24))
    assert np.array_equal(codes_of(before), codes_of(after))
    assert {path.suffix for path in directory.iterdir()} <= {".safetensors", ".json"}
    if name in CONTROLS:
        assert before.digest == after.digest
        assert list(after.labels.columns) == ["species"]


@pytest.mark.parametrize("name", ["random", "composition", "position", "markov"])
def test_models_of_bases_never_emit_n(fitted, make_context, name):
    assert codes_of(fitted(name).sample(500, context=make_context(length=24))).max() == 3


def test_unlabelled_controls_survive_the_round_trip(make_context, tmp_path):
    generator, loaded = construct("bootstrap"), construct("bootstrap")
    generator.fit(SequenceSet(labelled(1).codes), context=make_context(length=24))
    generator.save(tmp_path)
    loaded.load(tmp_path)
    sample = loaded.sample(5, context=make_context(length=24))
    assert sample.labels.shape == (5, 0)
