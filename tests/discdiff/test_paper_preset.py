"""The preset ``paper`` from data to sequences: its steps and widths are cut down, the rest is as it is."""

from __future__ import annotations

import time

import numpy as np
import pandas as pd
import pytest
import torch

from dnabench import Context, SequenceSet
from dnabench.options import build
from dnabench_discdiff.model import DiscDiff
from dnabench_discdiff.options import PRESETS, DiscDiffOptions
from dnabench_discdiff.released.autoencoder import ReleasedAutoencoder
from dnabench_discdiff.released.denoiser import ReleasedDenoiser
from dnabench_discdiff.training import recipe

CUT = {
    "autoencoder_steps": 4,
    "autoencoder_batch": 6,
    "denoiser_width": 32,
    "denoiser_blocks": 1,
    "denoiser_steps": 4,
    "denoiser_batch": 6,
    "sampler": "dpm-solver",
    "sampling_steps": 2,
}
DUE = 0.5
"""Seconds between checkpoints."""


def paper(**changes) -> DiscDiff:
    return DiscDiff(build(DiscDiffOptions, "discdiff", PRESETS["paper"], {**CUT, **changes}))


def sequences(length: int = 200) -> SequenceSet:
    rng = np.random.default_rng(0)
    labels = pd.DataFrame({"species": np.where(rng.random(20) < 0.5, "a", "b")})
    return SequenceSet(rng.integers(0, 5, (20, length), dtype=np.uint8), labels=labels)


@pytest.fixture(autouse=True)
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.slow
@pytest.mark.parametrize(("length", "changes"), [(200, {}), (256, {"condition": "species", "guidance": 2.0})])
def test_from_data_to_sequences(make_context, tmp_path, length, changes):
    model = paper(**changes)
    model.fit(sequences(length), context=make_context(length=length, seed=1))
    assert isinstance(model.autoencoder, ReleasedAutoencoder)
    assert isinstance(model.denoiser, ReleasedDenoiser)
    assert (model.padded, model.before) == (256, (256 - length) // 2)
    assert not model.autoencoder.training
    model.save(tmp_path)
    again = DiscDiff(DiscDiffOptions())
    again.load(tmp_path)
    drawn = [each.sample(3, context=make_context(length=length, seed=2)) for each in (model, again)]
    codes = [each.codes if changes else each for each in drawn]
    assert codes[0].shape == (3, length)
    assert codes[0].max() <= 3
    np.testing.assert_array_equal(*codes)


@pytest.mark.slow
def test_batch_statistics_move_latents_and_survive_an_interruption(tmp_path):
    """Running means of the batch normalisation go on through the denoiser's training, and into its checkpoints."""

    def weights(name: str, stop_at: int = 0, **changes) -> dict[str, torch.Tensor]:
        scratch = tmp_path / name
        scratch.mkdir(exist_ok=True)

        def progress(done, total, stage):
            if stage.startswith("denoiser") and stop_at:
                if done == stop_at:
                    time.sleep(DUE)  # a checkpoint is due after this step
                if done == stop_at + 1:
                    raise KeyboardInterrupt

        model = paper(**changes)
        context = Context(length=200, seed=1, scratch=scratch, progress=progress, checkpoint_seconds=DUE)
        model.fit(sequences(), context=context)
        return model._tensors()

    whole = weights("whole")
    with pytest.raises(KeyboardInterrupt):
        weights("cut", stop_at=2)
    continued = weights("cut")
    assert all(torch.equal(continued[name], tensor) for name, tensor in whole.items())
    still = weights("still", batch_statistics=False)
    moved = [name for name in whole if name.startswith("autoencoder") and not torch.equal(whole[name], still[name])]
    assert moved
    assert all("running" in name or "num_batches" in name for name in moved)
    assert any(not torch.equal(whole[name], still[name]) for name in whole if name.startswith("denoiser"))


def test_normalised_latents_of_the_released_network_have_one_scale(make_context):
    model = paper(normalise_latents=True, autoencoder_steps=1, denoiser_steps=1)
    model.fit(sequences(), context=make_context(length=200))
    assert model.latent_scale.shape == (1,)
    assert 0 < model.latent_scale.item() != 1


def test_the_released_recipes():
    """Adam at one rate; AdamW with 500 steps of warm-up on a cosine five times as long as the training."""
    first = recipe("released", "autoencoder", 1000)
    weight = torch.nn.Parameter(torch.zeros(1))
    assert type(first["optimizer"]([weight], lr=1e-4)) is torch.optim.Adam
    assert {first["schedule"](step) for step in (0, 500, 999)} == {1.0}
    assert (first["decay"], first["clip"]) == (0, torch.inf)
    second = recipe("released", "denoiser", 70_000)
    adamw = second["optimizer"]([weight], lr=5e-5)
    assert type(adamw) is torch.optim.AdamW
    assert (adamw.defaults["betas"], adamw.defaults["weight_decay"]) == ((0.9, 0.999), 0.01)
    assert second["schedule"](249) == 0.5
    assert second["schedule"](500) == 1.0
    assert second["schedule"](500 + (350_000 - 500) // 2) == pytest.approx(0.5, abs=1e-5)
    assert second["schedule"](69_999) > 0.9
    assert second["decay"] == 0
