"""Each option's effect on one or two iterations, and on a network with known outputs."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from torch import nn

from dnabench import SequenceSet
from dnabench_gan import model as gan_model
from dnabench_gan import training
from dnabench_gan.model import WassersteinGan
from dnabench_gan.networks import Critic, Generator, initialise


@pytest.fixture
def trained(tiny, random_dna, make_context):
    """``trained(**options)``: generator, critic and curves; the networks begin with the same weights every time."""

    def run(**changes):
        options = dataclasses.replace(tiny, **changes)
        sizes = {"channels": options.channels, "blocks": options.blocks, "length": random_dna.length}
        generator, critic = Generator(latent=options.latent, **sizes), Critic(**sizes)
        weights = torch.Generator().manual_seed(1)
        initialise(generator, weights)
        initialise(critic, weights)
        context = make_context(length=random_dna.length)
        curves = training.train(
            generator,
            critic,
            torch.from_numpy(random_dna.codes.copy()),
            options=options,
            random=torch.Generator().manual_seed(2),
            checkpoint=context.checkpoint("gan"),
            context=context,
        )
        return generator, critic, curves

    return run


@pytest.fixture
def seen(monkeypatch):
    """What training passes on: ``penalties`` (real, fake, mix, value) of each critic step, ``tables`` made."""
    calls = {"penalties": [], "tables": 0}
    penalty, table = training.gradient_penalty, training.one_hot_table

    def gradient_penalty(critic, real, fake, mix):
        value = penalty(critic, real, fake, mix)
        calls["penalties"].append((real, fake, mix, value.item()))
        return value

    def one_hot_table(device):
        calls["tables"] += 1
        return table(device)

    monkeypatch.setattr(training, "gradient_penalty", gradient_penalty)
    monkeypatch.setattr(training, "one_hot_table", one_hot_table)
    return calls


NO_STEPS = {"learning_rate": 0.0, "critic_learning_rate": 0.0}


def weights(network):
    return torch.cat([parameter.detach().ravel() for parameter in network.parameters()])


def test_every_critic_step_has_a_batch_noise_and_mixtures_of_its_own(trained, seen):
    trained(iterations=2, critic_steps=3, batch_size=7, **NO_STEPS)
    assert len(seen["penalties"]) == 2 * 3
    real, fake, mix = (torch.stack(parts) for parts in list(zip(*seen["penalties"], strict=True))[:3])
    assert real.shape == fake.shape == (6, 7, 4, 24)
    assert mix.shape == (6, 7, 1, 1)
    assert mix.min() >= 0
    assert mix.max() <= 1
    assert len(mix.unique()) == 6 * 7
    assert len(fake.flatten(0, 1).unique(dim=0)) == 6 * 7  # the weights stay, so the noise must differ
    assert len(real.unique(dim=0)) == 6
    assert seen["tables"] == 1


@pytest.mark.parametrize("penalty", [1.0, 7.5])
def test_the_penalty_enters_the_loss_times_its_weight(trained, seen, penalty):
    losses = []
    for weight in (0.0, penalty):
        *_, curves = trained(iterations=1, critic_steps=1, penalty=weight)
        losses.append(curves["critic"][0][1])
    (*_, without), (*_, value) = seen["penalties"]  # the first step of both: the same networks, batch and noise
    assert value == without > 0.1
    assert losses[1] - losses[0] == pytest.approx(penalty * value, rel=1e-5)


ONE_STEP = {"iterations": 1, "critic_steps": 1}


@pytest.mark.parametrize("rates", [(0.01, 0.1), (0.1, 0.01)])
def test_the_first_step_is_as_long_as_the_learning_rate(trained, rates):
    # Adam's first step is rate * g / (|g| + 1e-8) for every weight.
    before = trained(**NO_STEPS)
    after = trained(**ONE_STEP, ema_decay=0.0, learning_rate=rates[0], critic_learning_rate=rates[1])
    for network, moved, rate in zip(before[:2], after[:2], rates, strict=True):
        assert (weights(moved) - weights(network)).abs().max().item() == pytest.approx(rate, rel=1e-3)


@pytest.mark.parametrize(
    ("share", "factors"), [(1.0, (1, 1, 1, 1, 1)), (0.5, (1, 1, 1, 0.8, 0.4)), (0.0, (1, 0.8, 0.6, 0.4, 0.2))]
)
def test_step_sizes_fall_linearly_after_their_share(tiny, random_dna, make_context, share, factors):
    options = dataclasses.replace(tiny, iterations=5, constant_share=share, critic_learning_rate=2e-3)
    assert [training.fall(iteration, options) for iteration in range(5)] == pytest.approx(factors)
    context = make_context(length=24)
    WassersteinGan(options).fit(random_dna, context=context)
    state = context.checkpoint("gan").load()
    for name, rate in (("generator_adam", 1e-3), ("critic_adam", 2e-3)):
        assert state[name]["param_groups"][0]["lr"] == pytest.approx(rate * factors[-1])


@pytest.mark.parametrize(("option", "decays"), [(0.99, (1 / 10, 2 / 11)), (0.15, (1 / 10, 0.15)), (0.0, (0.0, 0.0))])
def test_the_average_of_two_iterations_by_hand(trained, option, decays):
    first, second = (trained(iterations=n, learning_rate=0.1, ema_decay=0.0)[0] for n in (1, 2))
    expected = weights(trained(**NO_STEPS)[0])  # the initial ones
    for decay, network in zip(decays, (first, second), strict=True):
        expected = decay * expected + (1 - decay) * weights(network)
    average, *_ = trained(iterations=2, learning_rate=0.1, ema_decay=option)
    torch.testing.assert_close(weights(average), expected)


def test_the_size_of_the_networks_does_not_move_the_training_noise(tiny, random_dna, make_context, monkeypatch):
    states = []

    def no_training(*_, random, **__):
        states.append(random.get_state())
        return {}

    monkeypatch.setattr(gan_model, "train_networks", no_training)
    for channels, seed in ((4, 0), (5, 0), (4, 1)):
        model = WassersteinGan(dataclasses.replace(tiny, channels=channels))
        model.fit(random_dna, context=make_context(seed=seed, length=24))
    assert torch.equal(states[0], states[1])
    assert not torch.equal(states[0], states[2])


PROBABILITIES = np.array([[0.1, 0.2, 0.3, 0.4], [1, 0, 0, 0], [0, 0, 0, 1], [0, 0.3, 0.7, 0], [0.6, 0.2, 0.1, 0.1]])
DRAWS = 20_000
FOUR_SD = 4 * 0.5 / DRAWS**0.5  # of a frequency, at most


class Known(nn.Module):
    """The same base probabilities whatever the latent vector."""

    inputs = 3

    def forward(self, z):
        return torch.tensor(PROBABILITIES.T, dtype=torch.float32).expand(len(z), -1, -1)


@pytest.fixture
def samples_of_known(tiny, make_context, monkeypatch):
    """Samples of a model whose network is the one above."""

    def sample(decode):
        monkeypatch.setattr(gan_model, "train_networks", lambda *_, **__: {})
        monkeypatch.setattr(WassersteinGan, "_new_generator", lambda _: Known())
        model = WassersteinGan(dataclasses.replace(tiny, decode=decode))
        model.fit(SequenceSet(np.zeros((1, 5), np.uint8)), context=make_context(length=5))
        return model.sample(DRAWS, context=make_context(length=5))

    return sample


def test_argmax_takes_the_most_probable_base(samples_of_known):
    assert (samples_of_known("argmax") == [3, 0, 3, 2, 0]).all()


def test_sample_draws_every_position_by_itself_from_its_probabilities(samples_of_known):
    samples = samples_of_known("sample")
    frequencies = np.stack([(samples == base).mean(0) for base in range(4)], axis=1)
    assert frequencies == pytest.approx(PROBABILITIES, abs=FOUR_SD)
    assert not frequencies[PROBABILITIES == 0].any()
    both = ((samples[:, 0] == 0) & (samples[:, 4] == 0)).mean()
    assert both == pytest.approx(0.1 * 0.6, abs=FOUR_SD)
    one_after_the_other = ((samples[:-1, 4] == 0) & (samples[1:, 4] == 0)).mean()
    assert one_after_the_other == pytest.approx(0.6**2, abs=FOUR_SD)
