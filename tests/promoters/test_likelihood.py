"""The exact log-likelihood against brute force on a process so small that everything can be listed."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from scipy.stats import chisquare

from dnabench_baselines.markov import kmer_counts
from dnabench_baselines.shuffle import dinucleotide_shuffle
from dnabench_promoters.background import ONE, whole
from dnabench_promoters.likelihood import log_likelihood
from dnabench_promoters.options import SimulatorOptions
from dnabench_promoters.process import Box, Process, promoter_process
from dnabench_promoters.sampling import draw
from dnabench_promoters.simulator import PromoterSimulator


def tiny_process():
    """Eight bases, two regimes, two boxes, a spacer that the core region may cut off, all four core layouts."""
    rng = np.random.default_rng(5)

    def rows(*shape):
        return whole(0.8 * rng.dirichlet(np.ones(4), shape) + 0.05)

    hazards = whole(rng.dirichlet(np.ones(3), (4, 2)))[..., :2]  # per start and regime, of two boxes
    hazards[3, :, 0] = 0  # a box of two bases does not fit there
    return Process(
        length=8,
        regimes=(("one", "cpg"), ("two", "nocpg")),
        weights=whole(np.array([0.3, 0.7])),
        background=rows(2, 85),
        boxes=(Box("wide", rows(2), hazards[..., 0]), Box("narrow", rows(1), hazards[..., 1])),
        spacer=1,
        core_start=4,
        presence=rows(2),
        initiator=rows(2),
        tata=rows(1),
        initiator_starts={5: ONE // 4, 6: 3 * ONE // 4},
        tata_distances={-1: ONE},
    )


def upstream_layouts(process, regime, position=0):
    """All (probability, {position: column}) of the upstream region from ``position`` on, by recursion."""
    if position >= process.core_start:
        yield 1.0, {}
        return
    hazards = [box.hazard[position, regime] / ONE for box in process.boxes]
    for rest, columns in upstream_layouts(process, regime, position + 1):
        yield (1 - sum(hazards)) * rest, columns
    for box, hazard in zip(process.boxes, hazards, strict=True):
        if hazard:
            after = position + len(box.columns) + process.spacer
            for rest, columns in upstream_layouts(process, regime, after):
                yield hazard * rest, {**columns, **{position + i: c for i, c in enumerate(box.columns)}}


def core_layouts(process, regime):
    for (start, share), (distance, also) in product(process.initiator_starts.items(), process.tata_distances.items()):
        initiator = {start + i: column for i, column in enumerate(process.initiator)}
        tata = {start + distance + i: column for i, column in enumerate(process.tata)}
        for presence, columns in zip(
            process.presence[regime], ({}, initiator, tata, {**initiator, **tata}), strict=True
        ):
            yield presence / ONE * share / ONE * also / ONE, columns


def by_enumeration(process, sequence):
    """The probability of one sequence, summed over every regime and layout one by one."""
    total = 0.0
    for regime, weight in enumerate(process.weights / ONE):
        for (up, boxes), (core, elements) in product(upstream_layouts(process, regime), core_layouts(process, regime)):
            columns = {**boxes, **elements}
            probability = weight * up * core
            for i, base in enumerate(sequence):
                context = sequence[max(0, i - 3) : i]
                row = [0, 1, 5, 21][len(context)] + sum(b * 4**j for j, b in enumerate(reversed(context)))
                probability *= columns.get(i, process.background[regime, row])[base] / ONE
            total += probability
    return total


def all_sequences(length):
    return np.array(list(product(range(4), repeat=length)), np.uint8)


def test_the_probabilities_of_all_sequences_sum_to_one():
    assert np.exp(log_likelihood(tiny_process(), all_sequences(8))).sum() == pytest.approx(1.0, abs=1e-10)


def test_every_layout_counts_once():
    process = tiny_process()
    codes = np.random.default_rng(0).integers(0, 4, (25, 8), dtype=np.uint8)
    expected = [by_enumeration(process, row.tolist()) for row in codes]
    assert np.exp(log_likelihood(process, codes)) == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("part", [slice(0, 4), slice(2, 6), slice(4, 8)])
def test_draws_follow_the_likelihood(part):
    process = tiny_process()
    powers = 4 ** np.arange(3, -1, -1)
    probabilities = np.zeros(256)
    np.add.at(probabilities, all_sequences(8)[:, part] @ powers, np.exp(log_likelihood(process, all_sequences(8))))
    words = draw(process, 200_000, seed=1).codes[:, part] @ powers
    counts = np.bincount(words, minlength=256)
    often = probabilities > 5 / 200_000
    observed = [*counts[often], counts[~often].sum()]
    expected = 200_000 * np.array([*probabilities[often], probabilities[~often].sum()])
    kept = expected > 0
    assert chisquare(np.array(observed)[kept], expected[kept]).pvalue > 0.001


def test_chunks_do_not_matter(monkeypatch):
    process = tiny_process()
    codes = all_sequences(8)[::100]
    whole_at_once = log_likelihood(process, codes)
    monkeypatch.setattr("dnabench_promoters.likelihood.CHUNK", 7 * 8)
    assert log_likelihood(process, codes) == pytest.approx(whole_at_once, rel=1e-12)


def test_the_process_likes_its_own_draws_best():
    simulator = PromoterSimulator(SimulatorOptions(n=400))
    codes = draw(simulator.process, 400, seed=9).codes
    own = simulator.log_likelihood(codes)
    shuffled = simulator.log_likelihood(dinucleotide_shuffle(codes, np.random.default_rng(0)))
    assert own.dtype == np.float64
    assert own.shape == (400,)
    assert (own - shuffled).mean() > 5
    assert (own > shuffled).mean() > 0.85


def test_no_markov_chain_explains_the_draws_as_well():
    simulator = PromoterSimulator(SimulatorOptions())
    train, fresh = draw(simulator.process, 10_000, seed=1).codes, draw(simulator.process, 1000, seed=2).codes
    truth = simulator.log_likelihood(fresh).mean()
    for order in (3, 5):
        counts = kmer_counts(train, order + 1).reshape(-1, 4) + 0.1
        logarithms = np.log(counts / counts.sum(1, keepdims=True)).ravel()
        spectrum = kmer_counts(fresh, order + 1) / len(fresh)
        # The first bases are left to the chain at no cost, and still it loses.
        assert truth > spectrum @ logarithms + 5


def test_long_promoters_neither_underflow_nor_overflow():
    process = promoter_process(2048)
    drawn = draw(process, 20, seed=0)
    extreme = np.repeat(np.arange(4, dtype=np.uint8)[:, None], 2048, axis=1)
    assert np.isfinite(log_likelihood(process, np.concatenate([drawn.codes, extreme]))).all()


@pytest.mark.parametrize(
    ("codes", "message"),
    [(np.zeros((2, 255), np.uint8), "256 bp"), (np.full((2, 256), 4, np.uint8), "hold N"), (np.zeros(256), "shape")],
)
def test_other_lengths_and_n_are_refused(codes, message):
    with pytest.raises(ValueError, match=message):
        PromoterSimulator(SimulatorOptions()).log_likelihood(codes)


def test_no_sequences_have_no_likelihoods():
    assert PromoterSimulator(SimulatorOptions()).log_likelihood(np.empty((0, 256), np.uint8)).shape == (0,)
