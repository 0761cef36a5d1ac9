"""Facts and tables on disk: cells, names, reading, publishing, merging."""

from __future__ import annotations

import csv
import io
import multiprocessing
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dnabench import suites
from dnabench.errors import UserError
from dnabench.leaderboard import directory as directories
from dnabench.leaderboard import facts, names, published, reading
from dnabench.leaderboard.cells import from_text, to_text
from dnabench.leaderboard.merging import merge
from dnabench.plan import Plan, PlannedGenerator, PlannedMetric

CHECKOUT = Path(__file__).parents[2] / "leaderboards"
CONTROLS = suites.load(suites.DEFAULT).controls


def row(generator="alpha", seed=0, metric="gc", value=0.5, **other):
    return {
        "suite": "own", "dataset": "d", "dataset_sha256": "a" * 64, "split": "groups-50mer-80:10:10", "slice": "all",
        "generator": generator, "generator_version": 1, "options": "{}", "seed": seed, "metric": metric,
        "metric_version": 1, "embedder": "", "embedder_sha256": "", "direction": "lower", "value": value,
        "ci_low": round(value - 0.1, 9), "ci_high": round(value + 0.1, 9), "floor": 0.1, "n_generated": 60,
        "n_reference": 60, "status": "done", "error": "", **other,
    }  # fmt: skip


def board(path, *generators, value=0.5, **other):
    for name in generators:
        rows = [row(name, seed, value=value + seed / 100, **other) for seed in (0, 1)]
        published.publish_facts(path, "own", rows, {name: "model"})
    return path


def contents(path):
    return {file.relative_to(path).as_posix(): file.read_bytes() for file in path.rglob("*") if file.is_file()}


TEXTS = ("=cmd()", "+1", "-x", "@sum", "\tx", "\r=1", "'=1", "''-", "'plain", "-", 'a\r\nb,"c"', "\uff1dx", "", " =x")


@pytest.mark.parametrize("text", TEXTS)
def test_no_cell_of_text_begins_like_a_formula_and_reading_gives_it_back(text):
    written = facts.to_csv([row(error=text)], facts.COLUMNS)
    cell = list(csv.reader(io.StringIO(written, newline="")))[1][-1]
    assert cell[:1] not in tuple("=+-@\t\r\uff1d")
    (found,) = reading.parse(written, "here")
    assert found["error"] == text


@given(st.text())
def test_any_text_survives_a_cell(text):
    assert from_text(to_text(text)) == text
    assert from_text(to_text(text + "=")) == text + "="


def test_numbers_stay_numbers():
    assert [to_text(value) for value in (-0.03, -5, 1e-12, True, None)] == ["-0.03", "-5", "1e-12", "true", ""]


@pytest.mark.parametrize("name", ["markov", "markov=auto", "a-b=1.5", "x=+3"])
def test_names_of_generators(name):
    assert names.check_generator(name, "here") == name


@pytest.mark.parametrize(
    "name",
    ["", "../../x", "/etc/x", "a/b", "a\\b", "A", ".", "..", "a=", "a=b/c", "nul", "com1", "a:b", "a" * 200, "a\n"],
)
def test_names_that_are_no_files(name):
    with pytest.raises(UserError, match="cannot be the name of a generator"):
        names.check_generator(name, "here")


@pytest.mark.parametrize("name", ["", "..", ".x", "a/b", "C:", "x.", "x ", "aux", "a*"])
def test_names_that_are_no_suites(name):
    with pytest.raises(UserError, match="cannot be the name of a suite"):
        names.check_suite(name, "here")


def test_names_that_differ_in_case_alone():
    with pytest.raises(UserError, match="markov=A and markov=a would be one file"):
        names.check_distinct(["markov=A", "markov=a"], "here")


def damage(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


DAMAGE = {
    "a value that is text": (lambda p: damage(p, ",0.5,", ",high,"), "line 2: value is 'high'; it takes a number"),
    "a value that is nan": (lambda p: damage(p, ",0.5,", ",nan,"), "line 2: value is 'nan'"),
    "a seed that is text": (lambda p: damage(p, ",0,gc", ",x,gc"), "line 2: seed is 'x'; it takes a whole number"),
    "columns": (lambda p: damage(p, "n_reference", "n_real"),
                "column 'n_reference' missing, column 'n_real' not known"),
    "a cell less": (lambda p: damage(p, ",done,", ","), "line 2: has 21 cells, and the header 22"),
    "a row twice": (lambda p: p.write_text(p.read_text() + p.read_text().splitlines()[-1] + "\n"),
                    "line 4: alpha seed 1, slice all, gc is there twice"),
    "rows unsorted": (lambda p: p.write_text("\n".join([(t := p.read_text().splitlines())[0], t[2], t[1]]) + "\n"),
                      "line 3: alpha seed 0, slice all, gc is out of order"),
    "another's rows": (lambda p: damage(p, ",alpha,", ",beta,"), "generator is 'beta'; in this file it is 'alpha'"),
    "two versions": (lambda p: damage(p, ",alpha,1,", ",alpha,2,"), "generator_version is 1, and 2 above"),
    "digits": (lambda p: damage(p, ",0.5,", ",0.50,"), "line 2, column value: '0.50' should be '0.5'"),
    "line ends": (lambda p: p.write_bytes(p.read_bytes().replace(b"\n", b"\r\n")), "not as dnabench writes it"),
    "not UTF-8": (lambda p: p.write_bytes(b"\xe4" + p.read_bytes()), "line 1: byte 0xe4 is not UTF-8"),
    "empty": (lambda p: p.write_text(""), "is empty"),
    "no rows": (lambda p: p.write_text(p.read_text().splitlines()[0] + "\n"), "holds no facts"),
    "an open quote": (lambda p: p.write_text(p.read_text() + '"'), "not CSV"),
    "no value": (lambda p: damage(p, ",0.5,", ",,"), "no value with status 'done'"),
    "gone": (lambda p: p.unlink(), "is missing, and .*own.csv lists alpha"),
    "another protocol": (lambda p: damage(p, ",60,60,", ",50,60,"), "has n_generated"),
    "a name": (lambda p: p.rename(p.with_name("no good.csv")), "'no good' cannot be the name of a generator"),
}  # fmt: skip


@pytest.mark.parametrize("what", DAMAGE)
def test_damaged_facts_are_one_clear_line_and_nobody_writes(tmp_path, what):
    board(tmp_path / "b", "alpha", "beta")
    spoil, message = DAMAGE[what]
    spoil(tmp_path / "b" / "own" / "alpha.csv")
    before = contents(tmp_path / "b")
    with pytest.raises(UserError, match=message) as caught:
        published.build(tmp_path / "b")
    assert len(str(caught.value).splitlines()) == 1
    with pytest.raises(UserError):
        board(tmp_path / "b", "gamma")
    assert contents(tmp_path / "b") == before


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("alpha", "../../alpha", "'../../alpha' cannot be the name of a generator"),
        ("model", "modell", "kind 'modell' is none of model, baseline, control"),
        ("mean_rank", "mean", "column 'mean_rank' missing"),
        ("\n1,", "\none,", "rank is 'one'; it takes a whole number"),
    ],
)
def test_damaged_tables(tmp_path, old, new, message):
    board(tmp_path / "b", "alpha", "beta")
    damage(tmp_path / "b" / "own.csv", old, new)
    with pytest.raises(UserError, match=message):
        directories.load(tmp_path / "b", "own")


def publish_one(path, number, barrier):
    barrier.wait()
    board(path, f"model-{number}", value=0.1 * number)


@pytest.mark.slow
def test_eight_processes_that_publish_at_once_lose_nothing(tmp_path):
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(8)
    workers = [context.Process(target=publish_one, args=(tmp_path / "b", n, barrier)) for n in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0] * 8
    expected = {f"model-{n}" for n in range(8)}
    assert {path.stem for path in (tmp_path / "b" / "own").iterdir()} == expected
    table = tmp_path / "b" / "own.csv"
    assert {line["generator"] for line in reading.parse_leaderboard(table.read_text(), table)} == expected
    for n in range(8):
        board(tmp_path / "one", f"model-{n}", value=0.1 * n)
    assert contents(tmp_path / "one") == contents(tmp_path / "b")


def test_kinds_stay_as_the_table_has_them_or_are_those_of_installed_plugins(tmp_path):
    published.publish_facts(tmp_path, "own", [row("alpha")], {"alpha": "control"})
    published.publish_facts(tmp_path, "own", [row("markov=3")], {"markov=3": "model"})
    assert directories.load(tmp_path, "own").kinds == {"alpha": "control", "markov=3": "model"}
    (tmp_path / "own.csv").unlink()
    (tmp_path / "own" / "alpha.csv").unlink()
    assert directories.load(tmp_path, "own").kinds == {"markov=3": "baseline"}
    published.publish_facts(tmp_path, "own", [row("alpha")], {"alpha": "control"})
    (tmp_path / "own.csv").unlink()
    with pytest.raises(UserError, match="does not list alpha, and no installed plugin is called alpha"):
        published.build(tmp_path)


def test_merge_is_the_union(tmp_path):
    a, b = board(tmp_path / "a", "alpha", "both"), board(tmp_path / "b", "both", "gamma")
    published.publish_facts(a, "other", [row("alpha", suite="other")], {"alpha": "model"})
    merge(a, b, tmp_path / "ab")
    merge(b, a, tmp_path / "ba")
    whole = board(tmp_path / "whole", "gamma", "both", "alpha")
    shutil.copytree(a / "other", whole / "other")
    shutil.copy(a / "other.csv", whole)
    assert contents(tmp_path / "ab") == contents(whole) == contents(tmp_path / "ba")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "ab", "b", "ba", "whole"]


def test_seeds_of_one_generator_are_united(tmp_path):
    for side, seed in (("a", 0), ("b", 1)):
        published.publish_facts(tmp_path / side, "own", [row(seed=seed)], {"alpha": "model"})
    (known,) = merge(tmp_path / "a", tmp_path / "b", tmp_path / "c")
    assert [fact["seed"] for fact in known.facts] == [0, 1]


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ({"value": 0.7}, "a/own/alpha.csv has value 0.5 for alpha seed 0, slice all, gc, but .*/b/own/alpha.csv has "
                         "value 0.7 for alpha seed 0, slice all, gc"),
        ({"generator_version": 2}, "has generator_version 1 .* has generator_version 2"),
        ({"options": '{"x":1}'}, 'has options {} .* has options {"x":1}'),
        ({"floor": None}, "has floor 0.1 .* has floor nothing"),
    ],
)  # fmt: skip
def test_a_conflict_names_both_cells_and_writes_nothing(tmp_path, other, message):
    a, b = board(tmp_path / "a", "alpha"), board(tmp_path / "b", "alpha", "beta", **other)
    with pytest.raises(UserError, match=message):
        merge(a, b, tmp_path / "c")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]


def test_protocols_are_not_merged_and_nothing_is_overwritten(tmp_path):
    a, b = board(tmp_path / "a", "alpha"), board(tmp_path / "b", "beta", n_generated=50)
    with pytest.raises(UserError, match="alpha has n_generated 60 for gc, beta 50"):
        merge(a, b, tmp_path / "c")
    with pytest.raises(UserError, match="is there already"):
        merge(a, a, b)


def plan(**other):
    generator = PlannedGenerator(
        name="beta", plugin="beta", version=1, kind="model", distribution="x 1", device="cpu", devices=1, options={}
    )
    metric = PlannedMetric(
        name="gc", version=other.pop("metric_version", 1), direction="lower", family="f", distribution="x 1",
        options={}, embedder=other.pop("embedder", None), device="cpu", label="gc",
    )  # fmt: skip
    values = {
        "suite": "own", "dataset": "d", "dataset_sha256": "a" * 64, "published": (), "split": "groups-50mer-80:10:10",
        "length": 64, "n_train": 500, "n_generated": 60, "n_reference": 60, "seeds": (0, 1), "preset": "quick",
        "slices": (), "flags": (), "controls": CONTROLS, "device": "cpu", "threads": 1, "generators": (generator,),
        "metrics": (metric,),
    }  # fmt: skip
    return Plan(**{**values, **other})


def test_a_plan_of_the_same_protocol_may_be_published(tmp_path):
    published.check_plan(tmp_path / "new", plan())
    assert not (tmp_path / "new").exists()
    published.check_plan(board(tmp_path / "b", "alpha"), plan(), {"gc": ["", ""]})


def test_seeds_that_one_side_lacks_are_warned_of(tmp_path):
    board(tmp_path / "b", "alpha")  # seeds 0 and 1
    with pytest.warns(UserWarning, match="nobody there has seed 2: .* all others will be incomplete"):
        published.check_plan(tmp_path / "b", plan(seeds=(0, 1, 2)))
    with pytest.warns(UserWarning, match="others have seed 1, which this run lacks"):
        published.check_plan(tmp_path / "b", plan(seeds=(0,)))


@pytest.mark.parametrize(
    ("other", "digests", "message"),
    [
        ({"dataset_sha256": "b" * 64}, None, "alpha has dataset_sha256 'a+' for gc, this run 'b+'"),
        ({"split": "random-80:10:10"}, None, "alpha has split 'groups-50mer-80:10:10' for gc, this run 'random"),
        ({"n_generated": 50}, None, "alpha has n_generated 60 for gc, this run 50"),
        ({"n_reference": 50}, None, "alpha has n_reference 60 for gc, this run 50"),
        ({"metric_version": 2}, None, "alpha has metric_version 1 for gc, this run 2"),
        ({"embedder": "kmer"}, None, "alpha has embedder '' for gc, this run 'kmer'"),
        ({}, {"gc": ["", "c" * 64]}, "alpha has embedder_sha256 '' for gc, this run 'c+'"),
        ({"suite": "../own"}, None, "'../own' cannot be the name of a suite"),
    ],
)
def test_a_plan_of_another_protocol_is_refused(tmp_path, other, digests, message):
    with pytest.raises(UserError, match=message):
        published.check_plan(board(tmp_path / "b", "alpha"), plan(**other), digests)


def test_a_suite_with_controls_of_its_own_needs_its_file_beside_the_table(tmp_path):
    text = 'samples = 60\nmetrics = ["gc"]\nseeds = [0]\n[dataset]\nname = "d"\n[controls]\nmemoriser = "copycat"\n'
    (tmp_path / "own.toml").write_text(text)
    controls = suites.load(str(tmp_path / "own.toml")).controls
    with pytest.raises(UserError, match="copy the suite's file to .*b/own.toml"):
        published.check_plan(tmp_path / "b", plan(controls=controls))
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "own.toml").write_text(text)
    published.check_plan(tmp_path / "b", plan(controls=controls))


def test_the_published_tables_follow_from_their_facts():
    for suite in directories.suites_in(CHECKOUT):
        assert published.difference(directories.load(CHECKOUT, suite)) == ""
