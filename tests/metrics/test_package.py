"""The plugin as the catalog sees it: light records whose targets exist."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module

import dnabench_metrics

HEAVY = ("numpy", "torch", "pandas", "scipy", "sklearn", "ot", "safetensors")


def records():
    return [*dnabench_metrics.dnabench_metrics(), *dnabench_metrics.dnabench_embedders()]


def test_importing_the_package_and_making_its_records_imports_nothing_heavy():
    code = (
        "import sys, dnabench_metrics as p\n"
        "list(p.dnabench_metrics()), list(p.dnabench_embedders())\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_records_name_what_the_design_names():
    metrics = {record.name: record for record in dnabench_metrics.dnabench_metrics()}
    assert {name: record.embedder for name, record in metrics.items()} == {
        "fred": "ae",
        "swd": "ae",
        "mmd": "ae",
        "motif-kl": None,
    }
    assert {record.direction for record in metrics.values()} == {"lower"}
    assert metrics["fred"].samples_exceed_dimension
    assert {record.name for record in dnabench_metrics.dnabench_embedders()} == {"ae", "kmer"}


def test_every_target_is_constructed_from_its_default_options():
    for record in records():
        module, _, name = record.target.partition(":")
        cls = getattr(import_module(module), name)
        made = cls() if record.options is None else cls(record.options())
        assert callable(getattr(made, "score", None) or getattr(made, "embed", None))


def test_embedders_answer_with_the_dimension_of_their_record(make_context):
    from dnabench import SequenceSet

    sequences = SequenceSet.from_strings(["ACGT" * 16, "GGCA" * 16])
    for record in dnabench_metrics.dnabench_embedders():
        module, _, name = record.target.partition(":")
        vectors = getattr(import_module(module), name)().embed(sequences, context=make_context(length=64))
        assert vectors.shape == (2, record.dimension)
        assert record.min_length <= 64
