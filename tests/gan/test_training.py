"""The gradient penalty against its closed form, the encoding of N, and what training learns."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from dnabench import SequenceSet
from dnabench_gan.model import WassersteinGan
from dnabench_gan.networks import Critic, Generator, initialise
from dnabench_gan.options import GanOptions
from dnabench_gan.training import gradient_penalty, one_hot, one_hot_table, train


def test_penalty_of_a_linear_critic():
    # Without blocks the critic is w.x + b with w = (output weights) (input weights), a 4 x length matrix.
    critic = Critic(channels=3, blocks=0, length=5)
    initialise(critic, torch.Generator().manual_seed(0))
    w = torch.einsum("cb,cl->bl", critic.input.weight[:, :, 0], critic.output.weight.view(3, 5))
    random = torch.Generator().manual_seed(1)
    real, fake = torch.rand(7, 4, 5, generator=random), torch.rand(7, 4, 5, generator=random)
    penalty = gradient_penalty(critic, real, fake, torch.rand(7, 1, 1, generator=random))
    torch.testing.assert_close(penalty, (w.norm() - 1) ** 2)


def test_penalty_is_taken_between_real_and_fake():
    points = []

    class Spy(Critic):
        def input_gradient(self, x):
            points.append(x)
            return super().input_gradient(x)

    critic = Spy(channels=2, blocks=1, length=3)
    real, fake = torch.ones(2, 4, 3), torch.zeros(2, 4, 3)
    gradient_penalty(critic, real, fake, torch.tensor([0.25, 1.0]).view(2, 1, 1))
    torch.testing.assert_close(points[0], torch.stack([torch.full((4, 3), 0.25), torch.ones(4, 3)]))


def test_one_hot_is_that_of_the_core(random_dna):
    assert (random_dna.codes == 4).any()
    codes = torch.from_numpy(random_dna.codes.copy())
    torch.testing.assert_close(one_hot(codes, one_hot_table(codes.device)), random_dna.one_hot())


def test_without_averaging_the_last_weights_are_returned(tiny, make_context):
    options = dataclasses.replace(tiny, ema_decay=0.0)
    generator, critic = Generator(latent=8, channels=4, blocks=1, length=6), Critic(channels=4, blocks=1, length=6)
    codes = torch.zeros(9, 6, dtype=torch.uint8)
    context = make_context(length=6)
    average = train(
        generator,
        critic,
        codes,
        options=options,
        random=context.torch_generator(),
        checkpoint=context.checkpoint("gan"),
        context=context,
    )
    for mean, last in zip(average.parameters(), generator.parameters(), strict=True):
        torch.testing.assert_close(mean, last, rtol=0, atol=0)


def test_a_loss_that_is_not_finite_is_an_error(tiny, random_dna, make_context):
    options = dataclasses.replace(tiny, learning_rate=1e30)
    with pytest.raises(RuntimeError, match="no longer finite at iteration 3"):
        WassersteinGan(options).fit(random_dna, context=make_context(length=24))


MOTIF, START = np.array([3, 0, 3, 0, 0, 0], np.uint8), 10  # TATAAA
COMPOSITION = np.array([0.1, 0.4, 0.4, 0.1])
LEARNER = GanOptions(
    latent=16, channels=16, blocks=1, batch_size=32, iterations=150, critic_steps=3, learning_rate=2e-3
)


def planted() -> SequenceSet:
    codes = np.random.default_rng(0).choice(4, (2000, 32), p=COMPOSITION).astype(np.uint8)
    codes[:, START : START + len(MOTIF)] = MOTIF
    return SequenceSet(codes)


def recovered(samples: np.ndarray) -> float:
    """The share of motif positions that hold the motif's base."""
    return float((samples[:, START : START + len(MOTIF)] == MOTIF).mean())


@pytest.mark.slow
def test_training_learns_a_motif_and_the_composition(make_context):
    model = WassersteinGan(LEARNER)
    model.fit(planted(), context=make_context(seed=1, length=32))
    for decode in ("argmax", "sample"):  # matters only after training
        model.options = dataclasses.replace(LEARNER, decode=decode)
        samples = model.sample(1000, context=make_context(seed=2, length=32))
        assert recovered(samples) > 0.9
        background = np.delete(samples, np.s_[START : START + len(MOTIF)], axis=1)
        frequencies = np.bincount(background.ravel(), minlength=4) / background.size
        np.testing.assert_allclose(frequencies, COMPOSITION, atol=0.06)
        assert len(np.unique(samples, axis=0)) > 900  # no collapse onto a few sequences


def test_an_untrained_network_knows_no_motif(make_context):
    options = dataclasses.replace(LEARNER, iterations=1)
    model = WassersteinGan(options)
    model.fit(planted(), context=make_context(seed=1, length=32))
    samples = model.sample(1000, context=make_context(seed=2, length=32))
    assert recovered(samples) < 0.5  # one base in four by chance
