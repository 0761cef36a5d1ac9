from __future__ import annotations

import csv
import io
import json
import sys

import numpy as np
import pandas as pd
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


def test_real_sequences_are_at_0_and_uniform_ones_at_1_on_the_normalised_scale(dnabench, files):
    score = ("score", files / "real.fa.gz", files / "noise.fasta", "--reference", files / "reference.fa")
    ended = dnabench(*score, "--train", files / "train.fa", "--metrics", "mmd@kmer,swd@kmer", "--format", "json")
    rows = {(row["generator"], row["metric"]): row for row in json.loads(ended.out)}
    for metric in ("mmd@kmer", "swd@kmer"):
        assert rows["real", f"{metric}.normalised"]["value"] == pytest.approx(0, abs=0.1)
        assert rows["noise", f"{metric}.normalised"]["value"] == pytest.approx(1, abs=0.1)
    table = dnabench(*score, "--train", files / "train.fa", "--metrics", "mmd@kmer").out
    assert ["at floor" in line for line in table.splitlines() if "mmd@kmer ↓" in line] == [False, True]


def test_scores_are_not_compared_with_a_floor_of_other_sizes(dnabench, files):
    score = ("score", files / "real.fa.gz", "--reference", files / "reference.fa", "--metrics", "swd@kmer")
    ended = dnabench(*score, "--format", "json")
    assert [row["metric"] for row in json.loads(ended.out)] == ["swd@kmer"]
    assert "at floor" not in dnabench(*score).out
    assert "at floor" in dnabench(*score, "--train", files / "train.fa").out


def test_a_floor_that_a_metric_refuses_is_left_out(dnabench, files):
    """250 sequences are enough to extrapolate; the halves that the floor is made of are not."""
    few = SequenceSet(np.random.default_rng(0).integers(0, 4, (300, 64), dtype=np.uint8))
    few.take(np.arange(250)).to_fasta(files / "few.fa")
    few.to_fasta(files / "reference.fa")
    score = ("score", files / "few.fa", "--reference", files / "reference.fa", "-m", "fred")
    ended = dnabench(*score, "--set", "fred.extrapolate=true", "--format", "json")
    assert ended.code == 0
    assert json.loads(ended.out)[0]["floor"] is None


FUSSY = """
from dnabench import MetricSpec, Score, hookimpl

@hookimpl
def dnabench_metrics():
    yield MetricSpec(name="fussy", target="fussy_dna:Fussy", summary="for a test", direction="lower", uses_labels=True)

class Fussy:
    def score(self, *, generated, reference, context):
        if (generated.codes == 1).mean() > {limit} or set(generated.labels["kind"]) != {{"a"}}:
            raise RuntimeError("not these")
        return Score(value=1.0)
"""


@pytest.mark.parametrize(
    ("limit", "said"), [(0.1, "fussy is not normalised: on random sequences it raised"), (0.5, "")]
)
def test_a_metric_that_fails_on_random_sequences_has_scored_all_the_same(dnabench, tmp_path, install, limit, said):
    install("fussy_dna", FUSSY.format(limit=limit))
    labels = pd.DataFrame({"kind": ["a"] * 200})
    for seed, name in enumerate(("sample", "reference", "train")):
        codes = np.random.default_rng(seed).choice([0, 2, 3], (200, 64)).astype(np.uint8)
        SequenceSet(codes, labels=labels).to_fasta(tmp_path / f"{name}.fa")
    score = (
        "score",
        tmp_path / "sample.fa",
        "--reference",
        tmp_path / "reference.fa",
        "--train",
        tmp_path / "train.fa",
    )
    ended = dnabench(*score, "-m", "fussy", "--format", "json")
    assert ended.code == 0
    assert [(row["value"], row["floor"]) for row in json.loads(ended.out)] == [(1.0, 1.0)]
    assert said in ended.err
    assert ("warning" in ended.err) == bool(said)


def test_a_blind_metric_is_called_so(dnabench, files):
    score = ("score", files / "real.fa.gz", "--reference", files / "reference.fa", "--train", files / "train.fa")
    line = next(line for line in dnabench(*score, "-m", "uniqueness").out.splitlines() if "uniqueness ↑" in line)
    assert "blind" in line


def test_without_training_sequences_the_floor_is_between_halves_and_says_so(dnabench, files):
    score = ("score", files / "real.fa.gz", "--reference", files / "reference.fa", "-m", "mmd@kmer", "--format", "json")
    ended = dnabench(*score)
    assert ended.err.count("the floor is between halves of the reference, 150 against 150") == 1
    row, *_ = json.loads(ended.out)
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


def test_another_reference_or_option_is_another_score(dnabench, files, tmp_path):
    def value(*arguments):
        row, *_ = json.loads(dnabench("score", files / "noise.fasta", *arguments, "--format", "json").out)
        return row["value"]

    one = value("--reference", files / "reference.fa", "-m", "swd@kmer")
    other = value("--reference", files / "train.fa", "-m", "swd@kmer")
    option = value("--reference", files / "reference.fa", "-m", "swd@kmer", "--set", "swd.projections=9")
    assert len({one, other, option}) == 3
    assert value("--reference", files / "reference.fa", "-m", "swd@kmer", "--store", tmp_path / "new") == one
    assert value("--reference", files / "train.fa", "-m", "swd@kmer", "--store", tmp_path / "new") == other


def test_a_motif_file_is_known_by_its_content(dnabench, files):
    meme = "MEME version 4\n\nALPHABET= ACGT\n\nMOTIF {}\nletter-probability matrix: alength= 4 w= 3 nsites= 50\n"
    rows = {"A": "1 0 0 0", "T": "0 0 0 1", "G": "0 0 1 0"}

    def value(path, word):
        path.write_text(meme.format(word) + "".join(f"{rows[letter]}\n" for letter in word))
        score = ("score", files / "noise.fasta", "--reference", files / "reference.fa", "-m", "motif-kl")
        ended = dnabench(
            *score, "--set", f"motif-kl.motifs={path}", "--set", "motif-kl.p_value=0.05", "--format", "json"
        )
        return json.loads(ended.out)[0]["value"]

    first = value(files / "a.meme", "ATG")
    assert value(files / "b.meme", "ATG") == first
    assert value(files / "a.meme", "TTG") != first


EMBEDDER = """
import numpy as np
from dnabench import EmbedderSpec, MetricSpec, Score, hookimpl

@hookimpl
def dnabench_embedders():
    yield EmbedderSpec(name="constant", target="constant_dna:Constant", summary="for a test", dimension=1)

@hookimpl
def dnabench_metrics():
    yield MetricSpec(
        name="first", target="constant_dna:First", summary="for a test", direction="lower", embedder="constant"
    )

class Constant:
    def embed(self, sequences, *, context):
        assert context.train is None
        return np.full((len(sequences), 1), {value}, np.float32)

class First:
    def score(self, *, generated, reference, context):
        assert context.train is None
        return Score(value=float(context.embed("constant", generated)[0, 0]))
"""


def test_another_version_of_an_embedders_code_is_another_score(dnabench, files, install, tmp_path):
    def value():
        arguments = ("--reference", files / "reference.fa", "--train", files / "train.fa", "-m", "first")
        row, *_ = json.loads(dnabench("score", files / "noise.fasta", *arguments, "--format", "json").out)
        return row["value"]

    install("constant_dna", EMBEDDER.replace("{value}", "1.0"))
    assert value() == 1.0
    source = tmp_path / "site" / "constant_dna.py"
    source.write_text(source.read_text().replace("1.0", "2.50"))
    sys.modules.pop("constant_dna")
    assert value() == 2.5
