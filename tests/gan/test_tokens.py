"""The networks on tokens: the critic's hand-written gradient, what reaches what, parameter counts."""

from __future__ import annotations

import pytest
import torch

from dnabench_gan.networks import initialise
from dnabench_gan.tokens import TokenCritic, TokenGenerator
from dnabench_gan.training import straight_through


def seeded(network):
    initialise(network, torch.Generator().manual_seed(0))
    return network


def critic(length: int, blocks: int = 3) -> TokenCritic:
    network = seeded(TokenCritic(channels=6, blocks=blocks, length=length)).double()
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if name.endswith("bias"):  # zero at first, which would leave ties at the kinks of padding
                parameter.uniform_(-0.1, 0.1, generator=torch.Generator().manual_seed(len(name)))
    return network


def sequences(count: int, length: int, **attributes) -> torch.Tensor:
    random = torch.Generator().manual_seed(1)
    return torch.rand(count, 4, length, dtype=torch.float64, generator=random, **attributes)


@pytest.mark.parametrize("length", [1, 6, 37, 64, 131])
@pytest.mark.parametrize("blocks", [1, 3])
def test_input_gradient_is_that_of_autograd(length, blocks):
    network, x = critic(length, blocks), sequences(5, length, requires_grad=True)
    scores = network(x)
    assert scores.shape == (5,)
    (expected,) = torch.autograd.grad(scores.sum(), x, create_graph=True)
    torch.testing.assert_close(network.input_gradient(x), expected)
    weights = [parameter for name, parameter in network.named_parameters() if name.endswith("weight")]
    ours = torch.autograd.grad(network.input_gradient(x).square().sum(), weights)
    torch.testing.assert_close(ours, torch.autograd.grad(expected.square().sum(), weights))


def test_a_score_depends_on_its_own_sequence_alone():
    network, x = critic(37), sequences(3, 37)
    torch.testing.assert_close(network(x)[1:2], network(x[1:2]))


@pytest.mark.parametrize(("blocks", "compares"), [(1, False), (3, True)])
def test_only_with_several_blocks_are_distant_parts_compared(blocks, compares):
    # Where a score is a sum over parts, what a change at one end is worth does not depend on the other end.
    network, x = critic(128, blocks), 9 * sequences(200, 128)
    start, end, both = x[:100].clone(), x[:100].clone(), x[:100].clone()
    start[..., :16] = both[..., :16] = x[100:, :, :16]
    end[..., -16:] = both[..., -16:] = x[100:, :, -16:]
    with torch.no_grad():
        interaction = network(both) - network(start) - network(end) + network(x[:100])
    assert (interaction.abs().max().item() > 1e-3) is compares


def test_outputs_lie_on_the_simplex_and_all_inputs_count():
    network = seeded(TokenGenerator(latent=6, noise=3, channels=5, blocks=2, length=39))
    assert network.inputs == 6 + 3 * 10  # 39 bp are 10 tokens of 4
    z = torch.randn(7, network.inputs, generator=torch.Generator().manual_seed(1), requires_grad=True)
    probabilities = network(z)
    assert probabilities.shape == (7, 4, 39)
    torch.testing.assert_close(probabilities.sum(1), torch.ones(7, 39))
    (gradient,) = torch.autograd.grad(probabilities[:, 0].sum(), z)
    assert gradient.abs().sum(0).min() > 0


def test_noise_acts_where_it_is_and_the_latent_vector_everywhere():
    network = seeded(TokenGenerator(latent=6, noise=3, channels=32, blocks=1, length=400))
    z = torch.randn(2, network.inputs, generator=torch.Generator().manual_seed(1))
    base = network(z[:1])
    noise, latent = z[:1].clone(), z[:1].clone()
    noise[:, 6:].unflatten(1, (3, 100))[..., 50] += 1  # token 50: 200 to 203
    latent[:, :6] = z[1:, :6]
    moved = (network(noise) - base).abs().amax(1)[0].nonzero()[:, 0]
    # Two convolutions of 3 in the block, one before: 3 tokens; the last reads 4 bp further to either side.
    assert 200 - 12 - 4 <= moved.min() <= 200 - 4
    assert 203 + 4 <= moved.max() <= 203 + 12 + 4
    assert ((network(latent) - base).abs().amax(1) > 0).all()


def test_parameter_counts():
    count = lambda network: sum(parameter.numel() for parameter in network.parameters())  # noqa: E731
    # By hand, at 16 channels and 256 bp, 64 tokens. A block: two convolutions of 3, 2 * (16 * 16 * 3 + 16) = 1,568.
    # Generator: 100 * 1,024 + 1,024, noise 8 * 16 * 3 + 16, two blocks, output 16 * 4 * 12 + 4.
    generator = TokenGenerator(latent=100, noise=8, channels=16, blocks=2, length=256)
    assert count(generator) == 103_424 + 400 + 2 * 1_568 + 772
    # Critic: 4 * 16 * 12 + 16, three blocks, a score each from 64, 16 and 4 tokens.
    assert count(TokenCritic(channels=16, blocks=3, length=256)) == 784 + 3 * 1_568 + 16 * (64 + 16 + 4) + 3


def test_straight_through_draws_bases_and_passes_the_gradient_on_as_it_is():
    logits = torch.tensor([[0.0, 1.0, -1.0, 0.5]], dtype=torch.float64).view(1, 4, 1).requires_grad_()
    probabilities = logits.softmax(1)
    edges = probabilities.detach().cumsum(1)[0, :, 0]
    for base, uniform in enumerate(edges - 1e-6):
        drawn = straight_through(probabilities, uniform.view(1, 1), torch.eye(4, dtype=torch.float64))
        torch.testing.assert_close(drawn.detach()[0, :, 0], torch.eye(4, dtype=torch.float64)[base])
        worth = torch.tensor([3.0, -1.0, 2.0, 0.0], dtype=torch.float64)
        (gradient,) = torch.autograd.grad((drawn[0, :, 0] * worth).sum(), logits, retain_graph=True)
        p = probabilities.detach()[0, :, 0]
        torch.testing.assert_close(gradient[0, :, 0], p * (worth - (p * worth).sum()))  # of a softmax, by hand
