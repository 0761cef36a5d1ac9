from __future__ import annotations

import dataclasses
import json

import pytest

from dnabench import GeneratorSpec, UserError
from dnabench.orders import CellResult, Order, Site
from dnabench.plan import Cell, Plan, PlannedGenerator, PlannedMetric
from dnabench.planning.generators import check_length
from dnabench.schedule import Schedule
from dnabench.suites import Controls


def generator(name: str, labels: tuple[str, ...] = ()) -> PlannedGenerator:
    return PlannedGenerator(
        name=name, plugin=name, version=1, kind="model", distribution="d 1", device="cpu", devices=1,
        options={"widths": [1, 2], "rate": 0.1}, labels=labels,
    )  # fmt: skip


def metric(label: str, embedder: str | None = None) -> PlannedMetric:
    return PlannedMetric(
        name=label,
        version=1,
        direction="lower",
        family="sequence",
        distribution="d 1",
        options={},
        embedder=embedder,
        device="cpu",
        label=label,
    )


@pytest.fixture
def plan() -> Plan:
    return Plan(
        suite="s", dataset="d", dataset_sha256="0" * 64, published=(), split="groups", length=64, n_train=10,
        n_generated=5, n_reference=5, seeds=(0, 1), preset="quick", slices=("species=hs", "class=x"), flags=(),
        controls=Controls(floor="a", memoriser="b", blank=("c", "d"), useless="d"), device="cpu", threads=1,
        generators=(generator("a"), generator("b", ("species",))),
        metrics=(metric("gc"), metric("fred", "ae"), metric("mmd", "ae"), metric("mmd@kmer", "kmer")),
    )  # fmt: skip


def test_a_plan_comes_back_from_json(plan):
    assert Plan.from_json(json.loads(json.dumps(plan.to_json()))) == plan
    with pytest.raises(ValueError, match="a plan of schema 0; this version of dnabench knows 5"):
        Plan.from_json(plan.to_json() | {"schema": 0})
    for name in ("generators", "metrics", "seeds"):
        with pytest.raises(ValueError, match="a plan without generators, metrics or seeds"):
            Plan.from_json(plan.to_json() | {name: []})


@pytest.mark.parametrize(
    ("name", "value"),
    [("length", "64"), ("seeds", 3), ("seeds", ["0"]), ("flags", None), ("threads", 1.5), ("suite", ["s"])],
)
def test_a_plan_with_values_of_another_kind_is_refused(plan, name, value):
    with pytest.raises(TypeError, match=f"^{name} is "):
        Plan.from_json(plan.to_json() | {name: value})


def test_a_plan_of_no_sequences_is_refused(plan):
    with pytest.raises(ValueError, match="a plan of no sequences"):
        Plan.from_json(plan.to_json() | {"n_generated": 0})


def test_an_order_comes_back_from_json(plan):
    site = Site(
        store="/s", since=1, parts="/p", blocked=("x",), allowed=(), code={"torch": "2"}, pythons={"plugin": "/py"},
        checkpoint_seconds=15.0,
    )  # fmt: skip
    order = Order(site=site, plan=plan, cell=Cell("sample", "a", 1), key="k", key_parts={"n": 5}, input="m")
    assert Order.from_json(json.loads(json.dumps(order.to_json()))) == order
    with pytest.raises(ValueError, match="an order of schema 9"):
        Order.from_json(order.to_json() | {"schema": 9})


def test_an_answer_with_more_than_is_known_is_read(plan):
    cell = Cell("train", "a", 0)
    result = CellResult.from_answer(cell, "k", {"status": "oom", "warnings": ["w"], "of a later version": 1})
    assert (result.cell, result.key, result.status, result.warnings) == (cell, "k", "oom", ("w",))


def test_the_cells_of_a_plan(plan):
    cells = list(plan.cells())
    assert [cell.kind for cell in cells] == ["floor"] * 8 + ["train"] * 4 + ["sample"] * 4 + ["score"] * 16
    assert len({cell.id for cell in cells}) == len(cells)
    assert (cells[-1].id, str(cells[-1])) == ("score/b/seed1/mmd@kmer", "score b seed 1 mmd@kmer")
    assert plan.slices_of("a") == ("all",)
    assert plan.slices_of("b") == ("all", "species=hs")
    listed = {cell["id"]: cell for cell in plan.cells_to_json()}
    assert listed["sample/a/seed1"]["needs"] == ["train/a/seed1"]
    assert listed["score/a/seed1/mmd"]["needs"] == ["sample/a/seed1"]


def test_the_first_metric_of_an_embedder_goes_before_the_others(plan):
    after = {cell["id"]: cell["after"] for cell in plan.cells_to_json()}
    assert after["floor/seed0/fred"] == []
    assert after["floor/seed0/mmd"] == ["floor/seed0/fred"]
    assert after["score/a/seed0/fred"] == ["floor/seed0/fred"]
    assert after["score/a/seed0/mmd"] == ["score/a/seed0/fred"]
    assert after["score/a/seed0/mmd@kmer"] == ["floor/seed0/mmd@kmer"]
    assert after["score/a/seed0/gc"] == after["floor/seed0/gc"] == []


def ids(cells) -> list[str]:
    return [cell.id for cell in cells]


def test_cells_are_given_out_once_each_when_they_can_begin(plan):
    small = dataclasses.replace(plan, seeds=(0,), generators=plan.generators[:1], metrics=plan.metrics[1:3])
    schedule = Schedule(small)
    assert ids(schedule.take()) == ["floor/seed0/fred", "train/a/seed0"]
    assert schedule.take() == []
    assert list(schedule.end(Cell("train", "a", 0), "done")) == []
    assert ids(schedule.take()) == ["sample/a/seed0"]
    assert list(schedule.end(Cell("sample", "a", 0), "done")) == []
    assert schedule.take() == []
    # It has only to end: whether there is a floor is nothing to the scores.
    assert list(schedule.end(Cell("floor", "", 0, "fred"), "skipped")) == []
    assert ids(schedule.take()) == ["floor/seed0/mmd", "score/a/seed0/fred"]
    assert list(schedule.end(Cell("score", "a", 0, "fred"), "crashed")) == []
    assert ids(schedule.take()) == ["score/a/seed0/mmd"]


def test_what_lacks_a_result_is_named_with_the_cell_that_failed(plan):
    schedule = Schedule(plan)
    schedule.take()
    train, sample = Cell("train", "a", 0), Cell("sample", "a", 0)
    assert list(schedule.end(train, "failed")) == [(sample, train)]
    without = list(schedule.end(sample, "skipped"))
    assert ids(cell for cell, _ in without) == [f"score/a/seed0/{name}" for name in ("gc", "fred", "mmd", "mmd@kmer")]
    assert {needed for _, needed in without} == {sample}
    left = ids(schedule.abandon())
    assert "score/b/seed0/gc" in left
    assert "train/a/seed0" not in left
    assert schedule.take() == []


def test_a_generator_that_takes_multiples_of_a_length_says_which_would_do():
    spec = GeneratorSpec(name="m", target="m:M", summary="-", lengths=(32, 256), length_multiple=16)
    check_length(spec, 64)
    with pytest.raises(UserError, match="m takes lengths that are multiples of 16 bp; these have 60 bp: --length 48"):
        check_length(spec, 60)
    with pytest.raises(UserError, match="m takes lengths from 32 to 256 bp; these sequences have 16 bp"):
        check_length(spec, 16)
