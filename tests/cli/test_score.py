from __future__ import annotations

import csv
import io
import json

import numpy as np
import pytest

from dnabench import SequenceSet


@pytest.fixture
def files(tmp_path, promoters):
    """Halves of the real set, and noise."""
    real = SequenceSet.from_fasta(promoters)
    real.take(np.arange(0, 300)).to_fasta(tmp_path / "reference.fa")
    real.take(np.arange(300, 500)).to_fasta(tmp_path / "real.fa.gz")
    real.take(np.arange(500, 700)).to_fasta(tmp_path / "train.fa")
    codes = np.random.default_rng(1).integers(0, 4, (200, 64), dtype=np.uint8)
    SequenceSet(codes).to_fasta(tmp_path / "noise.fasta")
    return tmp_path


def test_files_are_scored_against_every_reference_sequence(dnabench, files):
    ended = dnabench(
        "score", files / "real.fa.gz", files / "noise.fasta", "--reference", files / "reference.fa",
        "--train", files / "train.fa", "--metrics", "mmd@kmer,motif-kl", "--format", "csv",
    )  # fmt: skip
    assert ended.code == 0
    rows = list(csv.DictReader(io.StringIO(ended.out)))
    assert list(rows[0])[-6:] == ["ci_high", "floor", "n_generated", "n_reference", "status", "error"]
    assert {row["generator"] for row in rows} == {"real", "noise"}
    assert {(row["n_generated"], row["n_reference"]) for row in rows} == {("200", "300")}
    value = {(row["generator"], row["metric"]): float(row["value"]) for row in rows}
    floor = {row["metric"]: float(row["floor"]) for row in rows}
    assert value["noise", "mmd@kmer"] > 3 * max(value["real", "mmd@kmer"], floor["mmd@kmer"])
    assert "motif-kl.tata-box" in floor


def test_without_training_sequences_the_floor_is_between_halves_and_says_so(dnabench, files):
    score = ("score", files / "real.fa.gz", "--reference", files / "reference.fa", "-m", "mmd@kmer", "--format", "json")
    ended = dnabench(*score)
    assert ended.err.count("the floor is between halves of the reference, 150 against 150") == 1
    (row,) = json.loads(ended.out)
    assert row["floor"] is not None
    assert "halves" not in dnabench(*score, "--train", files / "train.fa").err


def test_the_order_of_the_sequences_does_not_matter(dnabench, files):
    real = SequenceSet.from_fasta(files / "real.fa.gz")
    real.take(np.random.default_rng(0).permutation(len(real))).to_fasta(files / "mixed.fa")
    ended = dnabench(
        "score", files / "real.fa.gz", files / "mixed.fa", "--reference", files / "reference.fa", "-m",
        "mmd@kmer,swd@kmer,motif-kl", "--format", "json",
    )  # fmt: skip
    rows = json.loads(ended.out)
    by_name = {(row["generator"], row["metric"]): row["value"] for row in rows}
    for (_, metric), value in by_name.items():
        assert value == pytest.approx(by_name["real", metric], rel=1e-6)
