"""The networks: shapes, causality, closed forms."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.distributions import Normal

from dnabench import SequenceSet
from dnabench_discdiff.autoencoder import Autoencoder, evidence_loss, kl_divergence, most_probable, one_hot
from dnabench_discdiff.blocks import KERNELS, Attention, Block, Convolution
from dnabench_discdiff.decoders import AutoregressiveHead
from dnabench_discdiff.denoiser import Denoiser, time_features


@pytest.fixture(autouse=True)
def _fixed_weights():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield


def autoencoder(decoder: str = "autoregressive", length: int = 64) -> Autoencoder:
    return Autoencoder(length, channels=3, width=32, decoder=decoder, head_width=16)


def no_labels(n: int) -> torch.Tensor:
    return torch.zeros(n, 0, dtype=torch.int64)


def one_kind(n: int) -> torch.Tensor:
    return torch.zeros(n, dtype=torch.int64)


def loss_of(model, codes, noise, weight, free, *average) -> torch.Tensor:
    labels = no_labels(len(codes))
    return evidence_loss(model, codes, labels, model.encode(codes, labels), noise, weight, free, *average)


def random_codes(n: int, length: int, letters: int = 4) -> torch.Tensor:
    return torch.randint(letters, (n, length), generator=torch.Generator().manual_seed(5))


@pytest.mark.parametrize("decoder", ["autoregressive", "conv"])
@pytest.mark.parametrize("length", [16, 80, 256])
def test_autoencoder_shapes(decoder, length):
    model = autoencoder(decoder, length)
    codes = random_codes(2, length)
    mean, log_variance = model.encode(codes, no_labels(2))
    assert mean.shape == log_variance.shape == (2, length // 16, 3) == (2, *model.latent_shape)
    assert model.logits(mean, codes, no_labels(2)).shape == (2, length, 4)
    bases = model.decode(mean, no_labels(2), torch.Generator().manual_seed(0), length - 3)
    assert bases.shape == (2, length - 3)
    assert set(bases.unique().tolist()) <= {0, 1, 2, 3}


@pytest.mark.parametrize("tokens", [1, 2, 3, 4, 6, 16])
def test_denoiser_shapes_for_any_number_of_tokens(tokens):
    model = Denoiser(tokens, 3, width=32, blocks=1)
    torch.nn.init.normal_(model.write.weight)
    x = torch.randn(2, tokens, 3)
    out = model(x, torch.tensor([0, 999]), no_labels(2))
    assert out.shape == x.shape
    assert out.dtype == torch.float32
    assert len(model.merge) == {1: 0, 2: 1, 3: 0, 4: 2, 6: 1, 16: 2}[tokens]


def test_denoiser_looks_at_time_and_at_all_tokens():
    model = Denoiser(8, 3, width=32, blocks=1)
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    x = torch.randn(1, 8, 3)
    here, later = torch.tensor([10]), torch.tensor([900])
    nothing = no_labels(1)
    assert (model(x, here, nothing) - model(x, later, nothing)).abs().max() > 1e-2
    changed = x.clone()
    changed[:, 7] += 1
    assert ((model(changed, here, nothing) - model(x, here, nothing)).abs().amax(-1) > 1e-6).all()


def test_a_fresh_block_is_the_identity():
    x = torch.randn(2, 4, 32)
    torch.testing.assert_close(Block(32)(x), x)
    torch.testing.assert_close(Block(32, condition=8)(x, torch.randn(2, 8)), x)
    torch.testing.assert_close(Block(32, mixer="multi-scale")(x), x)


def test_attention_equals_torchs():
    attention, x = Attention(64), torch.randn(3, 5, 64)
    theirs = torch.nn.MultiheadAttention(64, 2, batch_first=True)
    theirs.load_state_dict(
        {
            "in_proj_weight": attention.to_qkv.weight,
            "in_proj_bias": attention.to_qkv.bias,
            "out_proj.weight": attention.project.weight,
            "out_proj.bias": attention.project.bias,
        }
    )
    torch.testing.assert_close(attention(x), theirs(x, x, x)[0], atol=1e-5, rtol=1e-4)


def test_time_features_by_hand():
    features = time_features(torch.tensor([0, 7]), 4)
    np.testing.assert_allclose(features[0], [0, 0, 1, 1], atol=1e-7)
    np.testing.assert_allclose(features[1], [np.sin(7), np.sin(0.07), np.cos(7), np.cos(0.07)], atol=1e-6)


def test_kl_divergence_equals_torchs():
    mean, log_variance = torch.randn(2, 50)
    theirs = torch.distributions.kl_divergence(Normal(mean, (0.5 * log_variance).exp()), Normal(0.0, 1.0))
    torch.testing.assert_close(kl_divergence(mean, log_variance), theirs)
    assert kl_divergence(torch.zeros(1), torch.zeros(1)).item() == 0


def test_one_hot_is_the_cores():
    codes = random_codes(3, 32, letters=5)
    expected = SequenceSet(codes.numpy().astype(np.uint8)).one_hot()
    assert torch.equal(one_hot(codes), expected)
    assert (one_hot(codes).sum(1) == 1).all()


@pytest.mark.parametrize("length", [64, 57])
def test_a_token_of_the_latent_is_told_to_its_own_16_bases(length):
    head = AutoregressiveHead(length, width=8, hidden=16)
    tokens, codes = torch.randn(2, 4, 8), random_codes(2, length)
    before = head(tokens, codes, one_kind(2))
    for token in range(4):
        changed = tokens.clone()
        changed[:, token] += 1
        difference = (head(changed, codes, one_kind(2)) - before).abs().amax((0, 2))
        first = 16 * token
        assert (difference[:first] == 0).all()
        assert (difference[first : first + 9] > 0).all()
        # It is told to these bases alone: the state that they leave fades, and does not grow, in those after them.
        assert (difference[first + 16 :] < difference[first : first + 16].max()).all()


def test_a_position_has_an_embedding_of_its_own():
    head = AutoregressiveHead(64, width=8, hidden=16)
    tokens, codes = torch.randn(2, 4, 8), random_codes(2, 64)
    before = head(tokens, codes, one_kind(2))
    with torch.no_grad():
        head.position.weight[37] += 1
    difference = (head(tokens, codes, one_kind(2)) - before).abs().amax((0, 2))
    assert (difference[:37] == 0).all()
    assert (difference[37:46] > 0).all()


@pytest.mark.parametrize("position", [0, 5, 62])
def test_a_base_changes_no_logits_at_or_before_it(position):
    head = AutoregressiveHead(64, width=8, hidden=16)
    tokens, codes = torch.randn(2, 4, 8), random_codes(2, 64)
    changed = codes.clone()
    changed[:, position] = (codes[:, position] + 1) % 4
    difference = (head(tokens, changed, one_kind(2)) - head(tokens, codes, one_kind(2))).abs().amax((0, 2))
    assert (difference[: position + 1] == 0).all()
    assert (difference[position + 1 : position + 9] > 0).all()  # a fresh LSTM forgets in the end


def test_sampling_one_by_one_has_the_probabilities_of_teacher_forcing():
    head = AutoregressiveHead(48, width=8, hidden=16)
    codes = random_codes(40, 48)
    head.chain.count(codes.to(torch.uint8), one_kind(40))
    tokens, steps = torch.randn(3, 3, 8), []

    def choose(t, p, drawn):
        steps.append(p)
        return drawn

    drawn = head.sample(tokens, one_kind(3), torch.Generator().manual_seed(2), 45, choose)
    full = torch.nn.functional.pad(drawn, (0, 3))
    expected = head(tokens, full, one_kind(3)).softmax(-1)[:, :45]
    torch.testing.assert_close(torch.stack(steps, 1), expected, atol=1e-5, rtol=1e-4)


def test_sampling_follows_the_softmax():
    head = AutoregressiveHead(16, width=1, hidden=8)
    with torch.no_grad():
        head.write.weight.zero_()
        head.write.bias.copy_(torch.tensor([0.1, 0.2, 0.3, 0.4]).log())
    codes = head.sample(torch.zeros(4000, 1, 1), one_kind(4000), torch.Generator().manual_seed(3), 16)
    shares = torch.bincount(codes.flatten(), minlength=4) / codes.numel()
    np.testing.assert_allclose(shares, [0.1, 0.2, 0.3, 0.4], atol=0.01)  # five standard errors of 0.002


def test_the_conv_decoder_takes_the_most_probable_base_and_ignores_the_truth():
    model = autoencoder("conv")
    z = torch.randn(2, *model.latent_shape)
    logits = model.logits(z, random_codes(2, 64), no_labels(2))
    assert torch.equal(logits, model.logits(z, torch.zeros(2, 64), no_labels(2)))
    assert torch.equal(model.decode(z, no_labels(2), torch.Generator(), 60), logits.argmax(-1)[:, :60])


def test_the_most_probable_base_is_argmax():
    logits = torch.randint(3, (500, 7, 4)).float()  # ties too: the first of them
    assert torch.equal(most_probable(logits), logits.argmax(-1))


@pytest.mark.parametrize("mixer", ["conv", "multi-scale"])
def test_convolutions_of_tokens_equal_dense_ones(mixer):
    """Written out token by token and channel by channel."""
    layer, x = Convolution(32, KERNELS[mixer]), torch.randn(2, 9, 32)
    expected = torch.zeros(2, 9, 32)
    channel = 0
    for conv in layer.depthwise:
        width = conv.kernel_size[0]
        for weight, bias in zip(conv.weight[:, 0], conv.bias, strict=True):
            for token in range(9):
                for tap in range(width):
                    if 0 <= token + tap - width // 2 < 9:
                        expected[:, token, channel] += weight[tap] * x[:, token + tap - width // 2, channel]
            expected[..., channel] += bias
            channel += 1
    torch.testing.assert_close(layer(x), layer.project(expected), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("decoder", ["autoregressive", "conv"])
@pytest.mark.parametrize(("weight", "free"), [(0.0, 0.0), (0.7, 0.0), (1.0, 0.01), (1.0, 1e6)])
def test_loss_is_cross_entropy_plus_weighted_kl_beyond_the_free_nats(decoder, weight, free):
    model, codes = autoencoder(decoder), random_codes(2, 64)
    noise = torch.randn(2, *model.latent_shape)
    mean, log_variance = model.encode(codes, no_labels(2))
    logits = model.logits(mean + log_variance.exp().sqrt() * noise, codes, no_labels(2))
    log_p = logits.log_softmax(-1).gather(-1, codes[..., None]).sum()
    kl = torch.distributions.kl_divergence(Normal(mean, log_variance.exp().sqrt()), Normal(0.0, 1.0)).sum()
    per_sequence = kl / 2 - 4 * free  # two sequences of four tokens
    assert (per_sequence > 0) == (free < 1)
    expected = -log_p / (2 * 64) + weight * max(per_sequence, torch.tensor(0.0)) / 64
    torch.testing.assert_close(loss_of(model, codes, noise, weight, free), expected)


@pytest.mark.parametrize("beyond", [True, False])
def test_gradients_of_shares_average_to_the_batchs_on_either_side_of_the_free_nats(beyond):
    """One share lies beyond what is free and the other does not; the whole batch decides."""
    model, codes = autoencoder(), random_codes(6, 64)
    torch.nn.init.normal_(model.encoder.write.weight)
    noise = torch.randn(6, *model.latent_shape)

    def excess(rows: slice, free_nats: float) -> torch.Tensor:
        return (
            kl_divergence(*model.encode(codes[rows], no_labels(len(codes[rows])))).sum(-1).mean().detach() - free_nats
        )

    def gradient(rows: slice, free_nats: float, *average) -> torch.Tensor:
        loss = loss_of(model, codes[rows], noise[rows], 1.0, free_nats, *average)
        return torch.cat([g.flatten() for g in torch.autograd.grad(loss, list(model.parameters()))])

    shares, whole = (slice(0, None, 2), slice(1, None, 2)), slice(None)
    free_nats = excess(whole, 0.0).item() * (1 - 1e-4 if beyond else 1 + 1e-4)
    assert sorted(excess(share, free_nats).item() > 0 for share in shares) == [False, True]
    expected = gradient(whole, free_nats)
    each = [gradient(share, free_nats, lambda _: excess(whole, free_nats)) for share in shares]
    torch.testing.assert_close(sum(each) / 2, expected, atol=1e-5 * expected.abs().max().item(), rtol=1e-4)
    alone = sum(gradient(share, free_nats) for share in shares) / 2
    assert (alone - expected).norm() > 0.1 * expected.norm()


def test_an_n_adds_no_loss_and_no_gradient_at_its_position():
    model, codes = autoencoder(), random_codes(1, 64)
    codes[:, 10:] = 4
    noise = torch.zeros(1, *model.latent_shape)
    mean, _ = model.encode(codes, no_labels(1))
    logits = model.logits(mean, codes, no_labels(1))
    log_p = logits.log_softmax(-1)[:, :10].gather(-1, codes[:, :10, None]).sum()
    torch.testing.assert_close(loss_of(model, codes, noise, 0.0, 0.0), -log_p / 64)
    assert torch.isfinite(logits).all()
