from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import pytest

from dnabench import SequenceSet, suites
from dnabench.data.source import load
from dnabench.plugins import load_catalog

RUN = ("run", "--generator", "markov,composition", "--metrics", "mmd@kmer,motif-kl", "--seeds", "0-1",
       "--set", "markov.order=2")  # fmt: skip


RESULTS_HEADER = (
    "suite,dataset,dataset_sha256,split,slice,generator,generator_version,options,seed,metric,metric_version,embedder,"
    "embedder_sha256,direction,value,ci_low,ci_high,floor,n_generated,n_reference,status,error"
)
BOARD_HEADER = (
    "rank,generator,generator_version,kind,seeds,complete,mean_rank,tied_with,flags,"
    "mmd@kmer,mmd@kmer_ci_low,mmd@kmer_ci_high,motif-kl,motif-kl_ci_low,motif-kl_ci_high"
)


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


class Done(NamedTuple):
    """A run that has ended: its directory, its store, what it printed."""

    out: Path
    store: Path
    printed: str


@pytest.fixture(scope="module")
def done(shared_promoters, tmp_path_factory) -> Done:
    """A run of RUN in a process of its own."""
    home = tmp_path_factory.mktemp("done")
    command = [sys.executable, "-m", "dnabench", *RUN, "--dataset", shared_promoters,
               "--out", home / "run", "--store", home / "store"]  # fmt: skip
    ended = subprocess.run(command, check=True, capture_output=True, text=True)
    return Done(home / "run", home / "store", ended.stdout)


def test_a_run_writes_what_the_design_says(done):
    out = done.out
    assert "markov" in done.printed
    results = rows_of((out / "results.csv").read_text())
    assert list(results[0]) == RESULTS_HEADER.split(",")
    controls = {"holdout", "bootstrap", "dinucleotide-shuffle", "random"}
    assert {row["generator"] for row in results} == {"markov", "composition"} | controls
    whole = [row for row in results if "." not in row["metric"]]
    assert len(whole) == 6 * 2 * 2
    assert {row["metric"] for row in results} - {"mmd@kmer", "motif-kl", "mmd@kmer.normalised"} == {
        f"motif-kl.{part}" for part in ("tata-box", "initiator", "ccaat-box", "gc-box")
    }
    scaled = {(r["generator"], r["seed"]): float(r["value"]) for r in results if r["metric"] == "mmd@kmer.normalised"}
    assert all(scaled["random", seed] == 1 for seed in ("0", "1"))
    assert len(scaled) == 6 * 2
    assert all(row["status"] == "done" and row["value"] and row["floor"] for row in results)
    assert all(float(row["ci_low"]) <= float(row["value"]) <= float(row["ci_high"]) for row in whole)
    assert {(row["n_generated"], row["n_reference"]) for row in results} == {("70", "70")}
    assert {row["embedder"] for row in results if row["metric"] == "mmd@kmer"} == {"kmer"}
    assert all(len(row["embedder_sha256"]) == 64 for row in results if row["embedder"])
    markov = next(row for row in results if row["generator"] == "markov")
    assert json.loads(markov["options"])["order"] == 2
    board = rows_of((out / "leaderboard.csv").read_text())
    assert list(board[0]) == BOARD_HEADER.split(",")
    assert {row["generator"] for row in board if row["rank"]} == {"markov", "composition", "random"}
    assert [row["rank"] for row in board][3:] == ["", "", ""]
    assert {row["generator"] for row in board if row["kind"] == "control"} == controls - {"random"}
    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest["plan"]["n_generated"] == 70
    assert "torch" in manifest["provenance"]["packages"]
    assert len(rows_of((out / "timings.csv").read_text())) == 2 * 2 + 6 * 2 + 6 * 2 + 6 * 2 * 2
    samples = [SequenceSet.from_fasta(out / "samples" / "markov" / f"seed{seed}.fa.gz") for seed in (0, 1)]
    assert [sample.codes.shape for sample in samples] == [(70, 64), (70, 64)]
    assert not set(samples[0].strings()) & set(samples[1].strings())
    assert (out / "models" / "markov" / "seed1" / "dnabench.json").is_file()


def test_the_same_command_gives_the_same_bytes_in_another_process(done, dnabench, promoters, tmp_path):
    assert dnabench(*RUN, "--dataset", promoters, "--out", tmp_path / "b").code == 0
    timings = rows_of((tmp_path / "b" / "timings.csv").read_text())
    assert {row["cached"] for row in timings} == {"false"}
    assert (tmp_path / "b" / "results.csv").read_bytes() == (done.out / "results.csv").read_bytes()


def test_controls_are_what_they_say(dnabench, promoters, tmp_path):
    dnabench("run", "-g", "markov", "-m", "mmd@kmer", "--dataset", promoters, "--out", tmp_path / "run", "--seeds", "0")
    data = load(load_catalog([]), suites.load("promoters-sim-v1"), tmp_path, dataset=[str(promoters)])
    train, validation, test = (set(part.strings()) for part in (data.train, data.validation, data.test))

    def drawn(name):
        return SequenceSet.from_fasta(tmp_path / "run" / "samples" / name / "seed0.fa.gz").strings()

    assert set(drawn("holdout")) <= validation
    assert not validation & (train | test)
    assert set(drawn("bootstrap")) <= train
    counts = [sorted(Counter(pairwise(text)).items()) for text in data.train.strings()]
    assert all(sorted(Counter(pairwise(text)).items()) in counts for text in drawn("dinucleotide-shuffle")[:20])
    assert not set(drawn("dinucleotide-shuffle")) & train


def test_only_the_held_out_control_is_bound_by_the_number_of_held_out_sequences(dnabench, promoters):
    run = ("run", "-m", "mmd@kmer", "--dataset", promoters, "--samples", "100", "--no-controls", "--seeds", "0", "-g")
    ended = dnabench(*run, "bootstrap", "--format", "csv")
    assert ended.code == 0
    (row,) = rows_of(ended.out)
    assert (row["n_generated"], row["n_reference"], row["floor"]) == ("100", "70", "")
    refused = dnabench(*run, "holdout")
    assert refused.code == 2
    assert "the control holdout has only 70 held-out sequences" in refused.err


def test_a_suite_keeps_its_name_only_with_its_own_protocol(dnabench):
    def suite(*options):
        ended = dnabench("run", "-g", "random", "--dry-run", "--format", "json", "--no-controls", *options)
        return json.loads(ended.out)["plan"]["suite"]

    assert suite("--metrics", "swd@kmer", "--seeds", "0") == "promoters-sim-v1"
    assert suite("--metrics", "swd@kmer", "--set", "swd.projections=5") == "custom"
    assert suite("--metrics", "swd@kmer", "--length", "128") == "custom"


def test_adding_a_generator_moves_nobody_elses_numbers(dnabench, promoters, tmp_path):
    def rows(*generators: str) -> dict[tuple[str, str, str], str]:
        ended = dnabench(
            "run", "-g", ",".join(generators), "-m", "mmd@kmer", "--dataset", promoters, "--format", "csv", "--fresh",
            "--no-controls", "--out", tmp_path / "-".join(generators),
        )  # fmt: skip
        assert ended.code == 0
        return {(row["generator"], row["seed"], row["metric"]): row["value"] for row in rows_of(ended.out)}

    alone, together = rows("markov"), rows("composition", "markov")
    assert alone.items() < together.items()


def test_a_finished_run_is_continued_from_the_store(done, shared_promoters, dnabench):
    run = (*RUN, "--dataset", shared_promoters, "--out", done.out, "--store", done.store)
    before = (done.out / "results.csv").read_bytes()
    (done.out / "results.csv").unlink()
    again = dnabench(*run)
    assert again.code == 0
    assert (done.out / "results.csv").read_bytes() == before
    timings = rows_of((done.out / "timings.csv").read_text())
    samples = [row for row in timings if row["cell"] == "sample"]
    assert {row["cached"] for row in samples} == {"true"}
    assert all(float(row["seconds"]) > 0 for row in samples)  # what they took when they were drawn
    assert again.out == done.printed
    other = dnabench(*run, "--set", "markov.order=1")
    assert other.code == 2
    assert "holds a run of another plan" in other.err


FAILING = """
from dnabench import GeneratorSpec, hookimpl

@hookimpl
def dnabench_generators():
    yield GeneratorSpec(name="broken", target="failing_dna:Broken", summary="fails")
    yield GeneratorSpec(name="cheat", target="failing_dna:Cheat", summary="looks for held-out data")
    yield GeneratorSpec(name="miscounts", target="failing_dna:Miscounts", summary="returns too few")

class Broken:
    def fit(self, train, *, context):
        raise RuntimeError("out of\\nluck")

class Cheat:
    def fit(self, train, *, context):
        self.codes = context.held_out.codes

class Miscounts:
    def fit(self, train, *, context):
        pass

    def save(self, directory):
        pass

    load = save

    def sample(self, n, *, context):
        return context.rng.integers(0, 4, (n - 1, context.length), dtype="uint8")
"""


def test_a_failing_generator_stops_nobody_else(dnabench, promoters, tmp_path, install):
    install("failing_dna", FAILING)
    run = ("run", "-g", "broken,cheat,miscounts,markov", "-m", "mmd@kmer", "--dataset", promoters, "--no-controls")
    ended = dnabench(*run, "--out", tmp_path / "run")
    assert ended.code == 1
    results = rows_of((tmp_path / "run" / "results.csv").read_text())
    by_name = {row["generator"]: (row["status"], row["error"], row["value"] != "") for row in results}
    assert by_name["broken"] == ("failed", "RuntimeError: out of luck", False)
    assert by_name["cheat"][:2] == ("failed", "AttributeError: 'NoneType' object has no attribute 'codes'")
    assert by_name["miscounts"][1] == "ValueError: the generator returned shape (69, 64); (70, 64) was asked for"
    assert by_name["markov"] == ("done", "", True)
    board = {row["generator"]: row for row in rows_of((tmp_path / "run" / "leaderboard.csv").read_text())}
    assert (board["broken"]["complete"], board["broken"]["rank"]) == ("false", "")
    assert board["markov"]["rank"] == "1"
    assert not (tmp_path / "run" / "samples" / "broken").exists()


def test_a_plugin_that_cannot_be_imported_is_reported_and_the_rest_works(dnabench, install):
    install("broken_dna", "import no_such_module")
    ended = dnabench("list", "generators")
    assert ended.code == 0
    assert "markov" in ended.out
    assert "plugin broken_dna (broken_dna 1.0) failed to load: ModuleNotFoundError" in ended.err
    assert dnabench("list", "generators", "--no-plugin", "broken_dna").err == ""


OBSERVER = """
from dnabench import hookimpl

@hookimpl
def dnabench_cell_finished(cell, result):
    with open("observed.txt", "a") as file:
        file.write(f"{cell.kind} {result.status}\\n")
    if cell.kind == "floor":
        raise RuntimeError("observer's fault")
"""


def test_observers_see_every_cell_and_change_nothing(dnabench, promoters, install):
    install("observer_dna", OBSERVER)
    ended = dnabench(
        "run", "-g", "markov", "-m", "mmd@kmer", "--dataset", promoters, "--seeds", "0", "--no-controls", "--out", "run"
    )
    assert ended.code == 0
    assert sorted(Path("observed.txt").read_text().split()[::2]) == ["floor", "sample", "score", "train"]
    assert set(Path("observed.txt").read_text().split()[1::2]) == {"done"}
    assert "observer observer_dna: RuntimeError: observer's fault" in ended.err


TALKATIVE = """
import numpy as np
from dnabench import GeneratorSpec, hookimpl

@hookimpl
def dnabench_generators():
    yield GeneratorSpec(name="talkative", target="talkative_dna:Talkative", summary="prints")
    yield GeneratorSpec(name="quitter", target="talkative_dna:Quitter", summary="exits")

class Talkative:
    def fit(self, train, *, context):
        print("epoch 1 loss 3.2")

    def sample(self, n, *, context):
        return context.rng.integers(0, 4, (n, context.length), dtype=np.uint8)

    def save(self, directory):
        pass

    load = save

class Quitter(Talkative):
    def fit(self, train, *, context):
        raise SystemExit(0)
"""


def test_what_plugins_print_stays_off_stdout_and_none_can_end_the_run(dnabench, promoters, install):
    install("talkative_dna", TALKATIVE)
    run = ("run", "-m", "mmd@kmer", "--dataset", promoters, "--seeds", "0", "--no-controls", "--format", "csv", "-g")
    ended = dnabench(*run, "talkative,quitter")
    assert ended.code == 1
    assert ended.out.startswith(RESULTS_HEADER)
    (run,) = Path("runs").iterdir()
    assert (run / "logs" / "train" / "talkative" / "seed0.txt").read_text() == "epoch 1 loss 3.2\n"
    assert {row["generator"]: row["status"] for row in rows_of(ended.out)} == {"talkative": "done", "quitter": "failed"}


FAULTY_DATA = """
from dnabench import DatasetSpec, hookimpl

@hookimpl
def dnabench_datasets():
    yield DatasetSpec(name="faulty", target="faulty_dna:Faulty", summary="fails")

class Faulty:
    def load(self, *, context):
        raise RuntimeError("no such luck")
"""


def test_an_internal_error_is_one_line_and_exit_code_3(dnabench, install):
    install("faulty_dna", FAULTY_DATA)
    ended = dnabench("run", "-g", "markov", "-m", "mmd@kmer", "--dataset", "faulty")
    assert ended.code == 3
    assert ended.err.strip() == "dnabench: internal error: RuntimeError: no such luck (--debug shows where)"


def test_more_sequences_from_a_trained_model(dnabench, promoters, tmp_path):
    run = ("run", "-g", "markov", "-m", "mmd@kmer", "--dataset", promoters, "--seeds", "0", "--no-controls")
    assert dnabench(*run, "--out", tmp_path / "run").code == 0
    model = tmp_path / "run" / "models" / "markov" / "seed0"
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        assert dnabench("sample", model, "--n", "33", "-o", tmp_path / f"{name}.fa.gz", "--seed", seed).code == 0
    drawn = {name: SequenceSet.from_fasta(tmp_path / f"{name}.fa.gz") for name in "abc"}
    assert drawn["a"].codes.shape == (33, 64)
    assert drawn["a"].digest == drawn["b"].digest != drawn["c"].digest


def test_config_file_and_set_give_the_same_plan(dnabench, promoters, tmp_path):
    (tmp_path / "options.toml").write_text("[markov]\norder = 3\n")
    common = ("run", "-g", "markov", "-m", "mmd@kmer", "--dataset", promoters, "--dry-run", "--format", "json")
    by_file = json.loads(dnabench(*common, "--config", tmp_path / "options.toml").out)
    by_set = json.loads(dnabench(*common, "--set", "markov.order=3").out)
    assert by_file["plan"] == by_set["plan"]
    both = json.loads(dnabench(*common, "--config", tmp_path / "options.toml", "--set", "markov.order=4").out)
    assert both["plan"]["generators"][0]["options"]["order"] == 4


@pytest.mark.parametrize("format", ["csv", "json"])
def test_stdout_holds_the_result_and_nothing_else(dnabench, promoters, format):
    ended = dnabench(
        "run", "-g", "markov", "-m", "mmd@kmer", "--dataset", promoters, "--no-controls", "--format", format
    )
    rows = rows_of(ended.out) if format == "csv" else json.loads(ended.out)["results"]
    assert {row["generator"] for row in rows} == {"markov"}
    assert len(list(Path("runs").glob("*-promoters"))) == 1


def test_variants_of_a_generator_are_rows_of_their_own(dnabench, promoters, tmp_path):
    ended = dnabench("run", "-g", "markov=1,markov=3", "-m", "mmd@kmer", "--dataset", promoters, "--seeds", "0",
                     "--no-controls", "--format", "csv", "--out", tmp_path / "run")  # fmt: skip
    rows = rows_of(ended.out)
    orders = {row["generator"]: json.loads(row["options"])["order"] for row in rows}
    assert orders == {"markov=1": 1, "markov=3": 3}
    assert len({row["value"] for row in rows}) == 2
    drawn = tmp_path / "more.fa"
    assert dnabench("sample", tmp_path / "run" / "models" / "markov=3" / "seed0", "--n", 3, "-o", drawn).code == 0
    assert len(SequenceSet.from_fasta(drawn)) == 3
