from __future__ import annotations

import math

import pytest
from scipy import stats

from dnabench.leaderboard import facts
from dnabench.leaderboard.board import Board
from dnabench.stats.intervals import Interval, mean_interval, sampling_difference, score_interval
from dnabench.suites import Controls

CONTROLS = Controls(floor="real", memoriser="copy", blank=("noise",))


def fact(generator, metric, seed, value, half=0.01, direction="lower", status="done", floor=None):
    done = status == "done"
    return {
        "generator": generator,
        "generator_version": 1,
        "options": "{}",
        "metric": metric,
        "metric_version": 1,
        "embedder": "",
        "embedder_sha256": "",
        "dataset_sha256": "0" * 64,
        "split": "groups-50mer-80:10:10",
        "n_generated": 100,
        "n_reference": 100,
        "seed": seed,
        "slice": "all",
        "direction": direction,
        "value": value if done else None,
        "ci_low": value - half if done else None,
        "ci_high": value + half if done else None,
        "floor": floor,
        "status": status,
    }


def board(rows, **kinds):
    names = {row["generator"] for row in rows}
    kinds = {name: kinds.get(name, "model") for name in names}
    return Board(suite="s", facts=rows, kinds=kinds, families={}, controls=CONTROLS)


def named(rows):
    return {row["generator"]: row for row in rows}


def flags_of(row):
    """Without the id of the field, which every ranked row carries, and what every row does."""
    flags = row["flags"].removeprefix("blind-unchecked").removeprefix(";").split(";")
    return ";".join(flag for flag in flags if not flag.startswith("field:"))


def test_mean_interval_is_students():
    values = [1.0, 2.0, 4.0]
    low, high = stats.t.interval(0.95, 2, loc=7 / 3, scale=stats.sem(values))
    assert mean_interval(values) == pytest.approx((7 / 3, low, high))
    assert math.isnan(mean_interval([1.0]).low)


def test_the_wider_interval_counts():
    narrow = [Interval(v, v - 0.01, v + 0.01) for v in (1.0, 2.0, 4.0)]
    assert score_interval(narrow) == pytest.approx(mean_interval([1.0, 2.0, 4.0]))
    wide = [Interval(v, v - 9, v + 9) for v in (1.0, 2.0, 4.0)]
    assert score_interval(wide) == pytest.approx((7 / 3, 7 / 3 - 9, 7 / 3 + 9))
    assert score_interval([Interval(1.0, 0.5, 1.5)]) == (1.0, 0.5, 1.5)


def test_sampling_difference_rests_on_the_scores_own_intervals_where_they_have_them():
    first, second = [Interval(5, 2, 8), Interval(7, 4, 10)], [Interval(1, -3, 5), Interval(1, -3, 5)]
    assert sampling_difference(first, second) == (5, 0, 10)
    nan = float("nan")
    bare = [[Interval(v, nan, nan) for v in values] for values in ((1.0, 2.0, 4.0), (0.5, 1.4, 3.1))]
    exact = stats.ttest_rel((1.0, 2.0, 4.0), (0.5, 1.4, 3.1)).confidence_interval(0.95)
    assert sampling_difference(*bare) == pytest.approx((2 / 3, exact.low, exact.high))


def test_incomplete_rows_and_controls_carry_no_rank_and_move_nobody():
    rows = [fact(g, m, s, v) for g, v in (("a", 1.0), ("b", 2.0), ("real", 0.1)) for m in ("m1", "m2") for s in (0, 1)]
    rows += [fact("c", "m1", s, 0.5) for s in (0, 1)] + [
        fact("c", "m2", 0, 0.5),
        fact("c", "m2", 1, 0, status="failed"),
    ]
    lines = board(rows, real="control").rows
    rows_by_name, order = named(lines), [row["generator"] for row in lines]
    assert [rows_by_name[g]["rank"] for g in ("a", "b", "c", "real")] == [1, 2, None, None]
    assert [rows_by_name[g]["complete"] for g in ("a", "c")] == [True, False]
    assert rows_by_name["c"]["m1"] == pytest.approx(0.5)
    assert order[-1] == "real"


def test_parts_and_slices_are_not_ranked():
    rows = [fact("a", "m", 0, 1.0), fact("a", "m.part", 0, 9.0), fact("a", "m", 0, 7.0) | {"slice": "species=hs"}]
    rows_by_name = named(board(rows).rows)
    assert rows_by_name["a"]["m"] == 1.0
    assert "m.part" not in rows_by_name["a"]


@pytest.mark.parametrize(
    ("values", "flags"),
    [
        ({"real": 1.0, "copy": 1.0, "noise": 5.0}, {}),
        ({"real": 1.0, "copy": 1.0, "noise": 1.0}, {"noise": "blind:m"}),
        ({"real": 1.0, "copy": 0.5, "noise": 5.0}, {"copy": "blind:m"}),
        ({"real": 1.0, "copy": 1.0, "noise": 0.2}, {"noise": "blind:m"}),
    ],
)
@pytest.mark.parametrize("direction", ["lower", "higher"])
def test_a_metric_that_prefers_a_control_or_cannot_see_noise_is_blind(values, flags, direction):
    sign = 1 if direction == "lower" else -1
    rows = [fact(g, "m", s, sign * v + s / 1e4, direction=direction) for g, v in values.items() for s in (0, 1, 2)]
    found = board(rows, real="control", copy="control", noise="baseline")
    assert {g: flags_of(row) for g, row in named(found.rows).items() if flags_of(row)} == flags
    assert found.unchecked == {}


def test_a_metric_that_tells_no_control_from_real_dna_has_no_voice():
    values = {"real": (1, 1), "copy": (1, 1), "noise": (1, 5), "a": (3, 2), "b": (2, 3)}  # m1 sees nothing, m2 noise
    rows = [fact(g, f"m{i}", s, v) for g, both in values.items() for i, v in enumerate(both, 1) for s in (0, 1)]
    found = board(rows, real="control", copy="control", noise="control")
    assert found.blind == {"m1": ["noise"]}
    assert found.silent == ["m1"]
    assert [(e.generator, e.rank, e.mean_rank.value, e.places) for e in found.ranking.entries] == [
        ("a", 1, 1.0, {"m2": 1.0}),
        ("b", 2, 2.0, {"m2": 2.0}),
    ]
    assert found.ranking.voices == {"m2": ["m2"]}
    both = [row for row in rows if row["generator"] in "ab"]  # without controls nobody knows
    assert [(e.rank, e.mean_rank.value) for e in board(both).ranking.entries] == [(1, 1.5), (1, 1.5)]
    only = [row for row in rows if row["metric"] == "m1"]
    assert board(only, real="control", copy="control", noise="control").ranking.entries == ()


def test_a_metric_that_sees_copies_alone_ranks_a_memoriser_last_and_nobody_for_being_better_than_real_dna():
    values = {"real": 0.9, "copy": 0.0, "noise": 1.0, "honest": 0.9, "wild": 1.0, "memoriser": 0.1}
    rows = [fact(g, "new", s, v, direction="higher", floor=0.9) for g, v in values.items() for s in (0, 1)]
    found = board(rows, real="control", copy="control", noise="control")
    assert (found.blind, found.silent) == ({"new": ["noise"]}, [])
    assert {e.generator: e.rank for e in found.ranking.entries} == {"honest": 1, "wild": 1, "memoriser": 3}


@pytest.mark.parametrize("gone", [{"generator": "noise"}, {"generator": "noise", "seed": 1, "metric": "m"}])
def test_where_a_control_lacks_a_score_the_table_says_that_blindness_was_not_checked(gone):
    values = {"real": 1, "copy": 1, "noise": 1, "a": 2}
    rows = [fact(g, m, s, v) for g, v in values.items() for m in ("m", "n") for s in (0, 1)]
    found = board([row for row in rows if any(row[name] != value for name, value in gone.items())],
                  real="control", copy="control", noise="control")  # fmt: skip
    if "metric" in gone:  # what is known of n stays known
        assert (found.unchecked, found.blind, found.silent) == ({"m": ["noise"]}, {"n": ["noise"]}, ["n"])
        flag = "blind-unchecked:m"
    else:
        assert (found.unchecked, found.blind, found.silent) == ({"m": ["noise"], "n": ["noise"]}, {}, [])
        flag = "blind-unchecked"
    assert {row["flags"].split(";")[0] for row in found.rows} == {flag}


def test_without_real_dna_nothing_is_checked():
    rows = [fact(g, "m", s, v) for g, v in (("copy", 1), ("noise", 1), ("a", 2)) for s in (0, 1)]
    found = board(rows, copy="control", noise="control")
    assert (found.unchecked, found.blind, found.silent) == ({"m": ["copy", "noise"]}, {}, [])


def test_one_seed_without_intervals_shows_nobody_to_be_blind():
    rows = [fact(g, "m", 0, v) | {"ci_low": None, "ci_high": None} for g, v in (("real", 1), ("copy", 1), ("noise", 9))]
    found = board(rows, real="control", copy="control", noise="control")
    assert (found.unchecked, found.blind, found.silent) == ({"m": ["copy", "noise"]}, {}, [])


def test_csv_is_canonical():
    text = facts.to_csv([{"a": 1 / 3, "b": None, "c": True, "d": 'x,"y"', "e": 2}], "abcde")
    assert text == 'a,b,c,d,e\n0.333333333,,true,"x,""y""",2\n'


def test_who_stands_at_the_floor():
    rows = [
        fact(g, "m", seed, value, half=0.1, floor=floor)
        for g, value in (("reaches", 1.15), ("beats", 0.5), ("above", 1.5))
        for seed, floor in ((0, 1.0), (1, 1.2))
    ]
    rows += [
        fact(g, "up", seed, value, half=0.1, direction="higher", floor=0.9)
        for g, value in (("reaches", 0.85), ("beats", 0.95), ("above", 0.5))
        for seed in (0, 1)
    ]
    rows_by_name = named(board(rows).rows)
    assert {g: flags_of(row) for g, row in rows_by_name.items()} == {
        "reaches": "at-floor:m;at-floor:up",
        "beats": "at-floor:m;at-floor:up",
        "above": "",
    }


def test_controls_are_not_told_where_they_stand():
    rows = [fact("real", "m", 0, 1.0, half=0.5, floor=1.0)]
    assert flags_of(named(board(rows, real="control").rows)["real"]) == ""
