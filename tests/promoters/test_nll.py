"""``sim-nll`` against probabilities worked out base by base, and how often its interval holds the truth."""

from __future__ import annotations

from itertools import product
from math import log, prod
from statistics import fmean, stdev

import numpy as np
import pytest
from scipy.stats import norm

import dnabench_promoters
from dnabench import SequenceSet, UserError
from dnabench_promoters import nll
from dnabench_promoters.background import ONE
from dnabench_promoters.faults import FAULTS
from dnabench_promoters.likelihood import log_likelihood
from dnabench_promoters.nll import TrueLikelihood
from dnabench_promoters.options import SimulatorOptions
from dnabench_promoters.process import promoter_process
from dnabench_promoters.sampling import draw
from dnabench_promoters.simulator import PromoterSimulator


@pytest.fixture
def score(make_context):
    def score(generated, reference):
        return TrueLikelihood().score(
            generated=SequenceSet(generated),
            reference=SequenceSet(reference),
            context=make_context(length=reference.shape[1]),
        )

    return score


def random_codes(n, length, seed=0):
    return np.random.default_rng(seed).integers(0, 4, (n, length), dtype=np.uint8)


def test_the_record():
    (record,) = dnabench_promoters.dnabench_metrics()
    assert (record.name, record.direction, record.embedder, record.options) == ("sim-nll", "lower", None, None)


def probability(process, sequence):
    """Of one sequence, from its end to its beginning and base by base: nothing is shared with the implementation."""
    total = 0.0
    for regime, weight in enumerate(process.weights / ONE):
        background = []
        for i, base in enumerate(sequence):
            before = sequence[max(0, i - 3) : i]
            row = (0, 1, 5, 21)[len(before)] + sum(b * 4**back for back, b in enumerate(reversed(before)))
            background.append(process.background[regime, row, base] / ONE)

        upstream = [1.0] * (process.core_start + 1)  # of the bases from here to the core region, given no box is here
        for start in reversed(range(process.core_start)):
            hazards = [box.hazard[start, regime] / ONE for box in process.boxes]
            upstream[start] = (1 - sum(hazards)) * background[start] * upstream[start + 1]
            for box, hazard in zip(process.boxes, hazards, strict=True):
                if hazard:
                    end = start + len(box.columns)
                    after = min(end + process.spacer, process.core_start)
                    instance = prod(column[sequence[start + i]] / ONE for i, column in enumerate(box.columns))
                    upstream[start] += hazard * instance * prod(background[end:after]) * upstream[after]

        core = 0.0
        for place, distance in product(process.initiator_starts, process.tata_distances):
            layout = process.initiator_starts[place] / ONE * process.tata_distances[distance] / ONE
            for kind, presence in enumerate(process.presence[regime] / ONE):
                bases = list(background)
                for there, motif, start in (
                    (kind in (1, 3), process.initiator, place),
                    (kind in (2, 3), process.tata, place + distance),
                ):
                    for i in range(start, start + len(motif) * there):
                        bases[i] = motif[i - start, sequence[i]] / ONE
                core += layout * presence * prod(bases[process.core_start :])
        total += weight * upstream[0] * core
    return total


@pytest.mark.parametrize("length", [96, 256])
def test_the_value_by_hand(length, score):
    process = promoter_process(length)
    real, other = draw(process, 4, seed=1).codes, random_codes(3, length)
    nats = {
        side: [-log(probability(process, row.tolist())) / length for row in codes]
        for side, codes in (("generated", other), ("reference", real))
    }
    means = {side: fmean(values) for side, values in nats.items()}
    errors = {side: stdev(values) / len(values) ** 0.5 for side, values in nats.items()}
    result = score(other, real)
    z = norm.ppf(0.975)
    assert set(result.parts) == {"generated", "reference"}
    for side, part in result.parts.items():
        assert part.value == pytest.approx(means[side], rel=1e-12)
        assert part.ci_low == pytest.approx(means[side] - z * errors[side])
        assert part.ci_high == pytest.approx(means[side] + z * errors[side])
    margin = z * (errors["generated"] ** 2 + errors["reference"] ** 2) ** 0.5
    assert result.value == pytest.approx(abs(means["generated"] - means["reference"]), rel=1e-9)
    assert result.ci_low == pytest.approx(max(0, result.value - margin))
    assert result.ci_high == pytest.approx(result.value + margin)


def test_what_the_process_likes_too_well_scores_as_what_it_does_not_like(score):
    simulator = PromoterSimulator(SimulatorOptions())
    codes = draw(simulator.process, 800, seed=4).codes
    reference, pool = codes[:400], codes[400:]
    order = np.argsort(simulator.log_likelihood(pool))
    likely, unlikely = score(pool[order[200:]], reference), score(pool[order[:200]], reference)
    assert likely.parts["generated"].value < likely.parts["reference"].value < unlikely.parts["generated"].value
    for result in (likely, unlikely):
        assert result.value > 0.01
        assert result.ci_low > 0
    swapped = score(reference, pool[order[200:]])
    assert swapped.value == pytest.approx(likely.value)


def test_a_set_is_at_no_distance_from_itself(score):
    codes = draw(promoter_process(96), 50, seed=0).codes
    result = score(codes, codes)
    assert result.value == 0
    assert result.ci_low == 0
    assert result.ci_high > 0


@pytest.mark.parametrize(
    ("other", "lowest", "highest"),
    [("truth", 0.93, 0.97), ("no-tata", 0.93, 0.995), ("uniform", 0.93, 0.97)],
    ids=["no difference", "of the order of the error", "large"],
)
def test_the_interval_covers(other, lowest, highest, score, monkeypatch):
    """Populations of 3,000 sequences, whose means are known, and 2,000 draws from them."""
    process = promoter_process(96)
    real = draw(process, 3000, seed=1).codes
    generated = {
        "truth": real,
        "no-tata": draw(FAULTS["no-tata"](process), 3000, seed=2).codes,
        "uniform": random_codes(3000, 96),
    }[other]
    known = {
        row.tobytes(): value
        for codes in (real, generated)
        for row, value in zip(codes, log_likelihood(process, codes), strict=True)
    }

    def looked_up(process, codes):
        return np.array([known[row.tobytes()] for row in codes])

    monkeypatch.setattr(nll, "log_likelihood", looked_up)
    monkeypatch.setattr(nll, "promoter_process", lambda length: process)
    truth = abs(looked_up(process, generated).mean() - looked_up(process, real).mean()) / 96
    rng = np.random.default_rng(3)
    covered, errors = [], []
    metric = TrueLikelihood()
    for _ in range(2000):
        result = metric.score(
            generated=SequenceSet(generated[rng.integers(3000, size=60)]),
            reference=SequenceSet(real[rng.integers(3000, size=150)]),
            context=None,
        )
        covered.append(result.ci_low <= truth <= result.ci_high)
        errors.append((result.ci_high - result.value) / 1.96)
    ratio = truth / np.mean(errors)
    assert {"truth": ratio == 0, "no-tata": 0.3 < ratio < 3, "uniform": ratio > 5}[other]
    assert lowest < np.mean(covered) < highest


@pytest.mark.parametrize(
    ("generated", "reference", "message"),
    [
        (random_codes(5, 95), random_codes(5, 95), "95 bp; they have at least 96 bp"),
        (random_codes(5, 96), random_codes(5, 97), "96 bp cannot be compared with a reference of 97 bp"),
        (random_codes(1, 96), random_codes(5, 96), "1 generated sequences; it needs at least 2"),
        (random_codes(5, 96), random_codes(0, 96), "0 reference sequences; it needs at least 2"),
    ],
)
def test_what_has_no_likelihood_is_the_users_error(generated, reference, message, score):
    with pytest.raises(UserError, match=message):
        score(generated, reference)


@pytest.mark.parametrize("side", ["generated", "reference"])
def test_n_is_named(side, make_context):
    codes = random_codes(5, 96)
    codes[3, 7] = codes[4, 2] = 4
    sets = {"generated": SequenceSet(random_codes(5, 96)), "reference": SequenceSet(random_codes(5, 96))}
    sets[side] = SequenceSet(codes, names=["a", "b", "c", "d", "e"])
    with pytest.raises(UserError, match=f"{side} sequence 'd', column 8: N"):
        TrueLikelihood().score(**sets, context=make_context(length=96))
