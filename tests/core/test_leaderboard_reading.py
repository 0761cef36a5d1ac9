"""What else than dnabench may have made of a file of facts, and what is said of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from dnabench.errors import UserError
from dnabench.leaderboard import facts, reading

SUITE = "promoters256-hs"
GOOD = (Path(__file__).parents[2] / "leaderboards" / SUITE / "gan.csv").read_bytes()
LINES = GOOD.count(b"\n")


def refused(path):
    with pytest.raises(UserError) as caught:
        reading.read_facts(path, SUITE, "gan")
    (line,) = str(caught.value).splitlines()
    return line.removeprefix(f"{path}: ")


CRLF = "ends in CRLF and not in LF (git's core.autocrlf does this): not as dnabench writes it"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (GOOD.replace(b"\n", b"\r\n"), f"line 1: {CRLF}"),
        (GOOD[:-1] + b"\r\n", f"line {LINES}: {CRLF}"),
        (GOOD[:-1], f"line {LINES}: does not end in LF"),
        (GOOD.decode().encode("utf-16"), "is UTF-16, and dnabench writes UTF-8"),
        (GOOD.decode().encode("utf-16-le"), "is UTF-16, and dnabench writes UTF-8"),
        (GOOD.decode().encode("utf-16-be"), "is UTF-16, and dnabench writes UTF-8"),
        (GOOD.decode().encode("utf-8-sig"), "begins with a byte order mark; dnabench writes UTF-8 without one"),
        (GOOD.replace(b",all,", ",äll,".encode("latin-1"), 1), "line 2: byte 0xe4 is not UTF-8, which dnabench writes"),
    ],
)
def test_line_ends_and_encodings(tmp_path, content, message):
    path = tmp_path / "gan.csv"
    path.write_bytes(content)
    assert message in refused(path)


def test_long_cells_are_shown_where_they_differ():
    one, other = ("a,flags\n1," + 20 * "alike;" + end + 90 * "!" + "\n" for end in ("this", "that"))
    assert reading.first_difference(one, other) == (
        f"line 2, column flags: '...{(19 * 'alike;' + 'alike;th')[-20:]}is{35 * '!'}...' should be "
        f"'...{(19 * 'alike;' + 'alike;th')[-20:]}at{35 * '!'}...'"
    )


@pytest.mark.parametrize("options", ["x", "[1]", "{ }", '{"b":1,"a":2}', '{"a":NaN}', '{"a":1}{', "[" * 9999, "null"])
def test_options_are_those_of_a_generator(tmp_path, options):
    path = tmp_path / "gan.csv"
    rows = [row | {"options": options} for row in reading.parse(GOOD.decode(), path)]
    path.write_text(facts.to_csv(rows, facts.COLUMNS))
    assert refused(path).startswith(f"line 2: options is '{options[:50]}")


@pytest.mark.parametrize("options", ["", "{}", '{"a":{"b":[1.5,null]},"c":"\\u00e4"}'])
def test_options_that_are_right(tmp_path, options):
    path = tmp_path / "gan.csv"
    rows = [row | {"options": options} for row in reading.parse(GOOD.decode(), path)]
    path.write_text(facts.to_csv(rows, facts.COLUMNS))
    assert {row["options"] for row in reading.read_facts(path, SUITE, "gan")} == {options}
