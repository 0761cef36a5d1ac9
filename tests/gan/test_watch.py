"""A training that is lost stops and names the iteration, what was good stays; the curve; checkpoints of others."""

from __future__ import annotations

import csv
import dataclasses

import numpy as np
import pytest
import torch

from dnabench import Checkpoint, Context, SequenceSet, UserError
from dnabench_gan import training
from dnabench_gan.model import WassersteinGan
from dnabench_gan.watch import Watch

ITERATIONS, REPORTED = 800, 8  # one in 8 iterations is reported


@pytest.fixture
def options(tiny):
    return dataclasses.replace(tiny, iterations=ITERATIONS, critic_steps=1)


@pytest.fixture
def context(tmp_path):
    return Context(length=24, seed=1, scratch=tmp_path, checkpoint_seconds=0)


def not_a_number(penalty, critic):
    return penalty + float("nan")


def no_gradient_by_one_weight(penalty, critic):
    return penalty + (0 * critic.input.weight[0, 0, 0]).sqrt()  # adds 0; the root's slope there is infinite, times 0


@pytest.fixture
def spoilt(monkeypatch):
    """``spoilt(bad, spoil)``: the critic step ``bad`` is spoilt from here on; returns all steps."""
    penalty, calls = training.gradient_penalty, []

    def arrange(bad, spoil) -> list[int]:
        def gradient_penalty(critic, *arguments):
            calls.append(len(calls) + 1)
            value = penalty(critic, *arguments)
            return spoil(value, critic) if calls[-1] == bad else value

        monkeypatch.setattr(training, "gradient_penalty", gradient_penalty)
        return calls

    return arrange


@pytest.mark.parametrize("spoil", [not_a_number, no_gradient_by_one_weight])
def test_what_is_not_finite_never_gets_into_a_checkpoint(options, random_dna, context, spoilt, spoil):
    steps = spoilt(1, spoil)  # without a pause between checkpoints one is due after the first iteration
    with pytest.raises(UserError, match="loss is not finite at iteration 1 of 800; a smaller learning_rate or"):
        WassersteinGan(options).fit(random_dna, context=context)
    assert steps == [1]
    assert context.checkpoint("gan").load() is None


def test_a_report_finds_the_first_bad_iteration_and_the_last_checkpoint_is_good(options, random_dna, context, spoilt):
    steps = spoilt(11, not_a_number)
    with pytest.raises(UserError, match="iteration 11 of 800"):
        WassersteinGan(options).fit(random_dna, context=context)
    assert len(steps) <= 2 * REPORTED
    state = context.checkpoint("gan").load()
    assert 1 <= state["watch"]["done"] <= 10
    assert all(torch.isfinite(tensor).all() for part in ("generator", "critic") for tensor in state[part].values())


def test_a_learning_rate_that_is_far_too_large_is_refused_with_advice(tiny, random_dna, make_context):
    options = dataclasses.replace(tiny, learning_rate=1e30)
    with pytest.raises(
        UserError, match=r"at iteration \d of 3; a smaller learning_rate or critic_learning_rate may help"
    ):
        WassersteinGan(options).fit(random_dna, context=make_context(length=24))


def test_the_curve_has_the_means_since_the_last_report(make_context):
    said = []
    context = make_context(progress=lambda *report: said.append(report))
    watch = Watch(250, torch.device("cpu"), context)  # one in 2 iterations is reported
    losses = np.random.default_rng(0).normal(size=(250, 2)).astype(np.float32)
    for critic, generator in torch.from_numpy(losses):
        watch.see(critic, generator)
    for column, stage in enumerate(("critic", "generator")):
        steps, means = zip(*watch.curves[stage], strict=True)
        assert steps == tuple(range(2, 251, 2))
        np.testing.assert_allclose(means, losses[:, column].reshape(-1, 2).mean(1), rtol=1e-6, atol=1e-7)
    critic, generator = losses[-2:].astype(float).mean(0)
    assert said[-1] == (250, 250, f"train, critic {critic:.4g}, generator {generator:.4g}")


def test_the_curve_is_saved_loaded_and_saved_again(tiny, random_dna, make_context, tmp_path):
    model = WassersteinGan(tiny)
    model.fit(random_dna, context=make_context(length=24))
    first, second = tmp_path / "first", tmp_path / "second"
    for directory in (first, second):
        directory.mkdir()
        model.save(directory)
        model = WassersteinGan(tiny)
        model.load(directory)
    text = (first / "losses.csv").read_bytes()
    assert text == (second / "losses.csv").read_bytes()
    assert b"\r" not in text
    rows = list(csv.reader(text.decode().splitlines()))
    assert [row[:2] for row in rows] == [
        ["stage", "step"],
        *([stage, str(step)] for stage in ("critic", "generator") for step in (1, 2, 3)),
    ]
    assert all(f"{float(loss):.9g}" == loss for *_, loss in rows[1:])


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"channels": 5}, "channels 4 there and 5 here"),
        ({"critic_steps": 1}, "critic_steps 2 there and 1 here"),  # of the same shapes
        ({"iterations": 2, "penalty": 1.0}, "iterations 3 there and 2 here, penalty 10.0 there and 1.0 here"),
    ],
)
def test_a_checkpoint_of_another_configuration_is_refused(tiny, random_dna, context, changes, said):
    WassersteinGan(tiny).fit(random_dna, context=context)
    before = (context.scratch / "gan.safetensors").read_bytes()
    with pytest.raises(UserError, match="of another configuration") as error:
        WassersteinGan(dataclasses.replace(tiny, **changes)).fit(random_dna, context=context)
    assert f"{context.scratch} is of another configuration ({said}); remove it" in str(error.value)
    assert (context.scratch / "gan.safetensors").read_bytes() == before


def test_a_checkpoint_of_another_length_or_version_is_refused(tiny, random_dna, context):
    WassersteinGan(tiny).fit(random_dna, context=context)
    shorter = SequenceSet(random_dna.codes[:, :20].copy())
    with pytest.raises(UserError, match="length 24 there and 20 here"):
        WassersteinGan(tiny).fit(shorter, context=context)
    Checkpoint(context.scratch / "gan.safetensors", every=0).save({"iteration": 3})
    with pytest.raises(UserError, match="of another configuration"):
        WassersteinGan(tiny).fit(random_dna, context=context)


def test_how_bases_are_taken_may_change_after_training(tiny, random_dna, context):
    WassersteinGan(dataclasses.replace(tiny, decode="argmax")).fit(random_dna, context=context)
    WassersteinGan(dataclasses.replace(tiny, decode="sample")).fit(random_dna, context=context)
