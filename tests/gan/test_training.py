"""The gradient penalty against its closed form, the encoding of N, and what training learns."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from dnabench import SequenceSet
from dnabench_gan.model import WassersteinGan
from dnabench_gan.networks import Critic, initialise
from dnabench_gan.options import GanOptions
from dnabench_gan.training import gradient_penalty, one_hot, one_hot_table


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


MOTIF, START = np.array([3, 0, 3, 0, 0, 0], np.uint8), 10  # TATAAA
COMPOSITION = np.array([0.1, 0.4, 0.4, 0.1])
LEARNER = GanOptions(
    latent=16,
    channels=16,
    blocks=1,
    generator_blocks=1,
    batch_size=32,
    iterations=150,
    critic_steps=3,
    learning_rate=2e-3,
    critic_learning_rate=2e-3,
    constant_share=1.0,
)
SOFT = dataclasses.replace(LEARNER, network="residual", straight_through=False)
DRAWN = dataclasses.replace(LEARNER, iterations=400)


def planted() -> SequenceSet:
    codes = np.random.default_rng(0).choice(4, (2000, 32), p=COMPOSITION).astype(np.uint8)
    codes[:, START : START + len(MOTIF)] = MOTIF
    return SequenceSet(codes)


def recovered(samples: np.ndarray) -> float:
    """The share of motif positions that hold the motif's base."""
    return float((samples[:, START : START + len(MOTIF)] == MOTIF).mean())


@pytest.mark.slow
@pytest.mark.parametrize(("options", "decodes"), [(SOFT, ("argmax", "sample")), (DRAWN, ("sample",))])
def test_training_learns_a_motif_and_the_composition(make_context, options, decodes):
    model = WassersteinGan(options)
    model.fit(planted(), context=make_context(seed=1, length=32))
    for decode in decodes:  # matters only after training
        model.options = dataclasses.replace(options, decode=decode)
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
