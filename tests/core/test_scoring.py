"""What a process of scoring remembers, and how floors are put together."""

from __future__ import annotations

import numpy as np
import pytest

from dnabench import Score, SequenceSet
from dnabench import scoring as scoring_module
from dnabench.planning.metrics import plan_metrics
from dnabench.plugins import load_catalog
from dnabench.scoring import Scorer, mean_record
from dnabench.store import Store

PLUGIN = """
import numpy as np
from dnabench import EmbedderSpec, MetricSpec, Score, hookimpl

@hookimpl
def dnabench_metrics():
    for name in ("first-base", "its-square"):
        yield MetricSpec(
            name=name, target="counting_dna:" + name.title().replace("-", ""), summary="for a test", direction="lower"
        )

CALLS = []

def first_base(sequences):
    CALLS.append(len(sequences))
    return sequences.codes[:, 0].astype(float)

class FirstBase:
    def score(self, *, generated, reference, context):
        g, r = (context.per_sequence("first base", s, first_base) for s in (generated, reference))
        part = Score(value=float(r.mean()), direction="none")
        return Score(value=float(g.mean() - r.mean()), parts={"reference": part})

class ItsSquare(FirstBase):
    def score(self, *, generated, reference, context):
        return Score(value=super().score(generated=generated, reference=reference, context=context).value ** 2)
"""


@pytest.fixture
def scored(install, tmp_path):
    """``scored(name, generated, reference, wholes)`` -> record; and the calls that the metric made."""
    install("counting_dna", PLUGIN)
    catalog = load_catalog()
    scorer = Scorer(
        catalog, Store.open(tmp_path / "store"), device="cpu", threads=1, core="", train=None, progress=lambda *_: None
    )

    def score(name, generated, reference, wholes=None):
        (metric,) = plan_metrics(catalog, [name], {})
        record, _ = scorer.score(
            metric, generated=generated, reference=reference, dataset="d", repeat=0, wholes=wholes or {}
        )
        return record

    import counting_dna

    counting_dna.CALLS.clear()
    return score, counting_dna.CALLS


def random_set(n, seed):
    return SequenceSet(np.random.default_rng(seed).integers(0, 4, (n, 8), dtype=np.uint8))


def test_what_is_worked_out_of_a_sequence_is_worked_out_once_for_the_metrics_of_a_package(scored):
    score, calls = scored
    generated, reference = random_set(30, 0), random_set(20, 1)
    value = score("first-base", generated, reference)["value"]
    assert value == generated.codes[:, 0].mean() - reference.codes[:, 0].mean()
    assert score("its-square", generated, reference)["value"] == value**2
    assert calls == [30, 20]


def test_sets_drawn_from_known_ones_take_their_rows(scored):
    score, calls = scored
    first, second = random_set(30, 0), random_set(20, 1)
    score("first-base", first, second)
    both = np.concatenate([first.codes, second.codes])
    rows = np.array([3, 31, 47]), np.array([0, 29, 30])
    sides = [SequenceSet(both[chosen]) for chosen in rows]
    origins = {side.digest: ((first, second), chosen) for side, chosen in zip(sides, rows, strict=True)}
    value = score("first-base", *sides, origins)["value"]
    assert value == pytest.approx(both[rows[0], 0].mean() - both[rows[1], 0].mean())
    assert calls == [30, 20]


def test_little_is_remembered_where_much_would_be_kept(scored, monkeypatch):
    score, calls = scored
    monkeypatch.setattr(scoring_module, "REMEMBERED", 8 * 45)
    score("first-base", random_set(30, 0), random_set(20, 1))
    score("its-square", random_set(30, 0), random_set(20, 1))
    assert calls == [30, 20, 30, 20]


def test_a_part_says_which_way_it_is_better(scored):
    score, _ = scored
    assert score("first-base", random_set(5, 0), random_set(5, 1))["parts"]["reference"]["direction"] == "none"
    assert Score(value=1.0).direction is None


def test_a_floor_is_the_mean_of_its_draws_with_the_parts_that_all_have():
    def record(value, **parts):
        made = {name: {"value": v, "ci_low": None, "ci_high": None, "parts": {}} for name, v in parts.items()}
        return {"value": value, "ci_low": value - 1, "ci_high": value + 1, "n_generated": 7, "parts": made}

    mean = mean_record([record(1.0, a=2.0, b=5.0), record(2.0, a=4.0), record(6.0, a=9.0, b=1.0)])
    assert (mean["value"], mean["ci_low"], mean["draws"], mean["n_generated"]) == (3.0, None, [1.0, 2.0, 6.0], 7)
    assert {name: part["value"] for name, part in mean["parts"].items()} == {"a": 5.0}


PLOTTED = """
import pandas as pd
from dnabench import EmbedderSpec, MetricSpec, Score, hookimpl

@hookimpl
def dnabench_metrics():
    yield MetricSpec(name="plotted", target="plotted_dna:Plotted", summary="for a test", direction="lower",
                     embedder="base-counts")

@hookimpl
def dnabench_embedders():
    yield EmbedderSpec(name="base-counts", target="plotted_dna:BaseCounts", summary="for a test", dimension=2)

class BaseCounts:
    def embed(self, sequences, *, context):
        return (sequences.codes[:, :2] == 0).astype("float32")

class Plotted:
    def score(self, *, generated, reference, context):
        sides = [context.embed(context.embedder, side).mean() for side in (generated, reference)]
        table = pd.DataFrame({"base": ["A"], "generated": sides[:1], "reference": sides[1:]})
        return Score(value=float(sides[0]), details=table)
"""


def test_details_and_embeddings_are_kept_for_plots_where_they_are_asked_for(install, tmp_path):
    install("plotted_dna", PLOTTED)
    catalog, store = load_catalog(), Store.open(tmp_path / "store")
    scorer = Scorer(catalog, store, device="cpu", threads=1, core="", train=None, progress=lambda *_: None)
    (metric,) = plan_metrics(catalog, ["plotted"], {})

    def score(generated, reference, **more):
        about = {"generated": generated, "reference": reference, "dataset": "d", "repeat": 0}
        return scorer.score(metric, **about, **more)

    generated, reference = SequenceSet.from_strings(["AC", "AA"]), SequenceSet.from_strings(["AC", "CC", "CC", "CC"])
    record, cached = score(generated, reference, for_plots=True)
    assert not cached
    assert store.details(record["details"]).read_text() == "base,generated,reference\nA,0.75,0.125\n"
    assert [store.embedding(key).tolist() for key in record["embeddings"]] == [
        [[1, 0], [1, 1]],
        [[1, 0], [0, 0], [0, 0], [0, 0]],
    ]
    assert score(generated, reference, for_plots=True) == (record, True)

    # What was stored without them, as by an earlier version, is a score all the same.
    plain, _ = score(reference, generated)
    assert {"details", "embeddings"}.isdisjoint(plain)
    assert score(reference, generated, for_plots=True) == (plain, True)
