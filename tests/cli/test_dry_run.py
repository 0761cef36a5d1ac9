"""What a dry run says of every cell: whether the store has it, and if not, what changed."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

RUN = ("run", "-g", "markov", "-m", "motif-kl,swd@kmer", "--no-controls", "--seeds", "0")


@pytest.fixture
def cells(dnabench, promoters):
    """``cells("--set", ...)``: id -> what a dry run with these options says of the cell."""

    def call(*more: object, run: tuple = RUN) -> dict[str, dict]:
        ended = dnabench(*run, "--dataset", promoters, "--dry-run", "--format", "json", *more)
        assert ended.code == 0, ended.err
        return {cell["id"]: cell for cell in json.loads(ended.out)["cells"]}

    return call


@pytest.fixture
def done(dnabench, promoters):
    """The run, done."""
    assert dnabench(*RUN, "--dataset", promoters, "--out", "done").code == 0


def test_nothing_is_stored_at_first_and_everything_after_the_run(dnabench, promoters, cells):
    before = cells()
    assert {cell["stored"] for name, cell in before.items() if not name.startswith("score")} == {False}
    assert {cell["stored"] for name, cell in before.items() if name.startswith("score")} == {None}
    assert {len(cell["changed"]) for cell in before.values()} == {0}
    assert list(Path.cwd().iterdir()) == []
    assert dnabench(*RUN, "--dataset", promoters, "--out", "done").code == 0
    assert {cell["stored"] for cell in cells().values()} == {True}
    assert {cell["stored"] for cell in cells("--fresh").values()} == {False, None}


def test_a_changed_option_is_named_where_it_matters(done, cells):
    found = cells("--set", "markov.order=3")
    assert found["train/markov/seed0"]["changed"] == ["options.order: 5 -> 3"]
    assert found["sample/markov/seed0"]["changed"] == ["options.order: 5 -> 3"]
    assert found["score/markov/seed0/motif-kl"]["stored"] is None
    assert found["floor/seed0/motif-kl"]["stored"] is True
    found = cells("--set", "swd.projections=10")
    assert found["score/markov/seed0/swd@kmer"]["changed"] == ["options.projections: 500 -> 10"]
    assert found["score/markov/seed0/motif-kl"]["stored"] is True


def test_other_counts_seeds_lengths_and_data_are_named(done, cells, promoters, labelled):
    assert cells("--samples", "60")["sample/markov/seed0"]["changed"] == ["n: 70 -> 60"]
    assert cells("--samples", "60")["train/markov/seed0"]["stored"] is True
    assert cells(run=(*RUN[:-1], "1"))["train/markov/seed1"]["changed"] == ["seed: 0 -> 1"]
    assert cells("--threads", "2")["train/markov/seed0"]["changed"] == ["threads: 1 -> 2"]
    assert "length: 64 -> 48" in cells("--length", "48")["train/markov/seed0"]["changed"]


def test_changed_code_is_named(dnabench, promoters, wild, cells, tmp_path):
    run = ("run", "-g", "good", "-m", "motif-kl", "--no-controls", "--seeds", "0")
    assert dnabench(*run, "--dataset", promoters, "--out", "good").code == 0
    plugin = tmp_path / "site" / "wild_dna.py"
    plugin.write_text(plugin.read_text() + "\n# another version\n")
    (change,) = cells(run=run)["train/good/seed0"]["changed"]
    assert change.startswith("package: ")
    assert change.count("...") == 2


def test_the_table_and_csv_say_the_same(done, dnabench, promoters):
    more = ("--dataset", promoters, "--dry-run", "--set", "markov.order=3")
    lines = dnabench(*RUN, *more).out.splitlines()
    assert "train markov seed 0           to do (options.order: 5 -> 3)" in lines
    assert "floor seed 0 motif-kl         stored" in lines
    assert "score markov seed 0 swd@kmer  known once its sample is there" in lines
    rows = list(csv.DictReader(io.StringIO(dnabench(*RUN, *more, "--format", "csv").out)))
    assert {row["cell"]: (row["stored"], row["changed"]) for row in rows}["train markov seed 0"] == (
        "false",
        "options.order: 5 -> 3",
    )
