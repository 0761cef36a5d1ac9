"""The generator as the core sees it: record, determinism, files, edge cases, and what it can learn."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import torch
from torch.nn.modules.module import register_module_forward_hook

from dnabench import SequenceSet, UserError
from dnabench.options import build
from dnabench_mdlm import dnabench_generators
from dnabench_mdlm.model import MaskedDiffusion
from dnabench_mdlm.options import MdlmOptions

TINY = {"width": 8, "layers": 2, "steps": 4, "batch": 8, "sampling_steps": 5}


def tiny(**changes) -> MaskedDiffusion:
    return MaskedDiffusion(MdlmOptions(**{**TINY, **changes}))


def random_set(n: int = 40, length: int = 30, letters: int = 5, labels=None) -> SequenceSet:
    return SequenceSet(np.random.default_rng(0).integers(0, letters, (n, length), dtype=np.uint8), labels=labels)


@pytest.fixture
def fitted(make_context):
    model = tiny()
    model.fit(random_set(), context=make_context(length=30, seed=1))
    return model


def test_record():
    (record,) = dnabench_generators()
    assert (record.name, record.kind, record.devices) == ("mdlm", "model", ("cpu", "cuda"))
    assert (record.label_option, record.devices_option, record.uses_labels) == ("condition", "devices", True)
    assert set(record.presets) == {"quick", "standard", "paper"}
    assert record.presets["quick"] == {}
    for preset in record.presets.values():
        build(record.options, "mdlm", preset)


def test_the_entry_point_imports_neither_torch_nor_numpy():
    code = (
        "import sys, dnabench_mdlm as d; list(d.dnabench_generators());"
        "print([m for m in ('torch', 'numpy', 'pandas') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("n", [0, 1, 259])
def test_exactly_n_sequences_without_n(fitted, make_context, n):
    drawn = fitted.sample(n, context=make_context(length=30))
    assert drawn.codes.shape == (n, 30)
    assert (drawn.codes <= 3).all()
    assert list(drawn.labels.columns) == []


def test_the_first_sequences_do_not_depend_on_how_many_there_are(make_context):
    labels = pd.DataFrame({"species": ["hs", "mm"] * 20})
    model = tiny(condition="species")
    model.fit(random_set(labels=labels), context=make_context(length=30, seed=1))
    many = model.sample(300, context=make_context(length=30, seed=2))
    for n in (1, 256, 257):
        few = model.sample(n, context=make_context(length=30, seed=2))
        np.testing.assert_array_equal(few.codes, many.codes[:n])
        assert few.labels["species"].tolist() == many.labels["species"].tolist()[:n]


def test_equal_seeds_give_equal_sequences_and_others_do_not(make_context):
    def run(fit_seed, sample_seed):
        model = tiny()
        model.fit(random_set(), context=make_context(length=30, seed=fit_seed))
        return model.sample(20, context=make_context(length=30, seed=sample_seed)).codes

    first = run(1, 2)
    np.testing.assert_array_equal(first, run(1, 2))
    assert (first != run(1, 3)).mean() > 0.2
    assert (first != run(4, 2)).any()


@pytest.mark.parametrize("condition", ["", "species,class"])
def test_saved_and_loaded_it_samples_the_same_and_saves_the_same(make_context, tmp_path, condition):
    labels = pd.DataFrame({"species": ["hs", "mm"] * 20, "class": ["tata", "tata", "none", "tata"] * 10})
    model = tiny(condition=condition)
    model.fit(random_set(labels=labels), context=make_context(length=30, seed=1))
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    second.mkdir()
    model.save(first)
    other = MaskedDiffusion(MdlmOptions())
    other.load(first)
    assert other.options == model.options
    expected = model.sample(10, context=make_context(length=30, seed=2))
    got = other.sample(10, context=make_context(length=30, seed=2))
    assert got.digest == expected.digest
    other.save(second)
    files = sorted(path.name for path in first.iterdir())
    assert files == ["losses.csv", "model.json", "model.safetensors"]
    for name in files:
        assert (second / name).read_bytes() == (first / name).read_bytes()


def test_the_losses_are_written_step_by_step(fitted, tmp_path):
    fitted.save(tmp_path)
    lines = (tmp_path / "losses.csv").read_bytes().decode().split("\n")
    assert lines[0] == "stage,step,loss"
    assert [line.split(",")[:2] for line in lines[1:-1]] == [["denoiser", str(step)] for step in range(1, 5)]
    assert lines[-1] == ""
    losses = [float(line.split(",")[2]) for line in lines[1:-1]]
    assert all(0 < loss < 10 for loss in losses)
    assert all(f"{loss:.9g}" == line.split(",")[2] for loss, line in zip(losses, lines[1:-1], strict=True))


def test_bad_input(fitted, make_context):
    with pytest.raises(UserError, match="no training sequences to learn from"):
        tiny().fit(random_set(0), context=make_context(length=30))
    with pytest.raises(UserError, match="trained on 30 bp and cannot sample 31 bp"):
        fitted.sample(2, context=make_context(length=31))
    with pytest.raises(UserError, match="has not been trained"):
        tiny().sample(2, context=make_context(length=30))
    with pytest.raises(UserError, match="'species' is a label that the training sequences do not have"):
        tiny(condition="species").fit(random_set(), context=make_context(length=30))
    with pytest.raises(UserError, match="the loss is not finite at step"):
        tiny(lr=1e38).fit(random_set(), context=make_context(length=30))
    with pytest.raises(UserError, match="width is 1"):
        build(MdlmOptions, "mdlm", {"width": 1})


def test_a_label_that_no_training_sequence_has(make_context):
    model = tiny(condition="species")
    labels = pd.DataFrame({"species": ["hs", "mm"] * 20})
    model.fit(random_set(labels=labels), context=make_context(length=30))
    wanted = pd.DataFrame({"species": ["hs", "dm"]})
    with pytest.raises(UserError, match="no training sequence has species='dm'; known: 'hs', 'mm'"):
        model.sample(2, context=make_context(length=30, labels=wanted))


def test_a_batch_that_has_no_equal_shares_is_refused_before_anything_is_run():
    with pytest.raises(UserError, match="options of mdlm: batch is 10; 4 devices share multiples of 4"):
        build(MdlmOptions, "mdlm", {"batch": 10, "devices": 4})


def test_training_on_fewer_sequences_than_a_batch_and_on_nothing_but_n(make_context):
    for codes in (np.zeros((3, 30), np.uint8), np.full((3, 30), 4, np.uint8)):
        model = tiny()
        model.fit(SequenceSet(codes), context=make_context(length=30))
        assert model.sample(2, context=make_context(length=30)).codes.max() <= 3


def test_bases_are_learned_from_where_they_are_not_n(make_context):
    """Half of the bases are N; the others are A, and T at position 5."""
    codes = np.zeros((64, 12), np.uint8)
    codes[:, 5] = 3
    codes[np.random.default_rng(0).random(codes.shape) < 0.5] = 4
    model = tiny(steps=150, lr=0.02, batch=32)
    model.fit(SequenceSet(codes), context=make_context(length=12, seed=1))
    drawn = model.sample(512, context=make_context(length=12, seed=2)).codes
    assert (drawn[:, 5] == 3).mean() > 0.95
    assert (np.delete(drawn, 5, axis=1) == 0).mean() > 0.95


@pytest.mark.parametrize(("cpu", "dtype"), [("AVX512", torch.bfloat16), ("AVX2", torch.float32)])
def test_bfloat16_only_on_a_cpu_that_has_it(make_context, monkeypatch, cpu, dtype):
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: cpu)
    seen = set()

    def see(module, inputs, output):
        if isinstance(module, torch.nn.Conv2d):
            seen.add(output.dtype)

    model = tiny()
    with register_module_forward_hook(see):
        model.fit(random_set(), context=make_context(length=30))
        assert seen == {dtype}
        model.sample(2, context=make_context(length=30))
    assert seen == {dtype}


@pytest.mark.slow
def test_a_rule_that_no_model_of_single_positions_can_have(make_context):
    """Position 3 equals position 10, and either is uniform: agreement is 1/4 for any model of single positions."""
    codes = np.random.default_rng(0).integers(0, 4, (2000, 16), dtype=np.uint8)
    codes[:, 10] = codes[:, 3]
    model = tiny(width=32, layers=2, steps=1000, batch=128, lr=2e-3, sampling_steps=64)
    model.fit(SequenceSet(codes), context=make_context(length=16, seed=1))
    drawn = model.sample(1024, context=make_context(length=16, seed=2)).codes
    assert (drawn[:, 3] == drawn[:, 10]).mean() > 0.9
    for place in (2, 4, 9, 11):
        assert (drawn[:, 3] == drawn[:, place]).mean() < 0.35
    assert np.bincount(drawn[:, 3], minlength=4).min() > 0.15 * 1024
    # In nats per base: 15 free bases of 16 cost log 4 each; the mean over the last third of the training.
    assert np.mean([loss for _, loss in model.curve[-33:]]) == pytest.approx(15 / 16 * np.log(4), abs=0.03)


@pytest.mark.slow
def test_two_labels_of_different_composition(make_context):
    rng = np.random.default_rng(0)
    rich = np.arange(1000) % 2 == 1
    strong = rng.random((1000, 24)) < np.where(rich, 0.8, 0.2)[:, None]
    codes = np.where(strong, rng.integers(1, 3, (1000, 24)), 3 * rng.integers(0, 2, (1000, 24))).astype(np.uint8)
    labels = pd.DataFrame({"species": np.where(rich, "rich", "poor"), "class": "one"})
    model = tiny(width=16, layers=2, steps=200, batch=64, lr=1e-2, sampling_steps=24, condition="species,class")
    model.fit(SequenceSet(codes, labels=labels), context=make_context(length=24, seed=1))
    wanted = pd.DataFrame({"species": ["rich"] * 256 + ["poor"] * 256})
    drawn = model.sample(512, context=make_context(length=24, seed=2, labels=wanted))
    assert drawn.labels["species"].tolist() == wanted["species"].tolist()
    assert set(drawn.labels["class"]) == {"one"}
    gc = ((drawn.codes == 1) | (drawn.codes == 2)).mean(1)
    assert gc[:256].mean() == pytest.approx(0.8, abs=0.06)
    assert gc[256:].mean() == pytest.approx(0.2, abs=0.06)
    free = model.sample(1000, context=make_context(length=24, seed=3))
    assert (free.labels["species"] == "rich").mean() == pytest.approx(0.5, abs=0.065)
