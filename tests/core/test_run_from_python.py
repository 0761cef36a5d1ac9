"""``dnabench.run``: the command line's comparison from Python, with objects among the generators."""

from __future__ import annotations

import random

import numpy as np
import pandas as pd
import pytest
import torch

import dnabench as library
from dnabench import SequenceSet, UserError
from dnabench.leaderboard.facts import COLUMNS, to_csv

SMALL = {"metrics": "gc,kmer-js", "samples": 60, "controls": False}


class Memoriser:
    """Draws training sequences again."""

    def __init__(self):
        self.known = None

    def fit(self, train):
        assert self.known is None  # every seed has a copy of its own
        self.known = train.codes

    def sample(self, n, *, rng):
        return self.known[rng.choice(len(self.known), n)]

    def save(self, directory):
        np.save(directory / "known.npy", self.known)


def uniform(n, *, seed, length):
    codes = np.random.default_rng(seed).integers(0, 4, (n, length))
    return ["".join("ACGT"[base] for base in row) for row in codes]


def test_installed_generators_have_the_results_of_the_command_line(dnabench, promoters, tmp_path):
    ended = dnabench("run", "--generator", "markov=2,composition", "--dataset", promoters, "--metrics", "gc,kmer-js",
                     "--samples", 60, "--seeds", "0,1", "--set", "markov.pseudocount=2", "--out", tmp_path / "a",
                     "--format", "csv")  # fmt: skip
    found = library.run(
        ["markov=2", "composition"], dataset=promoters, metrics=["gc", "kmer-js"], samples=60, seeds=[0, 1],
        options={"markov": {"pseudocount": 2}}, out=tmp_path / "b",
    )  # fmt: skip
    assert to_csv(found.results.to_dict("records"), COLUMNS).replace("nan", "") == ended.out
    assert found.directory == tmp_path / "b"  # absolute
    for table in ("results", "leaderboard"):
        name = f"{table}.csv"
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    assert (
        list(found.leaderboard["generator"])[:2] == list(pd.read_csv(tmp_path / "b" / "leaderboard.csv").generator)[:2]
    )
    assert set(found.timings["cell"]) == {"floor", "train", "sample", "score"}


def test_callables_and_objects_take_part(promoters, tmp_path):
    memoriser = Memoriser()
    found = library.run(
        [uniform, ("kept", memoriser), "composition"], dataset=promoters, seeds=[0, 1], out=tmp_path / "run", **SMALL
    )
    assert set(found.results["status"]) == {"done"}
    scores = found.leaderboard.set_index("generator")
    assert dict(scores["kind"]) == {"uniform": "model", "kept": "model", "composition": "baseline"}
    # Sequences that were seen have the k-mers of real ones; the frequencies of bases alone have not.
    assert scores.loc["kept", "kmer-js"] < scores.loc["composition", "kmer-js"]
    real = {row.tobytes() for row in SequenceSet.from_fasta(promoters).codes}
    drawn = [SequenceSet.from_fasta(tmp_path / "run" / "samples" / "kept" / f"seed{seed}.fa.gz") for seed in (0, 1)]
    assert all(row.tobytes() in real for part in drawn for row in part.codes)
    assert drawn[0].digest != drawn[1].digest
    assert np.load(tmp_path / "run" / "models" / "kept" / "seed0" / "known.npy").shape[1] == 64
    assert memoriser.known is None


def test_the_same_again_and_no_trace(promoters, tmp_path):
    def state():
        return random.random(), np.random.rand(), torch.rand(1).item(), torch.get_deterministic_debug_mode()

    def begin():
        random.seed(1)
        np.random.seed(1)
        torch.manual_seed(1)

    begin()
    expected = state()
    begin()
    first = library.run({"mine": uniform, "memory": Memoriser()}, dataset=promoters, seeds=[3], **SMALL)
    assert expected == state()
    again = library.run({"mine": uniform, "memory": Memoriser()}, dataset=promoters, seeds=[3], **SMALL)
    pd.testing.assert_frame_equal(first.results, again.results)
    assert first.directory != again.directory


def test_data_in_memory_are_those_of_a_file(promoters):
    sequences = SequenceSet.from_fasta(promoters)
    file = library.run("composition", dataset=promoters, seeds=[0], **SMALL)
    memory = library.run("composition", dataset=sequences, seeds=[0], **SMALL)
    assert list(file.results["value"]) == list(memory.results["value"])
    assert set(memory.results["dataset_sha256"]) == {sequences.digest}


def test_a_generator_that_raises_is_a_row(promoters):
    def broken(n):
        raise RuntimeError("no luck")

    def short(n, length):
        return np.zeros((n, length - 1), np.uint8)

    found = library.run([broken, short, "composition"], dataset=promoters, seeds=[0], **SMALL)
    errors = found.results.groupby("generator")["error"].first()
    assert errors["broken"] == "RuntimeError: no luck"
    assert errors["short"] == "ValueError: the generator returned shape (60, 63); (60, 64) was asked for"
    assert set(found.results.query("generator == 'composition'")["status"]) == {"done"}
    assert list(found.leaderboard["generator"]) == ["composition", "broken", "short"]


def test_answers_of_many_kinds(promoters):
    texts = uniform(60, seed=1, length=64)
    kinds = {
        "texts": texts,
        "generator": (text for text in texts),
        "array": np.array(texts),
        "objects": np.array(texts, object),
        "set": SequenceSet.from_strings(texts),
        "tensor": torch.from_numpy(SequenceSet.from_strings(texts).codes.copy()),
    }
    found = library.run({name: lambda n, kind=kind: kind for name, kind in kinds.items()}, dataset=promoters, seeds=[0],
                        metrics="gc", samples=60, controls=False)  # fmt: skip
    assert set(found.results["status"]) == {"done"}, found.results[["generator", "error"]]
    assert len(set(found.results.query("metric == 'gc'")["value"])) == 1


def test_one_copy_is_held_at_a_time(promoters):
    class Counted(Memoriser):
        alive = most = 0

        def __deepcopy__(self, memo):
            type(self).alive += 1
            type(self).most = max(self.most, self.alive)
            return type(self)()

        def __del__(self):
            type(self).alive -= 1

    Counted.alive = 1
    library.run([("a", Counted()), "composition"], dataset=promoters, seeds=[0, 1, 2], **SMALL)
    assert Counted.most <= 3  # the one that was given, and a copy; another until its successor is made


def test_an_interrupted_run_leaves_nothing_to_the_next(promoters, monkeypatch):
    class Interrupted:
        def sample(self, n):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        library.run([Interrupted(), "composition"], dataset=promoters, seeds=[7], **SMALL)

    def interrupt(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):  # while it asks what machine this is
        patch.setattr("dnabench.engines.sandbox.Sandbox.events", interrupt)
        library.run("composition", dataset=promoters, seeds=[7], **SMALL)
    found = library.run("composition", dataset=promoters, seeds=[7], **SMALL)
    assert set(found.results["status"]) == {"done"}


def test_a_run_within_a_run_is_refused(promoters):
    class Nested:
        def sample(self, n):
            library.run("composition", dataset=promoters, seeds=[0], **SMALL)

    found = library.run(Nested(), dataset=promoters, seeds=[0], **SMALL)
    assert set(found.results["error"]) == {
        "another dnabench.run goes on in this process; begin this one when it has ended"
    }


def test_numbers_of_numpy_are_numbers(promoters):
    found = library.run("composition", dataset=promoters, metrics="gc", controls=False, seeds=np.arange(2),
                        samples=np.int64(40))  # fmt: skip
    assert set(found.results["n_generated"]) == {40}


class Tool:
    pass


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"generators": []}, "there are no generators to run"),
        ({"generators": "markvo"}, "no generator named 'markvo'; did you mean markov"),
        ({"generators": 3}, "3 is no generator: it takes names, callables and objects with a method sample"),
        ({"generators": [Tool()]}, "generator tool: Tool can neither be called nor has it a method sample"),
        ({"generators": [Memoriser]}, "generator memoriser: Memoriser is a class; give an object of it"),
        ({"generators": [lambda n: n]}, 'has no name; give \\("my-model", generator\\) in its place'),
        ({"generators": {"My Model": uniform}}, "'My Model' is no name for a generator: lower-case words joined by"),
        ({"generators": [uniform, uniform]}, "two generators are called uniform"),
        ({"generators": {"markov": uniform}}, "dnabench 0.1.0 has a generator named 'markov'; give yours another name"),
        ({"seeds": 3}, r"seeds 3: it takes a list of whole numbers from 0, such as \[0, 1, 2\]"),
        ({"seeds": [0, -1]}, "seeds: -1: it takes whole numbers from 0"),
        ({"seeds": [True]}, "seeds: True: it takes whole numbers from 0"),
        ({"samples": 2.5}, "samples 2.5: it takes whole numbers from 1"),
        ({"length": 0}, "length 0: it takes whole numbers from 1"),
        ({"jobs": -1}, "jobs -1"),
        ({"threads": "x"}, "threads 'x'"),
        ({"dataset": []}, r"dataset \[\]: it takes sequences, files, a directory or the name"),
        ({"dataset": 3}, "dataset 3"),
        ({"metrics": [3]}, r"metrics \[3\]: it takes their names"),
        ({"options": ["a"]}, "they are given by plugin and name"),
        ({"device": None}, "device None: it takes a text"),
        ({"preset": None}, "no preset None"),
        ({"preset": "quik"}, "no preset 'quik'; did you mean quick"),
        ({"options": {"markov": 3}}, "options of markov: 3; they are given by plugin and name"),
        ({"options": {"uniform": {"x": 3}}}, "no plugin named 'uniform'"),
        ({"metrics": ["gcc"]}, "no metric named 'gcc'"),
        ({"device": "tpu"}, "device tpu"),
    ],
)
def test_bad_input(promoters, tmp_path, arguments, message):
    with pytest.raises(UserError, match=message):
        library.run(**{"generators": [uniform], "dataset": promoters, "out": tmp_path / "run", **SMALL, **arguments})
    assert not (tmp_path / "run").exists()
