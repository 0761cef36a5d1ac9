"""What is done with the outcomes of checks: counted, expected to fail, turned into tests and printed."""

from __future__ import annotations

import json

import pytest

from dnabench import GeneratorSpec, UserError
from dnabench.specs import DatasetSpec, EmbedderSpec, MetricSpec
from dnabench.testing import Outcome, Report, Setup, check, checks_of, parametrize_checks

KINDS = (GeneratorSpec, MetricSpec, EmbedderSpec, DatasetSpec)


@pytest.mark.parametrize("kind", KINDS)
def test_every_check_says_what_is_promised_and_needs_earlier_ones(kind):
    seen: set[str] = set()
    for one in checks_of(kind):
        assert one.promise.endswith((".", ")."))
        assert len(one.promise) > 15
        assert one.name not in seen
        assert seen.issuperset(one.needs)
        seen.add(one.name)


def report(*statuses: str) -> Report:
    return Report("x", "metric", "x 1.0", tuple(Outcome(f"c{i}", "p", s) for i, s in enumerate(statuses)))


def test_a_report_counts_and_is_not_green_where_none_ran():
    mixed = report("passed", "failed", "skipped", "expected", "passed")
    assert mixed.summary == "2 passed, 1 failed, 1 skipped, 1 failed as expected, of 5 checks"
    assert not mixed.ok
    assert report("expected", "skipped").ok
    assert not report("skipped", "skipped").ok
    assert "none ran" in report("skipped").summary
    assert not report().ok


@pytest.mark.usefixtures("faulty")
def test_a_failure_may_be_expected_and_must_then_come():
    why = "no time"
    (expected,) = check("double", setup=Setup(expected={"float32": why}))
    assert expected.ok
    assert [(o.check, o.why) for o in expected.outcomes if o.status == "expected"] == [("float32", why)]
    (wrongly,) = check("good-vectors", setup=Setup(expected={"float32": why}))
    assert wrongly.failed == ["float32"]


@pytest.mark.usefixtures("faulty")
def test_one_check_alone_has_those_done_that_it_needs():
    (alone,) = check("normalises", setup=Setup(only=("one_by_one",)))
    assert [(o.check, o.status) for o in alone.outcomes] == [("one_by_one", "failed")]
    (needed,) = check("drops-out", setup=Setup(only=("one_by_one",)))
    assert [o.why for o in needed.outcomes] == ["it needs order_does_not_matter to pass"]
    assert not needed.ok


@pytest.mark.usefixtures("faulty")
@pytest.mark.parametrize(
    ("name", "setup", "message"),
    [
        ("goood", Setup(), "no plugin named 'goood'; did you mean good"),
        ("good", Setup(only=("exactn",)), "no check of good is named 'exactn'; did you mean exact_n"),
        ("good", Setup(expected={"exactn": "x"}), "no check of good is named 'exactn'"),
        ("good", Setup(options={"size": 3}), "good has no option 'size'"),
    ],
)
def test_what_cannot_be_checked(name, setup, message):
    with pytest.raises(UserError, match=message):
        check(name, setup=setup)


@pytest.mark.usefixtures("faulty")
def test_pytest_gets_a_test_for_each_check():
    mark = parametrize_checks("narrow", expected={"float32": "no time"}).mark
    name, parameters = mark.args
    assert name == "check"
    tests = {parameter.id.removeprefix("narrow-embedder-"): parameter.values[0] for parameter in parameters}
    assert list(tests) == [one.name for one in checks_of(EmbedderSpec)] + ["some_checks_ran"]
    tests["embeds"]()
    tests["some_checks_ran"]()
    with pytest.raises(pytest.fail.Exception, match="expected 5 dimensions, as the record says; saw 4"):
        tests["dimension_of_record"]()
    with pytest.raises(pytest.skip.Exception, match="needs no training"):
        tests["saved_and_loaded"]()
    with pytest.raises(pytest.fail.Exception, match=r"was expected to fail \(no time\) and passed"):
        tests["float32"]()


@pytest.mark.usefixtures("faulty")
def test_pytest_knows_expected_failures_and_that_none_ran():
    mark = parametrize_checks("double", expected={"float32": "no time"}, only=["float32"]).mark
    with pytest.raises(pytest.xfail.Exception, match="no time"):
        mark.args[1][0].values[0]()
    mark = parametrize_checks("good-vectors", only=["saved_and_loaded"]).mark
    with pytest.raises(pytest.fail.Exception, match="none ran, which is a failure"):
        mark.args[1][-1].values[0]()


@pytest.mark.usefixtures("faulty")
def test_the_command_prints_a_table_or_json_and_its_exit_code_says_how_it_went(dnabench):
    done = dnabench("check", "good-vectors")
    assert done.code == 0
    assert done.err == ""
    first, *_, last = done.out.splitlines()
    assert first == "good-vectors (embedder, faulty_dna 1.0)"
    assert last == "9 passed, 0 failed, 2 skipped, 0 failed as expected, of 11 checks"
    assert "  float32                      passed   Vectors are float32." in done.out.splitlines()

    failed = dnabench("check", "double", "--format", "json")
    assert failed.code == 1
    (report,) = json.loads(failed.out)
    assert report["counts"] == {"passed": 8, "failed": 1, "skipped": 2, "expected": 0}
    (outcome,) = (outcome for outcome in report["outcomes"] if outcome["status"] == "failed")
    assert outcome["check"] == "float32"
    assert outcome["why"].startswith("expected dtype float32; saw float64. ")
    assert not report["ok"]
    assert dnabench("check", "double", "--expect", "float32=no time").code == 0


@pytest.mark.usefixtures("faulty")
@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["nothing"], 2, "no plugin named 'nothing'"),
        (["good", "--set", "markov.order=3"], 2, "options of markov are set, but markov takes no part here"),
        (["good", "--set", "good.batch=0"], 2, "option good.batch is 0; it must be at least 1"),
        (["double", "--expect", "float32"], 2, "--expect float32: not of the form CHECK=WHY"),
    ],
)
def test_the_command_refuses(dnabench, arguments, code, message):
    ended = dnabench("check", *arguments)
    assert (ended.code, ended.out) == (code, "")
    assert message in ended.err


@pytest.mark.usefixtures("faulty")
def test_what_a_plugin_prints_goes_to_stderr(dnabench, install):
    install(
        "chatty_dna",
        "from dnabench import EmbedderSpec, hookimpl\n"
        "@hookimpl\ndef dnabench_embedders():\n"
        "    yield EmbedderSpec(name='chatty', target='chatty_dna:Chatty', summary='x', dimension=4)\n"
        "class Chatty:\n"
        "    def embed(self, sequences, *, context):\n"
        "        print('embedding')\n"
        "        import faulty_dna_others\n"
        "        return faulty_dna_others.GoodVectors().embed(sequences, context=context)\n",
    )
    ended = dnabench("check", "chatty", "--format", "json")
    assert ended.code == 0
    assert json.loads(ended.out)[0]["ok"]
    assert "embedding" in ended.err
