from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from dnabench.leaderboard.ranking import ranked_generators, ranking
from dnabench.leaderboard.timings import sampling_seconds
from dnabench.stats.resampling import error_draws, half_widths, joint_half_widths

NAN = float("nan")


def fact(generator, metric, seed, value, half=None, **other):
    return {
        "generator": generator, "generator_version": 1, "options": "{}", "seed": seed, "slice": "all",
        "metric": metric, "metric_version": 1, "embedder": "", "embedder_sha256": "", "direction": "lower",
        "dataset_sha256": "0" * 64, "split": "groups-50mer-80:10:10", "n_generated": 100, "n_reference": 100,
        "value": value, "floor": None, "ci_low": None if half is None else value - half,
        "ci_high": None if half is None else value + half, "status": "done", **other,
    }  # fmt: skip


def scores(table, half=0.001, seeds=3, **directions):
    """Facts of ``{metric: {generator: value}}``: the same at all seeds, with narrow intervals."""
    return [
        fact(name, metric, seed, float(value), half, direction=directions.get(metric, "lower"))
        for metric, values in table.items()
        for name, value in values.items()
        for seed in range(seeds)
    ]


def rank(rows, families=None, seconds=None, **kinds):
    names = {row["generator"] for row in rows}
    return ranking(rows, {name: kinds.get(name, "model") for name in names}, families or {}, seconds=seconds)


def entries(*arguments, **named):
    return {entry.generator: entry for entry in rank(*arguments, **named).entries}


def test_a_metrics_interval_is_students_of_the_paired_differences():
    first, second = np.array([1.0, 2.0, 4.0]), np.array([0.5, 1.4, 3.1])
    values = np.array([[first], [second]])
    draws = error_draws(values, np.full((2, 1), NAN), ["a", "b"], ["m"])
    exact = stats.ttest_rel(first, second).confidence_interval(0.95)
    alone = half_widths(draws[0] - draws[1])
    assert alone == pytest.approx((exact.high - exact.low) / 2, rel=0.05)
    assert joint_half_widths(draws[0] - draws[1]) == alone
    error = (draws[0] - draws[1])[0] / stats.sem(first - second)
    assert stats.kstest(error, stats.t(2).cdf).pvalue > 0.001


def test_intervals_of_several_metrics_at_once_are_those_of_sidak_where_the_metrics_are_independent():
    draws = error_draws(np.zeros((2, 6, 1)), np.ones((2, 6)), ["a", "b"], list("uvwxyz"))
    alone, together = half_widths(draws[0] - draws[1]), joint_half_widths(draws[0] - draws[1])
    spread = np.sqrt(2) / stats.norm.ppf(0.975)  # two half-widths of 1 in quadrature
    assert alone == pytest.approx(np.full(6, spread * stats.norm.ppf(0.975)), rel=0.04)
    assert together == pytest.approx(np.full(6, spread * stats.norm.ppf((1 + 0.95 ** (1 / 6)) / 2)), rel=0.08)


def test_a_scores_own_interval_counts_where_seeds_show_less_and_no_generator_moves_anothers_draws():
    values = np.array([[[1.0, 1.001, 1.002]], [[5.0, 6.0, 7.0]]])
    own = np.array([[0.5], [0.1]])
    draws = error_draws(values, own, ["a", "b"], ["m"])
    assert draws[0, 0].std() == pytest.approx(0.5 / 1.96, rel=0.05)
    alone = error_draws(values[:1], own[:1], ["a"], ["m"])
    assert np.array_equal(alone[0], draws[0])


def test_mean_ranks_by_hand_with_a_voice_for_each_family():
    # Places on k1, k2, k3 (higher is better) and f. One family k: a 1, b 2, c 3; f: c 1, b 2, a 3.
    table = {f"k{i}": {"a": 0.1, "b": 0.2, "c": 0.3} for i in (1, 2)}
    table |= {"k3": {"a": 9, "b": 8, "c": 7}, "f": {"a": 3, "b": 2, "c": 1}}
    rows = scores(table, k3="higher")
    apart = entries(rows)  # four families: a (1+1+1+3)/4
    assert [apart[g].mean_rank.value for g in "abc"] == [1.5, 2, 2.5]
    assert [apart[g].rank for g in "abc"] == [1, 2, 3]
    together = entries(rows, {"k1": "k", "k2": "k", "k3": "k"})
    assert [together[g].mean_rank.value for g in "abc"] == [2, 2, 2]
    assert [together[g].rank for g in "abc"] == [1, 1, 1]
    assert together["a"].family_ranks == {"f": 3, "k": 1}
    assert together["a"].tied_with == ("b", "c")
    assert together["c"].places == {"f": 1, "k1": 3, "k2": 3, "k3": 3}
    assert together["a"].mean_rank == (2, 2, 2)  # what is this clear stays so


def test_what_is_inside_the_intervals_is_a_tie_and_half_a_place():
    found = entries([fact(g, "m", 0, v, 0.3) for g, v in (("a", 1.0), ("b", 1.2), ("c", 2.0), ("d", 2.1))])
    assert [found[g].mean_rank.value for g in "abcd"] == [1.5, 1.5, 3.5, 3.5]
    assert [found[g].rank for g in "abcd"] == [1, 1, 3, 3]
    assert [found[g].tied_with for g in "abcd"] == [("b",), ("a",), ("d",), ("c",)]


def test_a_group_holds_those_that_are_not_apart_from_its_head():
    # Half-widths of .3 make .424 for a difference: a-b and b-c are inside, a-c is not.
    found = entries([fact(g, "m", 0, v, 0.3) for g, v in (("a", 1.0), ("b", 1.4), ("c", 1.5))])
    assert [found[g].rank for g in "abc"] == [1, 1, 3]
    assert [found[g].tied_with for g in "abc"] == [("b",), ("a",), ()]
    assert [found[g].not_apart for g in "abc"] == [("b",), ("a", "c"), ("b",)]


def test_one_seed_without_intervals_tells_nobody_apart():
    found = entries([fact(g, "m", 0, v) for g, v in (("a", 1.0), ("b", 200.0))])
    assert [found[g].rank for g in "ab"] == [1, 1]
    assert [found[g].mean_rank for g in "ab"] == [(1.5, 1, 2)] * 2  # either may be the better one
    rows = [fact(g, "m", 0, v) for g, v in (("a", 1.0), ("b", 200.0))] + scores({"n": {"a": 1, "b": 2}}, seeds=1)
    found = entries(rows)  # on n alone a is surely the better one
    assert [found[g].mean_rank for g in "ab"] == [(1.25, 1, 1.5), (1.75, 1.5, 2)]


def test_equals_have_the_same_mean_rank_and_the_same_interval_of_it():
    # At the floor or beyond it in three metrics of three, with intervals: no draw makes one better more often.
    rows = [fact(g, m, s, v, 0.3, floor=1.0) for g, v in (("a", 1.0), ("b", 0.9)) for m in "xyz" for s in range(3)]
    found = entries(rows)
    assert found["a"].mean_rank == found["b"].mean_rank
    alone = entries([row for row in rows if row["metric"] == "x"])
    assert alone["a"].mean_rank == alone["b"].mean_rank == (1.5, 1.5, 1.5)


def test_a_mean_counts_up_to_the_floor():
    values = {"wild": 0.2, "real": 1.0, "near": 1.005, "far": 2.0}
    rows = [fact(g, "m", s, v, 0.01, floor=1.0) for g, v in values.items() for s in range(3)]
    found = rank(rows)
    assert {e.generator: e.rank for e in found.entries} == {"near": 1, "real": 1, "wild": 1, "far": 4}
    assert [found.means[g, "m"] for g in ("wild", "real", "near")] == pytest.approx([1.0, 1.0, 1.005])
    assert found.differences["wild", "far", "m"].value == pytest.approx(-1.0)


def test_widths_for_all_metrics_at_once_hold_95_per_cent_of_the_draws_and_no_more():
    random = np.random.default_rng(3)
    errors = random.standard_normal((4, 10_000)) * np.array([[1], [20], [0.1], [0]])
    errors[1] = 20 * (errors[0] + errors[1] / 20)  # two that move together
    widths = joint_half_widths(errors)
    assert (np.abs(errors) <= widths[:, None]).all(axis=0).mean() == pytest.approx(0.95, abs=0.0005)
    levels = (np.abs(errors[:3]) <= widths[:3, None]).mean(axis=1)
    assert levels == pytest.approx(np.full(3, levels[0]), abs=1e-9)  # balanced
    assert widths[3] == 0
    np.testing.assert_array_equal(half_widths(errors), np.sort(np.abs(errors), axis=1)[:, 9499])


def normal_facts(random, shift):
    return [
        fact(name, f"m{m}", seed, float(random.standard_normal() + shift.get((name, m), 0)))
        for name in "ab"
        for m in range(6)
        for seed in range(3)
    ]


def test_equal_generators_are_rarely_told_apart_and_unequal_ones_are():
    random = np.random.default_rng(0)
    families = {f"m{m}": "first" if m < 2 else "second" for m in range(6)}
    equal = [len({e.rank for e in rank(normal_facts(random, {}), families).entries}) == 2 for _ in range(120)]
    assert sum(equal) <= 13  # of 5 % at most: a chance of one in a hundred; each metric by itself gives 26 %, or 32
    better = {("b", m): 20.0 for m in range(6)}
    found = [rank(normal_facts(random, better), families).entries[0] for _ in range(20)]
    assert sum(e.generator == "a" and not e.tied_with for e in found) >= 18
    one = [rank(normal_facts(random, {("b", 3): 60.0}), families).entries[0] for _ in range(20)]
    assert sum(e.generator == "a" and not e.tied_with for e in one) >= 18


def test_controls_and_incomplete_generators_move_nobody():
    rows = scores({"m": {"a": 1, "b": 2}, "n": {"a": 1, "b": 2}})
    more = rows + scores({"m": {"real": 0, "c": 0}, "n": {"real": 0}})
    more += [fact("c", "n", 0, None, status="failed")]
    assert ranked_generators(more, {"a": "model", "b": "baseline", "c": "model", "real": "control"}) == ["a", "b"]
    with_them = rank(more, real="control")
    assert with_them == rank(rows)
    assert with_them.field == rank(rows).field


def test_the_field_is_of_generators_metrics_and_protocol_not_of_scores():
    rows = scores({"m": {"a": 1, "b": 2}})
    field = rank(rows).field
    assert rank([row | {"value": 5.0} for row in rows]).field == field
    assert rank(rows[::-1]).field == field
    changes = ({"generator_version": 2}, {"options": '{"order":3}'}, {"metric_version": 2}, {"n_generated": 99},
               {"dataset_sha256": "1" * 64}, {"embedder_sha256": "2" * 64}, {"split": "random-80:10:10"})  # fmt: skip
    others = [rank([row | change for row in rows]).field for change in changes]
    others += [rank(rows, {"m": "functional"}).field, rank(scores({"m": {"a": 1}})).field]
    assert len({field, *others}) == 10


def test_the_pareto_front_is_of_those_that_none_beats_in_rank_and_cost():
    rows = scores({"m": {"slow": 1, "worse": 2, "cheap": 3, "unknown": 4}})
    found = entries(rows, seconds={"slow": 5.0, "worse": 6.0, "cheap": 0.1})
    assert {name: entry.pareto for name, entry in found.items()} == {
        "slow": True, "worse": False, "cheap": True, "unknown": None,
    }  # fmt: skip
    nearly = entries(rows, seconds={"slow": 5.0, "worse": 4.8, "cheap": 4.0})  # 4 % quicker is as quick
    assert [nearly[name].pareto for name in ("slow", "worse", "cheap")] == [True, False, True]


def test_costs_are_of_samples_that_were_drawn():
    timing = {"cell": "sample", "status": "done", "cached": False, "seconds": 2.0}
    rows = [timing | {"generator": "a"}, timing | {"generator": "a", "seconds": 4.0}]
    rows += [
        timing | {"generator": "b", "cached": True, "seconds": 0.0},
        timing | {"generator": "a", "cell": "train"},
    ]
    assert sampling_seconds(rows, 100) == {"a": pytest.approx(0.03)}


def test_evidence_for_the_lower_one_sets_nobody_apart():
    # `steady` has the better mean place, and yet `sharp` is surely better on two metrics of three.
    two = {"sharp": 1, "steady": 2, "x": 3, "y": 4, "z": 5}
    table = {"a": two, "b": two, "c": {"steady": 1, "x": 2, "y": 3, "z": 4, "sharp": 5}}
    found = entries(scores(table))
    assert found["steady"].mean_rank.value < found["sharp"].mean_rank.value
    assert found["steady"].rank == found["sharp"].rank == 1
    assert "sharp" not in found["steady"].not_apart
