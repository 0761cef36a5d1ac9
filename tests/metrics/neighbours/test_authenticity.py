"""`authenticity` against hand computations, closed forms, brute force, and replicates."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from dnabench import UserError
from dnabench_metrics.neighbours.authenticity import Authenticity, authentic
from dnabench_metrics.neighbours.tiles import comparable
from dnabench_metrics.records.neighbours import AuthenticityOptions

METRIC = Authenticity(AuthenticityOptions())


def brute_force(queries: np.ndarray, train: np.ndarray) -> np.ndarray:
    across, within = cdist(queries, train), cdist(train, train)
    np.fill_diagonal(within, np.inf)
    return across.min(1) > within.min(1)[across.argmin(1)]


def test_by_hand(score_sets):
    # Training 0, 2, 10, nearest others at 2, 2, 8. Generated: 3 is 1 from 2; 5 is 3 from 2; 17 is 7 from 10; -2 is 2
    # from 0, which is no farther than 2 is; 19 is 9 from 10. Reference: -3 is 3 from 0, 10 is a copy.
    score = score_sets(METRIC, generated=[3, 5, 17, -2, 19], reference=[-3, 10], train=[0, 2, 10])
    assert score.value == pytest.approx(2 / 5)
    assert score.parts["reference"].value == 0.5


def test_a_copy_is_never_authentic_and_repetitions_in_training_do_not_change_that(score_sets):
    x = np.random.default_rng(0).standard_normal((60, 3))
    for train in (x, np.concatenate([x, x])):
        score = score_sets(METRIC, generated=x[::2], reference=x + 9, train=train)
        assert (score.value, score.ci_low) == (0, 0)
        assert score.ci_high == pytest.approx(1.959964**2 / (30 + 1.959964**2))


def test_all_is_authentic_far_from_training(score_sets):
    x = np.random.default_rng(1).standard_normal((60, 3))
    assert score_sets(METRIC, generated=x + 100, reference=x, train=x + 0.01).value == 1


@pytest.mark.parametrize("dimension", [1, 2, 30])
def test_equals_brute_force(dimension):
    rng = np.random.default_rng(2)
    queries, train = rng.standard_normal((80, dimension)), rng.standard_normal((150, dimension))
    Q, T = comparable(queries, train)
    expected = brute_force(queries, train)
    assert 0.1 < expected.mean() < 0.9
    np.testing.assert_array_equal(authentic(Q, T), expected)


def test_in_one_dimension_fresh_points_are_authentic_one_time_in_three(score_sets):
    # Fresh points between uniform ones are the nearest neighbour's nearest in 2 of 3 cases: points on a line are each
    # other's nearest neighbours with probability 2/3 (Clark and Evans 1955, Science 121:397).
    rng = np.random.default_rng(3)
    shares = [
        score_sets(METRIC, generated=rng.random(200), reference=rng.random(10), train=rng.random(1000)).value
        for _ in range(40)
    ]
    assert np.mean(shares) == pytest.approx(1 / 3, abs=0.02)


def test_a_memoriser_is_caught_and_fresh_sequences_pass(score_sets):
    rng = np.random.default_rng(4)
    train, reference, fresh = (rng.standard_normal((n, 6)) for n in (800, 400, 400))
    near = train[:400] + 0.05 * rng.standard_normal((400, 6))
    passing = score_sets(METRIC, generated=fresh, reference=reference, train=train)
    assert passing.ci_low < passing.parts["reference"].value < passing.ci_high
    for memorised in (train[:400], near):
        caught = score_sets(METRIC, generated=memorised, reference=reference, train=train)
        assert caught.ci_high < caught.parts["reference"].ci_low / 5


def test_the_order_of_the_sequences_does_not_show(score_sets):
    rng = np.random.default_rng(5)
    # Whole numbers: training sequences at one distance, with other distances to their own nearest.
    x, y, z = (rng.integers(0, 6, (n, 2)) for n in (50, 40, 30))
    orders = [rng.permutation(len(side)) for side in (x, y, z)]
    for options in (AuthenticityOptions(), AuthenticityOptions(most=20)):
        plain, other = (
            score_sets(Authenticity(options), generated=x, reference=y, train=z, orders=order)
            for order in (None, orders)
        )
        assert (plain.value, plain.ci_low) == (other.value, other.ci_low)
        assert plain.parts["reference"] == other.parts["reference"]


def test_training_sequences_are_all_compared_with(score_sets):
    rng = np.random.default_rng(6)
    x, y, z = (rng.standard_normal((n, 4)) for n in (300, 200, 500))
    details = score_sets(Authenticity(AuthenticityOptions(most=50)), generated=x, reference=y, train=z).details
    assert details["used"].tolist() == [50, 50, 500]
    assert details["given"].tolist() == [300, 200, 500]
    assert score_sets(Authenticity(AuthenticityOptions(most=50)), generated=z[:100], reference=y, train=z).value == 0


def test_bad_input_is_named(score_sets):
    x = np.random.default_rng(7).standard_normal((20, 2))
    with pytest.raises(UserError, match="authenticity compares with training sequences, and there are none"):
        score_sets(METRIC, generated=x, reference=x)
    with pytest.raises(UserError, match="1 training sequences; it needs at least 2"):
        score_sets(METRIC, generated=x, reference=x, train=x[:1])
    with pytest.raises(UserError, match="20 training sequences all have the same embedding by toy"):
        score_sets(METRIC, generated=x, reference=x, train=np.ones((20, 2)))
    with pytest.raises(UserError, match="1 generated sequences"):
        score_sets(METRIC, generated=x[:1], reference=x, train=x)


def test_intervals_cover_the_share_over_draws_against_one_training_set(score_sets):
    rng = np.random.default_rng(8)
    train = rng.standard_normal((300, 3))
    truth = brute_force(rng.standard_normal((20_000, 3)), train).mean()
    covered = []
    for _ in range(150):
        x, y = rng.standard_normal((2, 60, 3))
        score = score_sets(METRIC, generated=x, reference=y, train=train)
        covered += [part.ci_low <= truth <= part.ci_high for part in (score, score.parts["reference"])]
    assert 0.91 <= np.mean(covered) <= 0.99
