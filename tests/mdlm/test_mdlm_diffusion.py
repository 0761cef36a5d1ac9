"""The process against closed forms and enumeration: schedule, bound, masking, and what the sampler draws."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch
from scipy.stats import chi2

from dnabench_mdlm.diffusion import alpha, bound, draw, mask, sample, spread_times, weight

MASK = 4


def words(length: int) -> torch.Tensor:
    """All words of a length: uint8 (4 ** length, length)."""
    return torch.tensor(list(itertools.product(range(4), repeat=length)), dtype=torch.uint8)


def exact_denoiser(joint: torch.Tensor):
    """The log-probability of every base given the unmasked ones, under ``joint`` (4, ..., 4)."""
    length = joint.dim()
    all_words, probabilities = words(length).long(), joint.flatten()

    def denoise(x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        agrees = ((x.long()[:, None] == all_words) | (x[:, None] == MASK)).all(-1)  # (n, 4 ** length)
        posterior = agrees * probabilities
        posterior = posterior / posterior.sum(-1, keepdim=True)
        each = [posterior @ (all_words == base).to(posterior.dtype) for base in range(4)]
        return torch.stack(each, -1).log()

    return denoise


def some_joint(length: int, seed: int = 0) -> torch.Tensor:
    weights = np.random.default_rng(seed).gamma(0.5, size=(4,) * length) + 1e-3
    return torch.from_numpy(weights / weights.sum())


def integrated_bound(denoise, codes: torch.Tensor) -> torch.Tensor:
    """The bound of each word (n, L), all masks enumerated, by Gauss-Legendre quadrature over t, exact here."""
    points, weights = np.polynomial.legendre.leggauss(12)
    n, length = codes.shape
    total = torch.zeros(n, dtype=torch.float64)
    for point, share in zip((points + 1) / 2, weights / 2, strict=True):
        t = torch.full((n,), point, dtype=torch.float64)
        for masked in itertools.product([False, True], repeat=length):
            probability = np.prod([point if hidden else 1 - point for hidden in masked])
            x_t = torch.where(torch.tensor(masked), MASK, codes).to(torch.uint8)
            total += share * probability * bound(denoise(x_t, t), codes, x_t, t).sum(1)
    return total


def test_the_schedule_is_log_linear():
    t = torch.linspace(0.01, 1, 100, dtype=torch.float64)
    # Log-linear: the total noise -log(alpha) is -log(1 - t).
    torch.testing.assert_close(alpha(t[:-1]).log(), torch.log1p(-t[:-1]))
    slope = torch.autograd.functional.jacobian(lambda t: alpha(t).sum(), t)
    torch.testing.assert_close(weight(t), -slope / (1 - alpha(t)))


@pytest.mark.parametrize("n", [1, 7, 64])
def test_there_is_one_time_in_every_part_and_each_is_uniform(n):
    generator = torch.Generator().manual_seed(0)
    drawn = torch.stack([spread_times(n, generator) for _ in range(4000)]).double()
    assert drawn.min() > 0
    assert drawn.max() <= 1
    assert ((drawn * n).ceil() == torch.arange(1, n + 1)).double().mean() > 0.999  # rounding at the parts' ends
    within = (drawn * n) % 1
    assert within.mean() == pytest.approx(0.5, abs=4 / math.sqrt(12 * 4000))
    assert within.var() == pytest.approx(1 / 12, abs=0.006)


def test_bases_are_masked_with_probability_t_and_n_always_is():
    codes = torch.tensor([[0, 1, 2, 3, 4]], dtype=torch.uint8).expand(20_000, 5)
    t = torch.full((20_000,), 0.3)
    x_t = mask(codes, t, torch.rand(codes.shape, generator=torch.Generator().manual_seed(1)))
    hidden = x_t == MASK
    assert hidden[:, 4].all()
    np.testing.assert_allclose(hidden[:, :4].double().mean(0), 0.3, atol=4 * math.sqrt(0.21 / 20_000))
    torch.testing.assert_close(x_t[~hidden], codes[~hidden])
    assert (mask(codes, torch.ones(20_000), torch.zeros(codes.shape)) == MASK).all()


def test_of_independent_bases_the_bound_is_the_entropy():
    rows = [[0.7, 0.1, 0.1, 0.1], [0.25, 0.25, 0.25, 0.25], [0.5, 0.3, 0.15, 0.05]]
    probabilities = torch.tensor(rows, dtype=torch.float64)
    codes = words(3)
    of_words = torch.stack([probabilities[i, codes[:, i].long()] for i in range(3)]).prod(0)
    got = integrated_bound(lambda x, t: probabilities.log().expand(len(x), 3, 4), codes)
    entropies = [0.7 * math.log(1 / 0.7) + 0.3 * math.log(10), math.log(4)]
    entropies.append(-sum(p * math.log(p) for p in (0.5, 0.3, 0.15, 0.05)))
    assert float(of_words @ got) == pytest.approx(sum(entropies), abs=1e-10)
    torch.testing.assert_close(got, -of_words.log())  # here the bound is tight for every word


@pytest.mark.parametrize("length", [2, 3])
def test_the_bound_is_that_of_all_orders_and_not_below_the_surprisal(length):
    joint = some_joint(length)
    codes, denoise = words(length), exact_denoiser(joint)
    # The chain rule in any order of unmasking is exact, so with the exact denoiser the bound is tight.
    got = integrated_bound(denoise, codes)
    torch.testing.assert_close(got, -joint.flatten().log(), rtol=1e-9, atol=1e-9)

    def rough(x, t):  # not the posterior of any joint distribution
        return denoise(x, t) * 0.6 + torch.sin(torch.arange(4 * length).double()).view(length, 4)

    assert float(joint.flatten() @ integrated_bound(rough, codes)) > float(joint.flatten() @ -joint.flatten().log())
    orders = list(itertools.permutations(range(length)))
    likelihoods = torch.zeros(len(orders), len(codes), dtype=torch.float64)
    for number, order in enumerate(orders):
        x = torch.full_like(codes, MASK)
        for place in order:
            logs = rough(x, torch.ones(len(x)))[:, place].log_softmax(-1)
            likelihoods[number] += logs.gather(1, codes[:, place, None].long())[:, 0]
            x = x.clone()
            x[:, place] = codes[:, place]
    torch.testing.assert_close(integrated_bound(rough, codes), -likelihoods.mean(0))
    # By Jensen, -log of the mean over orders, which is the probability that sampling one at a time gives a word.
    assert (integrated_bound(rough, codes) >= -likelihoods.exp().mean(0).log() - 1e-12).all()


def test_only_masked_bases_count_and_n_does_not():
    codes = torch.tensor([[0, 1, 4, 3]], dtype=torch.uint8)
    x_t = torch.tensor([[4, 1, 4, 4]], dtype=torch.uint8)
    logits = torch.zeros(1, 4, 4, requires_grad=True)
    terms = bound(logits, codes, x_t, torch.tensor([0.5]))
    torch.testing.assert_close(terms, 2 * math.log(4) * torch.tensor([[1.0, 0.0, 0.0, 1.0]]))
    terms.sum().backward()
    assert (logits.grad[0, [1, 2]] == 0).all()


def test_every_base_gets_its_share_of_the_uniform_numbers():
    logits = torch.tensor([0.7, 0.2, 0.1 - 1e-6, 1e-6], dtype=torch.float64).log()
    grid = (torch.arange(2_000_000, dtype=torch.float64) + 0.5) / 2_000_000
    shares = draw(logits.expand(len(grid), 4), grid).bincount(minlength=4) / len(grid)
    torch.testing.assert_close(shares.double(), logits.exp(), rtol=0, atol=1.1e-6)


def test_bases_rarer_than_float32_can_tell_are_not_lost():
    # 1 - 2 ** -53 is the largest number that may come; the largest below 1 in float32 is 1 - 6e-8, which gives C.
    logits = torch.tensor([[0.0, 0.0, -60.0, -30.0]])
    assert draw(logits, torch.tensor([1 - 2**-53], dtype=torch.float64)).item() == 3
    assert draw(logits, torch.tensor([1 - 2**-24], dtype=torch.float64)).item() == 1
    assert draw(logits, torch.tensor([0.0], dtype=torch.float64)).item() == 0


def test_with_an_exact_denoiser_words_come_as_often_as_they_should():
    joint, n, steps = some_joint(3, seed=3), 20_000, 500
    states = torch.tensor(list(itertools.product(range(5), repeat=3)), dtype=torch.uint8)
    table = exact_denoiser(joint)(states, torch.ones(125))  # of all there are, masks included

    def denoise(x, t):
        return table[x.long() @ torch.tensor([25, 5, 1])]

    drawn = sample(denoise, n, 3, steps, torch.Generator().manual_seed(0)).long()
    counts = (drawn @ torch.tensor([16, 4, 1])).bincount(minlength=64).double()
    expected = joint.flatten() * n
    often = expected >= 5
    statistic = float(((counts - expected)[often].square() / expected[often]).sum())
    rest = float(expected[~often].sum())
    assert abs(float(counts[~often].sum()) - rest) < 4 * math.sqrt(rest) + 1
    assert statistic < chi2.ppf(0.999, int(often.sum()))


def test_with_one_step_bases_are_independent():
    joint = torch.zeros(4, 4, dtype=torch.float64)
    joint[range(4), range(4)] = 0.25 - 3e-9
    joint += 1e-9
    joint /= joint.sum()
    once = sample(exact_denoiser(joint), 8000, 2, 1, torch.Generator().manual_seed(0))
    often = sample(exact_denoiser(joint), 8000, 2, 50, torch.Generator().manual_seed(0))
    assert (once[:, 0] == once[:, 1]).double().mean() == pytest.approx(0.25, abs=0.02)
    # At 50 steps both bases come up at the same one in 1 of 50 words.
    assert (often[:, 0] == often[:, 1]).double().mean() == pytest.approx(1 - 0.75 / 50, abs=0.006)


def test_unmasked_bases_never_change_and_only_steps_that_unmask_are_evaluated():
    seen, times = [], []

    def denoise(x, t):
        seen.append(x.clone())
        times.append(float(t[0]))
        return torch.randn(*x.shape, 4, generator=torch.Generator().manual_seed(len(seen)))

    last = sample(denoise, 3, 5, 100, torch.Generator().manual_seed(2))
    states = [*seen, last]
    for before, after in itertools.pairwise(states):
        there = before != MASK
        assert (after[there] == before[there]).all()
        assert (after == MASK).sum() < (before == MASK).sum()
    assert (seen[0] == MASK).all()
    assert (last != MASK).all()
    assert len(seen) <= 15
    assert times == sorted(times, reverse=True)
    assert 0 < min(times) <= max(times) <= 1


def test_a_base_is_masked_at_time_t_with_probability_t_on_the_way_back_too():
    left = {}

    def denoise(x, t):
        left[round(float(t[0]), 6)] = float((x == MASK).double().mean())
        return torch.zeros(*x.shape, 4)

    sample(denoise, 200, 100, 10, torch.Generator().manual_seed(0))
    assert len(left) == 10
    for t, share in left.items():
        assert share == pytest.approx(t, abs=4 * math.sqrt(0.25 / 20_000))
