"""Shapes, simplex outputs, parameter counts, initial weights and the critic's hand-written gradient."""

from __future__ import annotations

import math

import pytest
import torch
from torch.nn import functional as F

from dnabench_gan.networks import Critic, Generator, ResidualBlock, initialise
from dnabench_gan.options import PRESETS, GanOptions


def seeded(network):
    initialise(network, torch.Generator().manual_seed(0))
    return network


def count(network) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


@pytest.mark.parametrize("length", [1, 7, 50])
def test_generator_outputs_lie_on_the_simplex(length):
    network = seeded(Generator(latent=6, channels=5, blocks=2, length=length))
    probabilities = network(torch.randn(3, 6, generator=torch.Generator().manual_seed(1)))
    assert probabilities.shape == (3, 4, length)
    assert probabilities.min() > 0
    torch.testing.assert_close(probabilities.sum(1), torch.ones(3, length))


def test_critic_gives_one_score_per_sequence():
    network = seeded(Critic(channels=5, blocks=2, length=9))
    x = torch.rand(3, 4, 9, generator=torch.Generator().manual_seed(1))
    assert network(x).shape == (3,)
    torch.testing.assert_close(network(x)[1:2], network(x[1:2]))


def test_residual_block_adds_three_tenths_of_its_branch():
    block = ResidualBlock(2)
    x = torch.tensor([[[1.0, -2.0, 3.0], [0.5, 4.0, -1.0]]])
    with torch.no_grad():
        for layer in (block.first, block.second):
            layer.weight.zero_()
            layer.bias.zero_()
            layer.weight[0, 0, 2] = layer.weight[1, 1, 2] = 1.0  # each convolution is the identity
        # the branch is then relu(relu(x)): 1.3 x where x is positive, x where it is not
        torch.testing.assert_close(block(x), torch.where(x > 0, 1.3 * x, x))


def test_parameter_counts_of_the_paper_preset():
    options = GanOptions(**PRESETS["paper"])
    assert (options.latent, options.channels, options.blocks) == (100, 100, 5)
    generator = Generator(latent=100, channels=100, blocks=5, length=256)
    critic = Critic(channels=100, blocks=5, length=256)
    # By hand: a convolution of width 5 has 100 * 100 * 5 + 100 = 50,100 parameters, two in each of 5 blocks: 501,000.
    # Generator: linear 100 * 25,600 + 25,600 = 2,585,600; last convolution 4 * 100 + 4 = 404.
    assert count(generator) == 2_585_600 + 501_000 + 404
    # Critic: first convolution 100 * 4 + 100 = 500; linear 25,600 + 1 = 25,601.
    assert count(critic) == 500 + 501_000 + 25_601


def test_initial_weights_have_the_bounds_of_the_paper_code():
    network = seeded(Generator(latent=20, channels=30, blocks=1, length=40))
    convolution, linear = network.blocks[0].first.weight, network.input.weight
    bound = math.sqrt(3) * math.sqrt(4 / (5 * 30 + 5 * 30))
    assert 0.98 * bound < convolution.abs().max() <= bound
    bound = math.sqrt(3) * math.sqrt(2 / (20 + 30 * 40))
    assert 0.98 * bound < linear.abs().max() <= bound
    assert all(not p.any() for name, p in network.named_parameters() if name.endswith("bias"))


def test_input_gradient_is_that_of_autograd():
    critic = seeded(Critic(channels=6, blocks=3, length=17)).double()
    x = torch.rand(5, 4, 17, dtype=torch.float64, generator=torch.Generator().manual_seed(2), requires_grad=True)
    (expected,) = torch.autograd.grad(critic(x).sum(), x, create_graph=True)
    torch.testing.assert_close(critic.input_gradient(x), expected)

    # ... and so is its derivative by every weight, which is what the penalty's training signal consists of.
    weights = [parameter for name, parameter in critic.named_parameters() if name.endswith("weight")]
    ours = torch.autograd.grad(critic.input_gradient(x).square().sum(), weights)
    torch.testing.assert_close(ours, torch.autograd.grad(expected.square().sum(), weights))


def test_input_gradient_against_finite_differences():
    critic = seeded(Critic(channels=4, blocks=1, length=6)).double()
    x = torch.rand(1, 4, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(3))
    with torch.no_grad():
        gradient = critic.input_gradient(x)
        for base, position in ((0, 0), (2, 3), (3, 5)):
            step = 1e-6 * F.one_hot(torch.tensor(base * 6 + position), 24).view(1, 4, 6)
            slope = (critic(x + step) - critic(x - step)) / 2e-6
            assert slope.item() == pytest.approx(gradient[0, base, position].item(), rel=1e-5)
