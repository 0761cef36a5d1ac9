"""Normalised scores and the floor, by hand."""

from __future__ import annotations

import pytest

from dnabench.leaderboard.scale import at_floor, is_blind, mean_normalised, normalised, normalised_rows


def row(generator="g", metric="m", value=2.0, low=1.5, high=2.5, floor=1.0, direction="lower", seed=0):
    return {
        "generator": generator,
        "metric": metric,
        "value": value,
        "ci_low": low,
        "ci_high": high,
        "floor": floor,
        "direction": direction,
        "seed": seed,
        "slice": "all",
        "status": "done",
    }


def test_the_floor_is_0_and_the_useless_generator_1():
    scaled = normalised(row(), row("noise", value=5.0, low=4.5, high=5.5))
    assert (scaled["metric"], scaled["direction"], scaled["floor"]) == ("m.normalised", "lower", 0.0)
    assert (scaled["value"], scaled["ci_low"], scaled["ci_high"]) == (0.25, 0.125, 0.375)


def test_where_higher_is_better_the_ends_change_places():
    one = row("noise", value=0.1, low=0.05, high=0.15, direction="higher")
    scaled = normalised(row(value=0.7, low=0.6, high=0.8, floor=0.9, direction="higher"), one)
    assert scaled["value"] == pytest.approx(0.25)
    assert (scaled["ci_low"], scaled["ci_high"]) == (pytest.approx(0.125), pytest.approx(0.375))


@pytest.mark.parametrize(
    "one", [row(value=1.4, low=0.9, high=1.9), row(value=0.5, low=0.4, high=0.6), row(value=None, low=None, high=None)]
)
def test_without_a_useless_generator_that_is_worse_there_is_no_scale(one):
    assert normalised(row(), one) is None


def test_without_a_floor_or_a_useless_score_there_is_no_scale():
    assert normalised(row(floor=None), row("noise", value=5.0)) is None
    assert normalised(row(), {}) is None


def test_blind_is_what_does_not_put_the_useless_generator_behind_the_floor():
    assert is_blind(row(), row("noise", value=1.4, low=0.9, high=1.9))
    assert not is_blind(row(), row("noise", value=1.6, low=1.1, high=2.1))
    assert is_blind(row(direction="higher"), row("noise", value=1.0, low=1.0, high=1.0))
    assert not is_blind(row(direction="higher"), row("noise", value=0.4, low=0.2, high=0.6))
    assert not is_blind(row(), {})


def test_rows_are_scaled_beside_the_useless_generator_of_their_seed():
    table = [row(seed=0), row(seed=1, value=3.0), row("noise", value=5.0, seed=0), row("noise", value=9.0, seed=1)]
    table += [row(metric="m.part"), row(metric="other")]
    found = {(r["generator"], r["metric"], r["seed"]): r["value"] for r in normalised_rows(table, "noise")}
    assert found == {
        ("g", "m.normalised", 0): 0.25,
        ("g", "m.normalised", 1): 0.25,
        ("noise", "m.normalised", 0): 1.0,
        ("noise", "m.normalised", 1): 1.0,
    }
    assert mean_normalised([*table, *normalised_rows(table, "noise")])["g", "m"] == 0.25
    assert normalised_rows(table, "") == []


def test_at_the_floor_is_where_the_interval_reaches_it_or_the_better_side():
    assert at_floor(0.9, 1.5, 1.0, "lower")
    assert at_floor(0.2, 0.5, 1.0, "lower")
    assert not at_floor(1.1, 1.5, 1.0, "lower")
    assert at_floor(0.2, 1.1, 1.0, "higher")
    assert not at_floor(0.2, 0.9, 1.0, "higher")
    assert not at_floor(None, None, 1.0, "lower")
    assert not at_floor(0.9, 1.5, None, "lower")
