from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
import torch

from dnabench import Score
from dnabench.seeds import derive_seed


def test_every_part_of_a_seeds_identity_moves_it():
    base = {"repeat": 0, "dataset": "d", "generator": "g"}
    seeds = [
        derive_seed("fit", **base),
        derive_seed("sample", **base),
        derive_seed("fit", **(base | {"repeat": 1})),
        derive_seed("fit", **(base | {"dataset": "e"})),
        derive_seed("fit", **(base | {"generator": "h"})),
        derive_seed("fit", **(base | {"generator": None})),
    ]
    assert all(a != b for a, b in combinations(seeds, 2))
    assert derive_seed("fit", **base) == seeds[0]


def test_a_context_gives_the_same_randomness_again_and_independent_streams(make_context):
    one, two, other = make_context(seed=1), make_context(seed=1), make_context(seed=2)
    first, second = one.torch_generator(), one.torch_generator()
    draws = [torch.rand(4, generator=g) for g in (first, second)]
    assert not torch.equal(*draws)
    assert torch.equal(draws[0], torch.rand(4, generator=two.torch_generator()))
    assert not torch.equal(draws[0], torch.rand(4, generator=other.torch_generator()))
    assert one.rng is one.rng
    assert np.array_equal(one.rng.random(3), two.rng.random(3))
    assert not np.array_equal(make_context(seed=1).rng.random(3), other.rng.random(3))


def test_a_score_is_finite_and_has_both_ends_or_neither():
    assert Score(value=-0.1).ci_low is None
    with pytest.raises(ValueError, match="value is nan"):
        Score(value=float("nan"))
    with pytest.raises(ValueError, match="ci_high is inf"):
        Score(value=1.0, ci_low=0.0, ci_high=float("inf"))
    with pytest.raises(ValueError, match="both ends"):
        Score(value=1.0, ci_low=0.0)
