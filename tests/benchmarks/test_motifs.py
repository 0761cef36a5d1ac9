"""How long the scan for motifs and the metrics on it take, beside other ways, in one process on one thread."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba
import numpy as np
import pytest

from dnabench import Context, SequenceSet
from dnabench_metrics.motifs.cooccurrence import MotifCooccurrence
from dnabench_metrics.motifs.divergence import MotifKL
from dnabench_metrics.motifs.files import read_motifs
from dnabench_metrics.motifs.frequency import MotifFrequency
from dnabench_metrics.motifs.matrices import Motif, load_motifs
from dnabench_metrics.motifs.profile import MotifProfile
from dnabench_metrics.motifs.scan import ABSENT, hit_counts, scan
from dnabench_metrics.motifs.spacing import MotifSpacing
from dnabench_metrics.records import motifs as records

pytestmark = [pytest.mark.bench, pytest.mark.filterwarnings("default")]


@pytest.fixture(autouse=True)
def _one_thread():
    threads = numba.get_num_threads()
    numba.set_num_threads(1)
    yield
    numba.set_num_threads(threads)


def best_of(repeats: int, function: Callable[[], Any]) -> tuple[float, Any]:
    seconds, result = [], None
    for _ in range(repeats):
        start = time.perf_counter()
        result = function()
        seconds.append(time.perf_counter() - start)
    return min(seconds), result


def random_codes(n: int, length: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 4, (n, length), dtype=np.uint8)


def test_the_scan_for_the_four_carried_motifs_beside_numpy():
    codes, motifs = random_codes(40_000, 256), load_motifs("epd", p_value=1e-4)

    def window_scores(weights: np.ndarray) -> np.ndarray:
        windows = codes.shape[1] - len(weights) + 1
        scores = np.zeros((len(codes), windows), np.int32)
        for column, row in enumerate(weights):
            scores += row[codes[:, column : column + windows]]
        return scores

    def with_numpy(motif: Motif) -> tuple[np.ndarray, np.ndarray]:
        sides = [window_scores(motif.weights)]
        offsets = [motif.anchor, motif.width - 1 - motif.anchor]
        if motif.strands == "both":
            sides.append(window_scores(motif.weights[::-1, ::-1]))
        best = np.stack([scores.max(axis=1) for scores in sides])
        places = np.stack([scores.argmax(axis=1) + offset for scores, offset in zip(sides, offsets, strict=False)])
        wins, rows = best.argmax(axis=0), np.arange(len(codes))
        positions = np.where(best[wins, rows] >= motif.cutoff, places[wins, rows], ABSENT)
        return positions, sum((scores >= motif.cutoff).sum(axis=1) for scores in sides)

    scan(codes[:2], motifs)  # compiled
    ours, hits = best_of(5, lambda: scan(codes, motifs))
    other, plain = best_of(1, lambda: [with_numpy(motif) for motif in motifs])
    for m, (positions, counts) in enumerate(plain):
        np.testing.assert_array_equal(hits.positions[:, m], positions)
        np.testing.assert_array_equal(hits.counts[:, m], counts)
    print(f"\nfour motifs, 40,000 x 256 bp: {ours:.3f} s; NumPy: {other:.3f} s; ratio {ours / other:.2f}")


def test_counts_of_jaspar_s_motifs_beside_memelite(real_data):
    from memelite import fimo

    path = real_data / "motifs" / "JASPAR2018_CORE_vertebrates.meme"
    codes = random_codes(2_000, 2_048)
    matrices = {motif.name: motif.probabilities.T for motif in read_motifs(path)[:100]}
    motifs = load_motifs(str(path), p_value=1e-4)[:100]
    one_hot = (codes[:, None, :] == np.arange(4)[:, None]).astype(np.float32)
    hit_counts(codes[:2], motifs)  # compiled
    fimo(matrices, one_hot[:2], return_counts=True)
    ours, counts = best_of(3, lambda: hit_counts(codes, motifs).sum(axis=0))
    other, theirs = best_of(3, lambda: fimo(matrices, one_hot, return_counts=True))
    # About as many hits and not the same ones: memelite rounds scores to 0.1 bit for its p-values, adds no pseudo-site,
    # and finds none at all of motifs of 6 bp, of which the best word is more likely than 1e-4.
    wide = np.array([motif.width > 8 for motif in motifs])
    assert 0.9 < np.median(theirs[wide] / counts[wide]) < 1.1
    print(
        f"\n100 motifs, 2,000 x 2,048 bp, counts per sequence: {ours:.3f} s, {counts.sum():,} hits; memelite, counts "
        f"in all from one-hot: {other:.3f} s, {theirs.sum():,} hits; ratio {ours / other:.2f}"
    )


def test_metrics_of_twenty_thousand_promoters_a_side(tmp_path: Path):
    codes = random_codes(40_000, 256)
    sides = {"generated": SequenceSet(codes[:20_000]), "reference": SequenceSet(codes[20_000:])}
    context = Context(length=256, scratch=tmp_path)
    for metric in (
        MotifKL(records.MotifKLOptions()),
        MotifProfile(records.MotifProfileOptions()),
        MotifFrequency(records.MotifFrequencyOptions()),
        MotifCooccurrence(records.MotifCooccurrenceOptions()),
        MotifSpacing(records.MotifSpacingOptions()),
    ):
        metric.score(**sides, context=context)  # compiled
        seconds, score = best_of(3, lambda metric=metric: metric.score(**sides, context=context))
        assert score.ci_low <= score.value <= score.ci_high
        print(f"\n{type(metric).__name__}, 20,000 + 20,000 x 256 bp, scan included: {seconds:.3f} s")
