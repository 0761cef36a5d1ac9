"""The plugin as the catalog sees it: light records whose targets exist, and a definition page for each."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module

import pytest

import dnabench_metrics
from dnabench import SequenceSet, UserError
from dnabench.definitions import SECTIONS, page

HEAVY = ("numpy", "torch", "pandas", "scipy", "sklearn", "ot", "safetensors", "numba", "memelite", "edlib", "h5py")
#: Name -> default embedder and direction.
METRICS = {
    "fred": ("ae", "lower"),
    "swd": ("ae", "lower"),
    "mmd": ("ae", "lower"),
    "precision": ("ae", "higher"),
    "recall": ("ae", "higher"),
    "density": ("ae", "higher"),
    "coverage": ("ae", "higher"),
    "authenticity": ("ae", "higher"),
    "c2st": (None, "lower"),
    "kmer-js": (None, "lower"),
    "gc": (None, "lower"),
    "diversity": (None, "lower"),
    "uniqueness": (None, "higher"),
    "novelty": (None, "higher"),
    "motif-kl": (None, "lower"),
    "motif-profile": (None, "higher"),
    "motif-frequency": (None, "higher"),
    "motif-cooccurrence": (None, "lower"),
    "motif-spacing": (None, "lower"),
    "oracle": (None, "lower"),
}
EMBEDDERS = {"ae", "ae-fit", "kmer", "sei", "mpra-dragonn"}
#: Published weights are not shipped: without a path to them these are refused.
WEIGHTLESS = {"oracle", "sei", "mpra-dragonn"}


#: Datasets that bring files.
WEIGHTS = {"sei": ("sei.pth",), "mpra-dragonn": ("pretrained.hdf5",)}


def records():
    return [*dnabench_metrics.dnabench_metrics(), *dnabench_metrics.dnabench_embedders()]


def named(record):
    return record.name


def construct(record):
    module, _, name = record.target.partition(":")
    cls = getattr(import_module(module), name)
    return cls() if record.options is None else cls(record.options())


def test_importing_the_package_and_making_its_records_imports_nothing_heavy():
    code = (
        "import sys, dnabench_metrics as p\n"
        "list(p.dnabench_metrics()), list(p.dnabench_embedders()), list(p.dnabench_datasets())\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_records_name_what_the_design_names():
    metrics = {record.name: record for record in dnabench_metrics.dnabench_metrics()}
    assert {name: (record.embedder, record.direction) for name, record in metrics.items()} == METRICS
    assert [name for name, record in metrics.items() if record.samples_exceed_dimension] == ["fred"]
    assert {name for name, record in metrics.items() if record.needs_train} == {"novelty", "authenticity"}
    assert {record.name for record in dnabench_metrics.dnabench_embedders()} == EMBEDDERS
    assert {record.name: record.files for record in dnabench_metrics.dnabench_datasets()} == WEIGHTS


@pytest.mark.parametrize("record", records(), ids=named)
def test_every_target_is_constructed_from_its_default_options(record):
    if record.name in WEIGHTLESS:
        with pytest.raises(UserError, match="weights"):
            construct(record)
        return
    made = construct(record)
    assert callable(getattr(made, "score", None) or getattr(made, "embed", None))


@pytest.mark.parametrize("record", [r for r in records() if r.name in ("ae", "kmer")], ids=named)
def test_embedders_answer_with_the_dimension_of_their_record(record, make_context):
    sequences = SequenceSet.from_strings(["ACGT" * 16, "GGCA" * 16])
    vectors = construct(record).embed(sequences, context=make_context(length=64))
    assert vectors.shape == (2, record.dimension)
    assert record.min_length <= 64


@pytest.mark.parametrize("record", list(dnabench_metrics.dnabench_metrics()), ids=named)
def test_every_metric_has_its_page(record):
    found = page(record)
    assert [title for title in found.sections if title in SECTIONS] == list(SECTIONS)
    assert all(found.sections.values())
    assert found.headline.endswith(".")


@pytest.mark.parametrize("record", list(dnabench_metrics.dnabench_embedders()), ids=named)
def test_every_embedder_is_defined(record):
    assert page(record).sections["Definition"]
