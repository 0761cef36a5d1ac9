"""`fred.encoder=fit`: FReD on an encoder trained on the user's own training sequences."""

from __future__ import annotations

import json

import numpy as np
import pytest

from dnabench import SequenceSet, UserError
from dnabench.planning.metrics import plan_metrics
from dnabench.plugins import load_catalog
from dnabench_metrics.ae.fitted import FittedAutoencoder
from dnabench_metrics.records.embedders import FittedAutoencoderOptions

FAST = FittedAutoencoderOptions(steps=3)


def random_set(n, seed, length=64):
    return SequenceSet(np.random.default_rng(seed).integers(0, 4, (n, length), dtype=np.uint8))


@pytest.fixture
def files(tmp_path):
    for name, n, seed in (("train", 600, 0), ("other-train", 600, 1), ("reference", 300, 2), ("sample", 200, 3)):
        random_set(n, seed).to_fasta(tmp_path / f"{name}.fa")
    return tmp_path


def test_it_is_another_embedder_in_the_plan():
    catalog = load_catalog()
    (metric,) = plan_metrics(catalog, ["fred"], {"fred": {"encoder": "fit"}})
    assert (metric.label, metric.embedder) == ("fred@ae-fit", "ae-fit")
    (metric,) = plan_metrics(catalog, ["fred@kmer"], {})
    assert metric.embedder == "kmer"
    both = plan_metrics(catalog, ["fred", "fred@kmer"], {"fred": {"encoder": "fit"}})
    assert [metric.label for metric in both] == ["fred@ae-fit", "fred@kmer"]


def test_scores_carry_the_digest_of_the_training(dnabench, files):
    def row(train):
        ended = dnabench(
            "score", files / "sample.fa", "--reference", files / "reference.fa", "--train", files / train, "-m",
            "fred", "--set", "fred.encoder=fit", "--set", "ae-fit.steps=3", "--format", "json",
        )  # fmt: skip
        assert ended.code == 0, ended.err
        return json.loads(ended.out)[0]

    first, again, other = row("train.fa"), row("train.fa"), row("other-train.fa")
    assert first["metric"] == "fred@ae-fit"
    assert (first["embedder_sha256"], first["value"]) == (again["embedder_sha256"], again["value"])
    assert first["embedder_sha256"] != other["embedder_sha256"]


def test_without_training_sequences_it_is_refused(dnabench, files):
    score = ("score", files / "sample.fa", "--reference", files / "reference.fa", "-m", "fred@ae-fit")
    ended = dnabench(*score)
    assert ended.code == 2
    assert "embedder ae-fit is fitted to training sequences: give them with --train" in ended.err


def test_a_run_fits_it_to_the_training_split(dnabench, files, tmp_path):
    random_set(1000, 4).to_fasta(files / "data.fa")
    ended = dnabench(
        "run", "--generator", "markov", "--dataset", files / "data.fa", "-m", "fred", "--seeds", "0", "--set",
        "fred.encoder=fit", "--set", "ae-fit.steps=2", "--out", tmp_path / "run", "--no-controls", "--format", "json",
    )  # fmt: skip
    assert ended.code == 0, ended.err
    (row,) = [r for r in json.loads(ended.out)["results"] if r["metric"] == "fred@ae-fit"]
    assert (row["embedder"], len(row["embedder_sha256"])) == ("ae-fit", 64)
    (metric,) = json.loads((tmp_path / "run" / "manifest.json").read_text())["plan"]["metrics"]
    assert metric["embedder_options"] == {"steps": 2}


def test_a_saved_one_embeds_alike(make_context, tmp_path):
    sequences = random_set(20, 5)
    fitted, loaded = FittedAutoencoder(FAST), FittedAutoencoder(FAST)
    fitted.fit(random_set(600, 0), context=make_context(length=64, seed=7))
    fitted.save(tmp_path)
    loaded.load(tmp_path)
    vectors = loaded.embed(sequences, context=make_context(length=64))
    assert vectors.shape == (20, 64)
    again = FittedAutoencoder(FAST)
    again.fit(random_set(600, 0), context=make_context(length=64, seed=7))
    again.save(tmp_path)
    again.load(tmp_path)
    assert again.digest() == loaded.digest()
    np.testing.assert_array_equal(again.embed(sequences, context=make_context(length=64)), vectors)


def test_too_few_or_too_short_sequences_are_refused(make_context):
    for n, length in ((499, 64), (600, 63)):
        with pytest.raises(UserError, match=f"{n} different training sequences of {length} bp without N; it needs 500"):
            FittedAutoencoder(FAST).fit(random_set(n, 0, length), context=make_context(length=length))
    with pytest.raises(UserError, match="ae-fit: 1 different training sequences"):
        FittedAutoencoder(FAST).fit(SequenceSet(np.zeros((600, 64), np.uint8)), context=make_context(length=64))


def test_too_few_training_sequences_are_refused_before_anything_is_trained(dnabench, files, tmp_path):
    random_set(600, 4).to_fasta(files / "small.fa")
    run = ("run", "-g", "markov", "--dataset", files / "small.fa", "-m", "swd@ae-fit", "--out", tmp_path / "run")
    ended = dnabench(*run)
    assert ended.code == 2
    assert "480 training sequences are too few: embedder ae-fit needs 500" in ended.err
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("arguments", [("-m", "swd@ae-fit"), ("-m", "fred", "--set", "fred.encoder=fit")])
def test_a_suite_s_run_is_its_own_no_more(dnabench, arguments):
    def suite(*more):
        return json.loads(dnabench("run", "-g", "random", "--dry-run", "--format", "json", *more).out)["plan"]["suite"]

    assert suite("-m", "swd,fred") == "promoters-sim-v1"
    assert suite(*arguments) == "custom"


def test_its_floor_knows_nothing_of_the_training_sequences(dnabench, files):
    """An encoder knows what it was fitted to: the floor is made of other real sequences."""
    random_set(800, 2).to_fasta(files / "large.fa")
    score = ("score", files / "sample.fa", "--reference", files / "large.fa", "--train", files / "train.fa")
    ended = dnabench(*score, "-m", "swd@ae-fit", "--set", "ae-fit.steps=2", "--format", "json")
    assert ended.code == 0
    assert "the floor is between halves of the reference, 200 against 400" in ended.err
    assert "cannot have it from these" in ended.err
