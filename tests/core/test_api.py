"""dnabench from Python: the same numbers as the command line's, and no trace in the process that asks."""

from __future__ import annotations

import io
import random

import numpy as np
import pandas as pd
import pytest
import torch

import dnabench as library
from dnabench import SequenceSet, UserError
from dnabench.leaderboard.facts import COLUMNS

METRICS = ("kmer-js", "gc", "mmd@kmer")


def draw(seed: int, n: int = 300, p: tuple[float, ...] = (0.3, 0.2, 0.2, 0.3)) -> np.ndarray:
    return np.random.default_rng(seed).choice(4, (n, 64), p=p).astype(np.uint8)


@pytest.fixture
def files(tmp_path):
    sets = {"real": draw(1), "train": draw(2), "good": draw(3), "bad": draw(4, p=(0.1, 0.4, 0.4, 0.1))}
    for name, codes in sets.items():
        SequenceSet(codes).to_fasta(tmp_path / f"{name}.fa")
    return {name: tmp_path / f"{name}.fa" for name in sets}


def test_arrays_sets_and_files_have_the_scores_of_the_command_line(dnabench, files, tmp_path):
    real, train = files["real"], files["train"]
    ended = dnabench("score", files["good"], files["bad"], "--reference", real, "--train", train,
                     "--metrics", ",".join(METRICS), "--format", "csv")  # fmt: skip
    expected = pd.read_csv(io.StringIO(ended.out))
    samples = {"good": SequenceSet.from_fasta(files["good"]), "bad": draw(4, p=(0.1, 0.4, 0.4, 0.1))}
    scores = library.score(samples, real, train=train, metrics=METRICS, store=tmp_path / "another")
    assert list(scores.results.columns) == [*COLUMNS, "flags"]
    values = ["generator", "metric", "value", "ci_low", "ci_high", "floor", "n_generated", "dataset_sha256"]
    pd.testing.assert_frame_equal(scores.results[values], expected[values], rtol=1e-8)  # a file holds nine digits
    table = scores.table()
    assert list(table.columns) == list(METRICS)
    assert table.loc["good", "gc"] < table.loc["bad", "gc"]
    assert (
        table.loc["good", "kmer-js"] == scores.results.query("generator == 'good' and metric == 'kmer-js'").value.item()
    )


def test_nothing_global_changes(files):
    random.seed(1)
    np.random.seed(1)
    torch.manual_seed(1)
    expected = random.random(), np.random.rand(), torch.rand(1).item(), torch.get_deterministic_debug_mode()
    random.seed(1)
    np.random.seed(1)
    torch.manual_seed(1)
    library.score(files["good"], files["real"], train=files["train"], metrics=["mmd@kmer", "mmd@ae"])
    assert expected == (random.random(), np.random.rand(), torch.rand(1).item(), torch.get_deterministic_debug_mode())


def test_a_metric_that_fails_is_a_row(files, monkeypatch):
    from dnabench_metrics.sequences.gc import GCContent

    def broken(*_, **__):
        raise RuntimeError("no")

    monkeypatch.setattr(GCContent, "score", broken)
    scores = library.score(files["good"], files["real"], train=files["train"], metrics=["gc", "kmer-js"])
    assert dict(zip(scores.results["metric"], scores.results["status"], strict=True))["gc"] == "failed"
    assert np.isnan(scores.table().loc["good", "gc"])
    assert scores.table().loc["good", "kmer-js"] > 0


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"samples": draw(1)[:, :50]}, "sample: sequences have 50 bases, those of reference have 64; crop both to 50"),
        ({"samples": {}}, "there are no samples to score"),
        ({"samples": {1: draw(1)}}, "the name 1 of a sample is no text"),
        ({"samples": draw(1).astype(float)}, "sample: codes must be uint8"),
        ({"samples": "no/such.fa"}, "no/such.fa: no such file"),
        ({"metrics": ["fredd"]}, "no metric named 'fredd'"),
        ({"metrics": ["novelty"]}, "metric novelty needs training sequences"),
        ({"options": {"markov": {"order": 3}}}, "options of markov are set, but markov takes no part here"),
        ({"device": "tpu"}, "tpu: it takes auto, cpu, cuda or cuda:N"),
    ],
)
def test_bad_input_is_one_line(given, message):
    with pytest.raises(UserError, match=message) as caught:
        library.score(**{"samples": draw(1), "reference": draw(2), "metrics": ["gc"], **given})
    assert "\n" not in str(caught.value)
