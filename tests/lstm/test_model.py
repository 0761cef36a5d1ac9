"""The generator: what it learns, what it repeats, and what it refuses."""

from __future__ import annotations

import dataclasses
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import torch
from torch.nn.modules.module import register_module_forward_hook

import dnabench_lstm
from dnabench import Context, SequenceSet, UserError
from dnabench.options import build
from dnabench_lstm.model import CHUNK, Lstm
from dnabench_lstm.options import PRESETS, LstmOptions


def random_set(n=40, length=24, seed=0) -> SequenceSet:
    return SequenceSet(np.random.default_rng(seed).integers(0, 4, (n, length), dtype=np.uint8))


def markov_chain(n, length, seed) -> tuple[np.ndarray, float]:
    """Sequences of a chain of order 1 whose stationary distribution is uniform, and its entropy in nats per base."""
    rng = np.random.default_rng(seed)
    p = np.array([0.7, 0.1, 0.15, 0.05])  # of the step from one base to the next, modulo 4
    first, steps = rng.integers(0, 4, (n, 1)), rng.choice(4, (n, length - 1), p=p)
    entropy = (np.log(4) - (length - 1) * (p * np.log(p)).sum()) / length
    return (np.concatenate([first, steps], 1).cumsum(1) % 4).astype(np.uint8), entropy


def nats(model: Lstm, codes: np.ndarray) -> float:
    with torch.no_grad():
        return float(model.network.loss(torch.from_numpy(codes).long(), torch.empty(len(codes), 0).long()))


@pytest.mark.parametrize("position", [True, False])
def test_a_markov_chain_is_learned_to_its_entropy(fitted, make_context, position):
    train, entropy = markov_chain(4_000, 32, seed=0)
    model = fitted(SequenceSet(train), steps=400, hidden=24, batch_size=32, learning_rate=0.02, position=position)
    fresh, _ = markov_chain(4_000, 32, seed=1)
    # The entropy is the least possible; the fresh sequences' own spread is 0.002 (two standard errors 0.004).
    assert entropy - 0.005 < nats(model, fresh) < entropy + 0.01
    drawn = model.sample(2_000, context=make_context(length=32)).codes.astype(int)
    steps = np.bincount((np.diff(drawn, axis=1) % 4).ravel(), minlength=4) / (2_000 * 31)
    assert steps == pytest.approx([0.7, 0.1, 0.15, 0.05], abs=0.02)


def test_what_stands_at_a_position_and_what_repeats_is_learned(fitted, make_context):
    # Base 7 is always T, and the last base is that five before it.
    codes = random_set(2_000, 10).codes.copy()
    codes[:, 7], codes[:, 9] = 3, codes[:, 4]
    model = fitted(SequenceSet(codes), steps=500, hidden=32, batch_size=32, learning_rate=0.02)
    drawn = model.sample(1_000, context=make_context(length=10)).codes
    assert (drawn[:, 7] == 3).mean() > 0.98
    assert (drawn[:, 9] == drawn[:, 4]).mean() > 0.95
    assert np.bincount(drawn[:, 0], minlength=4) / 1_000 == pytest.approx([0.25] * 4, abs=0.07)


def test_n_in_training_data_is_never_drawn_and_hides_nothing(fitted, make_context):
    train, entropy = markov_chain(4_000, 32, seed=0)
    masked = train.copy()
    masked[np.random.default_rng(2).random(masked.shape) < 0.1] = 4
    model = fitted(SequenceSet(masked), steps=400, hidden=24, batch_size=32, learning_rate=0.02)
    assert nats(model, markov_chain(2_000, 32, seed=1)[0]) < entropy + 0.02
    assert model.sample(600, context=make_context(length=32)).codes.max() == 3


def labelled(n=1_200, length=20) -> SequenceSet:
    """Species at (90 % A and T), gc (90 % C and G), three in four of them gc; class x has A or C alone, y T or G."""
    rng = np.random.default_rng(0)
    gc, y = rng.random(n) < 0.75, rng.random(n) < 0.5
    strong = (rng.random((n, length)) < 0.9) == gc[:, None]
    codes = np.where(strong, np.where(y, 2, 1)[:, None], np.where(y, 3, 0)[:, None]).astype(np.uint8)
    return SequenceSet(
        codes, labels=pd.DataFrame({"species": np.where(gc, "gc", "at"), "class": np.where(y, "y", "x")})
    )


def test_two_label_columns_steer_the_composition(fitted, make_context):
    model = fitted(labelled(), condition="species,class", steps=300, batch_size=32, hidden=16, learning_rate=0.02)
    free = model.sample(800, context=make_context(length=20))
    assert list(free.labels.columns) == ["species", "class"]
    assert (free.labels["species"] == "gc").mean() == pytest.approx(0.75, abs=0.06)
    for (species, kind), rows in free.labels.groupby(["species", "class"]).indices.items():
        codes = free.codes[rows]
        assert np.isin(codes, [1, 2]).mean() == pytest.approx(0.9 if species == "gc" else 0.1, abs=0.04)
        assert np.isin(codes, [2, 3]).mean() == pytest.approx(float(kind == "y"), abs=0.04)
    asked = pd.DataFrame({"species": ["at", "gc"] * 100, "class": ["x"] * 200})
    given = model.sample(200, context=make_context(length=20, labels=asked))
    assert given.labels.equals(asked)
    assert np.isin(given.codes[::2], [1, 2]).mean() < 0.2
    assert np.isin(given.codes[1::2], [1, 2]).mean() > 0.8


def test_labels_that_are_unseen_or_missing(fitted, make_context):
    model = fitted(labelled(40), condition="species")
    asked = pd.DataFrame({"species": ["gc", "mm"]})
    with pytest.raises(UserError, match="no training sequence has species='mm'; known: 'at', 'gc'"):
        model.sample(2, context=make_context(length=20, labels=asked))
    with pytest.raises(UserError, match="'tissue' is a label that the training sequences do not have"):
        fitted(labelled(40), condition="species,tissue")


@pytest.mark.parametrize("dropout", [0.0, 0.3])
def test_the_same_seed_gives_the_same_bytes_and_what_is_loaded_samples_alike(fitted, make_context, tmp_path, dropout):
    models = [fitted(labelled(40), condition="species", dropout=dropout) for _ in range(2)]
    for number, model in enumerate(models):
        (tmp_path / f"saved{number}").mkdir()
        model.save(tmp_path / f"saved{number}")
    saved = [{path.name: path.read_bytes() for path in (tmp_path / f"saved{k}").iterdir()} for k in (0, 1)]
    assert saved[0] == saved[1]
    assert set(saved[0]) == {"model.json", "model.safetensors", "losses.csv"}
    loaded = Lstm(LstmOptions())
    loaded.load(tmp_path / "saved0")
    another = fitted(labelled(40), seed=2, condition="species", dropout=dropout)
    one, same, other = (
        model.sample(20, context=make_context(length=20, seed=5)) for model in (models[0], loaded, another)
    )
    assert one.digest == same.digest
    assert (one.codes != other.codes).any()
    (tmp_path / "again").mkdir()
    loaded.save(tmp_path / "again")
    assert {path.name: path.read_bytes() for path in (tmp_path / "again").iterdir()} == saved[0]


def test_the_losses_are_written(fitted, tmp_path):
    model = fitted(random_set(), steps=12)
    model.save(tmp_path)
    header, *lines = (tmp_path / "losses.csv").read_bytes().decode().splitlines(keepends=True)
    assert header == "stage,step,loss\n"
    assert [line.split(",")[:2] for line in lines] == [["train", str(step)] for step in range(1, 13)]
    losses = np.array([float(line.split(",")[2]) for line in lines])
    assert losses == pytest.approx([loss for _, loss in model.losses], rel=1e-8)
    assert losses[0] == pytest.approx(np.log(4), abs=0.1)  # random weights know nothing


def test_the_first_sequences_do_not_depend_on_how_many_are_drawn(fitted, make_context):
    model = fitted(labelled(40), condition="species")
    few, some, many = (model.sample(n, context=make_context(length=20)).codes for n in (3, CHUNK, CHUNK + 30))
    assert np.array_equal(few, many[:3])
    assert np.array_equal(some, many[:CHUNK])


@pytest.mark.parametrize("length", [1, 2, 251])
def test_any_length_and_fewer_sequences_than_a_batch(fitted, make_context, length):
    model = fitted(random_set(3, length), steps=2)
    drawn = model.sample(4, context=make_context(length=length))
    assert (drawn.codes.shape, drawn.codes.dtype, list(drawn.labels.columns)) == ((4, length), np.uint8, [])
    assert model.sample(0, context=make_context(length=length)).codes.shape == (0, length)


def test_a_single_sequence_of_nothing_but_n(fitted, make_context):
    model = fitted(SequenceSet(np.full((1, 24), 4, np.uint8)))
    assert model.sample(4, context=make_context(length=24)).codes.max() <= 3


def test_gradients_are_shared_in_training_mode(fitted, monkeypatch):
    # Processes that train together run a backward pass when they are brought together: an error of cuDNN in eval mode.
    modes = []

    def together(self, module, *example):
        modes.extend(part.training for part in module.modules())
        return module

    monkeypatch.setattr(Context, "together", together)
    fitted(random_set(), steps=1)
    assert modes
    assert all(modes)


@pytest.mark.parametrize(("cpu", "dtype"), [("AVX512", torch.bfloat16), ("AVX2", torch.float32)])
def test_bfloat16_only_on_a_cpu_that_has_it(fitted, monkeypatch, cpu, dtype):
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: cpu)
    seen = set()

    def see(module, inputs, output):
        if isinstance(module, torch.nn.LSTM):
            seen.add(output[0].dtype)

    with register_module_forward_hook(see):
        fitted(random_set(), steps=1)
    assert seen == {dtype}


def test_bad_input(fitted, make_context):
    with pytest.raises(UserError, match="no training sequences to learn from"):
        fitted(random_set().take(np.arange(0)))
    with pytest.raises(UserError, match="has not been trained"):
        Lstm(LstmOptions()).sample(1, context=make_context())
    with pytest.raises(UserError, match="trained on 24 bp and cannot sample 25 bp"):
        fitted(random_set(), steps=1).sample(1, context=make_context(length=25))
    with pytest.raises(UserError, match="the loss is not finite at step"):
        fitted(random_set(), learning_rate=1e38)
    with pytest.raises(UserError, match="options of lstm: batch_size is 10; 4 devices share multiples of 4"):
        build(LstmOptions, "lstm", {"batch_size": "10", "devices": "4"})
    with pytest.raises(UserError, match="options of lstm: dropout is 1"):
        build(LstmOptions, "lstm", {"dropout": "1"})


def test_the_record_and_its_presets():
    (spec,) = dnabench_lstm.dnabench_generators()
    assert (spec.name, spec.kind, spec.uses_labels, spec.label_option) == ("lstm", "model", True, "condition")
    assert set(spec.presets) == {"quick", "standard", "paper"}
    for changes in PRESETS.values():
        dataclasses.replace(LstmOptions(), **changes)
    code = (
        "import sys, dnabench_lstm; list(dnabench_lstm.dnabench_generators());"
        "print(sorted({'torch', 'numpy', 'pandas', 'safetensors'} & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert run.stdout.strip() == "[]"
