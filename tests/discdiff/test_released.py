"""The released networks: sizes worked out from the paper's code by hand, what they look at, that they learn."""

from __future__ import annotations

import math
import sys
from itertools import pairwise

import pytest
import torch
from torch import nn

from dnabench import UserError
from dnabench_discdiff.autoencoder import evidence_loss
from dnabench_discdiff.released.autoencoder import ReleasedAutoencoder, padded_length, stage_widths

GENERATOR = torch.Generator()
NO_LABELS = torch.zeros(2, 0, dtype=torch.int64)


@pytest.fixture(autouse=True)
def _fixed_weights():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield


def random_codes(n: int, length: int, letters: int = 4) -> torch.Tensor:
    return torch.randint(letters, (n, length), generator=torch.Generator().manual_seed(5))


def size(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


def pre_activated(channels_in: int, channels_out: int, kernel: int) -> int:
    """Parameters of GroupNorm, GELU, convolution."""
    return 2 * channels_in + channels_in * channels_out * kernel + channels_out


def stage(channels_in: int, channels_out: int, kernel: int) -> int:
    return pre_activated(channels_in, channels_out, kernel) + pre_activated(channels_out, channels_out, 1)


@pytest.mark.parametrize(
    ("length", "total", "widths"), [(2048, 454_785, [64, 76, 90, 108, 128]), (256, 129_857, [64, 128])]
)
def test_the_autoencoder_has_the_released_size(length, total, widths):
    model = ReleasedAutoencoder(length)
    assert size(model) == total
    assert model.latent_shape == (16, 16, 16)
    assert stage_widths(len(widths) - 1) == widths
    steps = list(pairwise(widths))
    encoder = stage(4, 64, 15) + sum(stage(a, b, 5) for a, b in steps)
    decoder = sum(stage(b, a, 5) for a, b in steps) + stage(64, 4, 15)
    assert size(model.sequence_encoder) == encoder
    assert size(model.sequence_decoder) == decoder
    if length == 2048:
        assert (encoder, decoder) == (228_648, 212_032)  # counted on the authors' code
    # Convolutions of 9 weights per pair and BatchNorm's two per channel; 1 x 1 into and out of the latent.
    assert size(model.image_encoder) == 9 * (8 + 8 * 16 + 16 * 32) + 3 * (8 + 16 + 32) + 32 * 32 + 32
    assert size(model.image_decoder) == 16 * 32 + 32 + 9 * (32 * 16 + 16 * 8 + 8 * 8) + 3 * (16 + 8 + 8) + 9 * 8 + 1


@pytest.mark.parametrize("length", [128, 256, 512, 2048])
def test_shapes_there_and_back(length):
    model = ReleasedAutoencoder(length).eval()
    codes = random_codes(2, length, letters=5)
    mean, log_variance = model.encode(codes, NO_LABELS)
    assert mean.shape == log_variance.shape == (2, *model.latent_shape)
    assert model.latent_shape == (16, 8 if length == 128 else 16, 16)
    logits = model.logits(mean, codes, NO_LABELS)
    assert logits.shape == (2, length, 4)
    bases = model.decode(mean, NO_LABELS, GENERATOR, length - 3)
    assert torch.equal(bases, logits.argmax(-1)[:, :-3])
    assert bases.dtype == torch.int64


@pytest.mark.parametrize(
    ("length", "padded"),
    [(1, 128), (128, 128), (129, 256), (200, 256), (251, 256), (256, 256), (257, 512), (1000, 1024), (2048, 2048)],
)
def test_lengths_that_the_networks_take(length, padded):
    assert padded_length(length) == padded
    if length != padded:
        with pytest.raises(UserError, match=f"takes sequences of {padded} bp, not of {length} bp: pad them with N"):
            ReleasedAutoencoder(length)


def test_one_dimensional_weights_start_as_released():
    model = ReleasedAutoencoder(2048)
    convolution = model.sequence_encoder[-2].conv[-1]  # 108 -> 128, width 5: 69,120 weights
    assert convolution.weight.shape == (128, 108, 5)
    assert convolution.weight.std().item() == pytest.approx(math.sqrt(2 / (5 * 128)), rel=0.02)
    norms = [module for module in model.modules() if isinstance(module, nn.GroupNorm)]
    assert len(norms) == 20
    assert all(norm.num_groups == norm.num_channels for norm in norms)
    # PyTorch's own: uniform within 1 / sqrt(fan-in), which for a transposed convolution is channels out x kernel.
    transposed = model.sequence_decoder[1].conv[-1]
    assert transposed.weight.shape == (128, 108, 5)
    assert transposed.weight.abs().max().item() == pytest.approx(1 / math.sqrt(108 * 5), rel=1e-3)


def test_an_unknown_base_is_between_the_known_ones():
    # The first convolution is linear and its normalisation was taken out: N is the mean of A, C, G and T.
    model = ReleasedAutoencoder(128).eval()
    stem = model.sequence_encoder[0].conv
    stem[0], stem[1] = nn.Identity(), nn.Identity()
    seen = {}
    stem.register_forward_hook(lambda module, inputs, out: seen.setdefault(len(seen), out))
    codes = random_codes(1, 128)
    for base in range(5):
        codes[0, 60] = base
        model.encode(codes, NO_LABELS[:1])
    torch.testing.assert_close(seen[4], torch.stack([seen[base] for base in range(4)]).mean(0))


def test_log_variances_are_clamped():
    model = ReleasedAutoencoder(128).eval()
    last = model.image_encoder[-1]
    with torch.no_grad():
        last.weight.zero_()
        last.bias.copy_(torch.tensor([100.0] * 16 + [100.0] * 8 + [-100.0] * 8))
    mean, log_variance = model.encode(random_codes(1, 128), NO_LABELS[:1])
    assert mean.unique().tolist() == [100]
    assert log_variance[:, :8].unique().tolist() == [20]
    assert log_variance[:, 8:].unique().tolist() == [-30]


def test_training_latents_depend_on_the_batch_and_others_do_not():
    model = ReleasedAutoencoder(256)
    codes = random_codes(4, 256)
    codes[2:, :128] = 0  # unlike the first two
    labels = torch.zeros(4, 0, dtype=torch.int64)
    alone, together = (model.encode(codes[:k], labels[:k])[0][:2] for k in (2, 4))
    assert (alone - together).abs().max() > 0.01
    assert model.image_encoder[0][1].num_batches_tracked == 2
    model.eval()
    alone, together = (model.encode(codes[:k], labels[:k])[0][:2] for k in (2, 4))
    torch.testing.assert_close(alone, together)
    assert model.image_encoder[0][1].num_batches_tracked == 2


def test_the_whole_autoencoder_learns_at_2048_bp():
    def losses() -> list[float]:
        torch.manual_seed(1)
        model, codes = ReleasedAutoencoder(2048), random_codes(2, 2048)
        optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
        noise = torch.randn(2, *model.latent_shape)
        found = []
        for _ in range(5):
            posterior = model.encode(codes, NO_LABELS)
            loss = evidence_loss(model, codes, NO_LABELS, posterior, noise, 1e-6, 0.0)
            optimizer.zero_grad()
            loss.backward()
            missed = [name for name, p in model.named_parameters() if p.grad is None or not p.grad.isfinite().all()]
            still = [name for name, p in model.named_parameters() if not p.grad.any()]
            assert not missed
            assert not still
            optimizer.step()
            found.append(loss.item())
        return found

    found = losses()
    assert found[-1] < found[0] - 0.1
    assert losses() == found


def narrow(shape: tuple[int, ...] = (16, 16, 16), values: tuple[int, ...] = ()) -> nn.Module:
    pytest.importorskip("diffusers", reason="the extra 'paper' is not installed")
    from dnabench_discdiff.released.denoiser import ReleasedDenoiser

    return ReleasedDenoiser(shape, width=32, layers=1, values=values)


def test_the_denoiser_has_the_released_size():
    pytest.importorskip("diffusers", reason="the extra 'paper' is not installed")
    from dnabench_discdiff.released.denoiser import ReleasedDenoiser

    with torch.device("meta"):
        model, conditional = (ReleasedDenoiser((16, 16, 16), values=values) for values in ((), (15, 2)))
        shapes = []
        for block in model.unet.down_blocks:
            block.register_forward_hook(lambda module, inputs, out: shapes.append(tuple(out[0].shape[1:])))
        t = torch.zeros(2, dtype=torch.int64)
        predicted = model(torch.zeros(2, 16, 16, 16), t, torch.zeros(2, 0, dtype=torch.int64))
    assert size(model) == 330_339_344
    assert size(conditional) == 330_339_344 + (16 + 3) * 4 * 256
    assert shapes == [(256, 8, 8), (256, 4, 4), (512, 2, 2), (512, 2, 2)]
    assert predicted.shape == (2, 16, 16, 16)


@pytest.mark.parametrize("shape", [(16, 16, 16), (16, 8, 16), (4, 24, 8)])
def test_latents_that_the_denoiser_takes(shape):
    x = torch.randn(2, *shape)
    out = narrow(shape)(x, torch.tensor([0, 999]), NO_LABELS)
    assert out.shape == x.shape
    assert out.dtype == torch.float32


def test_what_the_denoiser_does_not_take():
    from dnabench_discdiff.released.denoiser import ReleasedDenoiser

    with pytest.raises(UserError, match="sides are multiples of 8, not of 13 x 16"):
        ReleasedDenoiser((16, 13, 16))
    for width in (0, 16, 48):
        with pytest.raises(UserError, match=f"multiples of 32, not {width}"):
            ReleasedDenoiser((16, 16, 16), width=width)


def test_without_diffusers_it_says_what_to_install(monkeypatch):
    from dnabench_discdiff.released.denoiser import ReleasedDenoiser

    monkeypatch.setitem(sys.modules, "diffusers", None)
    with pytest.raises(UserError, match=r"needs diffusers: pip install 'dnabench\[paper\]'"):
        ReleasedDenoiser((16, 16, 16))


def test_labels_change_the_prediction_and_only_their_own_rows():
    torch.manual_seed(3)
    plain = narrow()
    torch.manual_seed(3)
    model = narrow(values=(3, 2))
    x, t = torch.randn(2, 16, 16, 16), torch.tensor([10, 900])
    untold = torch.tensor([[3, 2], [3, 2]])
    told = torch.tensor([[1, 2], [3, 2]])
    # Tables of 0: the released network, whatever the labels.
    torch.testing.assert_close(model(x, t, told), plain(x, t, NO_LABELS))
    for table in model.tell.parameters():
        nn.init.normal_(table)
    before, after = model(x, t, untold), model(x, t, told)
    assert (after - before)[0].abs().max() > 0.01
    torch.testing.assert_close(after[1], before[1])
    # "No label" is the last row of each table, and the rows of a sequence's labels are added up.
    with torch.no_grad():
        first, second = (table.weight for table in model.tell.tables)
        first[0] = first[3] + second[2] - second[1]
    torch.testing.assert_close(model(x, t, torch.tensor([[0, 1], [0, 1]])), before, rtol=1e-4, atol=1e-5)
    assert (model(x, t.flip(0), untold) - before).abs().max() > 0.01


def test_written_out_attention_equals_the_fused_one():
    model = narrow()
    from diffusers.models.attention_processor import Attention, AttnProcessor2_0

    x, t = torch.randn(2, 16, 16, 16), torch.tensor([10, 900])
    ours = model(x, t, NO_LABELS)
    attentions = [module for module in model.modules() if isinstance(module, Attention)]
    assert len(attentions) == 4  # a layer down, two up, the middle
    for module in attentions:
        module.set_processor(AttnProcessor2_0())
    torch.testing.assert_close(model(x, t, NO_LABELS), ours, rtol=1e-4, atol=1e-5)


def test_a_narrow_denoiser_learns():
    def losses() -> list[float]:
        torch.manual_seed(2)
        model = narrow(values=(3,))
        optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3)
        x, noise, t = torch.randn(4, 16, 16, 16), torch.randn(4, 16, 16, 16), torch.tensor([5, 100, 500, 990])
        found = []
        for _ in range(6):
            loss = (model(x, t, torch.tensor([[0], [1], [2], [3]])) - noise).square().mean()
            optimizer.zero_grad()
            loss.backward()
            assert not [name for name, p in model.named_parameters() if p.grad is None or not p.grad.any()]
            optimizer.step()
            found.append(loss.item())
        return found

    found = losses()
    assert found[-1] < 0.95 * found[0]
    assert losses() == found


@pytest.mark.slow
def test_a_training_step_of_the_released_denoiser():
    """All 330 million parameters and the released optimiser: 5.7 GB."""
    pytest.importorskip("diffusers", reason="the extra 'paper' is not installed")
    from dnabench_discdiff.released.denoiser import ReleasedDenoiser

    model = ReleasedDenoiser((16, 16, 16))
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-5, fused=True)
    x, noise, t = torch.randn(1, 16, 16, 16), torch.randn(1, 16, 16, 16), torch.tensor([500])
    before = (model(x, t, NO_LABELS[:1]) - noise).square().mean()
    before.backward()
    assert not [name for name, p in model.named_parameters() if p.grad is None or not p.grad.any()]
    optimizer.step()
    with torch.no_grad():
        after = (model(x, t, NO_LABELS[:1]) - noise).square().mean()
    assert after < 0.95 * before


def test_an_n_is_learned_as_a_quarter_of_each_base():
    """Cross-entropy with the released soft targets, by torch."""
    model, codes = ReleasedAutoencoder(256).eval(), random_codes(2, 256, letters=5)
    with torch.no_grad():
        posterior = model.encode(codes, NO_LABELS)
        logits = model.logits(posterior[0], codes, NO_LABELS)
        loss = evidence_loss(model, codes, NO_LABELS, posterior, torch.zeros(2, 16, 16, 16), 0.0, 0.0)
    targets = torch.cat([torch.eye(4), torch.full((1, 4), 0.25)])[codes]
    expected = nn.functional.cross_entropy(logits.reshape(-1, 4), targets.reshape(-1, 4), reduction="sum") / (2 * 256)
    torch.testing.assert_close(loss, expected)
