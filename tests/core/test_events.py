from __future__ import annotations

from datetime import UTC, datetime

import pytest

from dnabench import UserError
from dnabench.events import Events, read


def test_events_of_several_attempts_follow_each_other(tmp_path):
    path = tmp_path / "events.jsonl"
    before = datetime.now(UTC)
    for attempt in (1, 2):
        with Events(path) as events:
            events.write("run-started", attempt=attempt, error="Fréchet\nline")
    found = list(read(path))
    assert [(event["event"], event["attempt"]) for event in found] == [("run-started", 1), ("run-started", 2)]
    assert len(path.read_bytes().splitlines()) == 2
    when = datetime.fromisoformat(found[0]["time"])
    assert abs((when - before).total_seconds()) < 60


def test_a_line_that_was_cut_short_spoils_no_other(tmp_path):
    path = tmp_path / "events.jsonl"
    with Events(path) as events:
        events.write("one")
    path.write_bytes(path.read_bytes() + b'{"time": "2026')
    with Events(path) as events:
        events.write("two")
    assert [event["event"] for event in read(path)] == ["one", "two"]


def test_one_process_at_a_time(tmp_path):
    with Events(tmp_path / "events.jsonl"), pytest.raises(UserError, match="another process runs here at this moment"):
        Events(tmp_path / "events.jsonl")
    with Events(tmp_path / "events.jsonl") as events:
        events.write("one")


def test_a_file_that_cannot_be_written_is_a_users_error(tmp_path):
    assert list(read(tmp_path / "none.jsonl")) == []
    with pytest.raises(UserError, match="cannot be written"):
        Events(tmp_path)
