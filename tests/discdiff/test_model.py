"""The generator as the core sees it: record, determinism, files, edge cases, and what it can learn."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys

import numpy as np
import pytest
import torch

from dnabench import SequenceSet, UserError
from dnabench.options import build
from dnabench_discdiff import dnabench_generators
from dnabench_discdiff.model import DiscDiff
from dnabench_discdiff.options import PRESETS, DiscDiffOptions
from dnabench_discdiff.training import Data

TINY = {
    "latent_channels": 2,
    "width": 32,
    "head_width": 16,
    "autoencoder_steps": 4,
    "autoencoder_batch": 8,
    "denoiser_width": 32,
    "denoiser_steps": 4,
    "denoiser_batch": 8,
    "sampling_steps": 3,
}


def tiny(**changes) -> DiscDiff:
    return DiscDiff(DiscDiffOptions(**{**TINY, **changes}))


def random_set(n: int = 40, length: int = 32, letters: int = 4) -> SequenceSet:
    return SequenceSet(np.random.default_rng(0).integers(0, letters, (n, length), dtype=np.uint8))


@pytest.fixture
def fitted(make_context):
    model = tiny()
    model.fit(random_set(), context=make_context(length=32, seed=1))
    return model


def test_record():
    records = list(dnabench_generators())
    assert [record.name for record in records] == ["discdiff", "vae"]
    for record in records:
        assert record.devices == ("cpu", "cuda")
        assert record.devices_option == "devices"
        assert record.label_option == "condition"
        assert set(record.presets) == {"quick", "standard", "paper"}
        assert record.presets["quick"] == {}
        for preset in record.presets.values():
            build(record.options, record.name, preset)
    assert DiscDiffOptions().devices == 1


def test_the_paper_preset_is_the_papers_procedure():
    options = build(DiscDiffOptions, "discdiff", PRESETS["paper"])
    assert (options.schedule, options.prediction, options.sampler) == ("linear", "epsilon", "ddpm")
    assert (options.autoencoder, options.denoiser, options.kl_weight) == ("released", "released", 1e-6)
    assert (options.normalise_latents, options.batch_statistics) == (False, True)
    assert (options.autoencoder_optimiser, options.denoiser_optimiser) == ("released", "released")


def test_the_entry_point_imports_neither_torch_nor_numpy():
    code = (
        "import sys, dnabench_discdiff as d; list(d.dnabench_generators());"
        "print([m for m in ('torch', 'numpy', 'pandas') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("n", [1, 3, 515])
def test_exactly_n_sequences_without_n(fitted, make_context, n):
    codes = fitted.sample(n, context=make_context(length=32))
    assert codes.shape == (n, 32)
    assert codes.dtype == np.uint8
    assert codes.max() <= 3


def test_no_sequences_at_all(fitted, make_context):
    assert fitted.sample(0, context=make_context(length=32)).shape == (0, 32)


def test_equal_seeds_give_equal_sequences_and_others_do_not(make_context):
    def run(fit_seed, sample_seed):
        model = tiny()
        model.fit(random_set(), context=make_context(length=32, seed=fit_seed))
        return model.sample(20, context=make_context(length=32, seed=sample_seed))

    first = run(1, 2)
    np.testing.assert_array_equal(first, run(1, 2))
    assert (first != run(1, 3)).mean() > 0.2
    assert (first != run(4, 2)).any()


SCRIPT = """
import hashlib, json, pathlib, sys, tempfile
import numpy as np
from dnabench import Context, SequenceSet
from dnabench_discdiff.model import DiscDiff
from dnabench_discdiff.options import DiscDiffOptions

seed, options, scratch = int(sys.argv[1]), json.loads(sys.argv[2]), pathlib.Path(tempfile.mkdtemp(dir=sys.argv[3]))
train = SequenceSet(np.random.default_rng(0).integers(0, 4, (40, 32), dtype=np.uint8))
model = DiscDiff(DiscDiffOptions(**options))
model.fit(train, context=Context(length=32, scratch=scratch, seed=seed))
codes = model.sample(20, context=Context(length=32, scratch=scratch, seed=seed + 1))
print(hashlib.sha256(codes.tobytes()).hexdigest())
"""


@pytest.mark.slow
def test_a_fresh_process_draws_the_same_sequences(tmp_path, make_context):
    model = tiny()
    model.fit(random_set(), context=make_context(length=32, seed=1))
    here = hashlib.sha256(model.sample(20, context=make_context(length=32, seed=2)).tobytes()).hexdigest()
    arguments = [sys.executable, "-W", "error", "-c", SCRIPT, "1", json.dumps(TINY), str(tmp_path)]
    assert subprocess.run(arguments, capture_output=True, text=True, check=True).stdout.strip() == here


@pytest.mark.parametrize("changes", [{}, {"decoder": "conv", "normalise_latents": False}])
def test_save_and_load(make_context, tmp_path, changes):
    model = tiny(**changes)
    model.fit(random_set(), context=make_context(length=32, seed=1))
    directory = tmp_path / "saved"
    directory.mkdir()
    model.save(directory)
    assert sorted(path.name for path in directory.iterdir()) == ["losses.csv", "model.json", "model.safetensors"]
    assert json.loads((directory / "model.json").read_text())["length"] == 32
    restored = DiscDiff(DiscDiffOptions())
    restored.load(directory)
    expected = model.sample(20, context=make_context(length=32, seed=7))
    np.testing.assert_array_equal(restored.sample(20, context=make_context(length=32, seed=7)), expected)
    if model.options.decoder == "autoregressive":  # four steps leave the conv decoder with one base for everything
        assert (restored.sample(20, context=make_context(length=32, seed=8)) != expected).any()
    assert restored.options == model.options


def test_torchs_own_randomness_is_neither_used_nor_moved(make_context, tmp_path):
    def run(seed):
        torch.manual_seed(seed)
        before = torch.random.get_rng_state()
        model = tiny()
        model.fit(random_set(), context=make_context(length=32, seed=1))
        codes = model.sample(5, context=make_context(length=32, seed=2))
        directory = tmp_path / f"model{seed}"
        directory.mkdir()
        model.save(directory)
        model.load(directory)
        assert torch.equal(torch.random.get_rng_state(), before)
        return codes

    with torch.random.fork_rng(devices=[]):
        np.testing.assert_array_equal(run(10), run(11))


def test_progress_goes_through_every_stage_to_its_end(make_context):
    reports = []
    model = tiny()
    context = make_context(length=32, progress=lambda *report: reports.append(report))
    model.fit(random_set(), context=context)
    model.sample(600, context=context)
    ends = [(done, stage.partition(",")[0]) for done, total, stage in reports if done == total]
    assert ends == [(4, "autoencoder"), (4, "denoiser"), (600, "sample")]
    assert (512, 600, "sample") in reports


def test_training_sequences_may_hold_n(make_context):
    model = tiny()
    train = random_set(letters=5)
    assert (train.codes == 4).any()
    model.fit(train, context=make_context(length=32))
    assert model.sample(50, context=make_context(length=32)).max() <= 3


def test_lengths_that_cannot_be_are_the_users_fault(make_context, fitted):
    with pytest.raises(UserError, match="trained on 32 bp and cannot sample 48 bp"):
        fitted.sample(3, context=make_context(length=48))
    with pytest.raises(UserError, match="has not been trained"):
        tiny().sample(3, context=make_context(length=32))
    with pytest.raises(UserError, match="empty training set"):
        tiny().fit(random_set(n=0), context=make_context(length=32))


@pytest.mark.parametrize("length", [1, 16, 48, 200, 251, 256, 1000, 2048])
def test_any_length_is_padded_and_cropped(make_context, length):
    model = tiny()
    model.fit(random_set(length=length), context=make_context(length=length))
    assert model.sample(3, context=make_context(length=length)).shape == (3, length)


def test_padding_is_never_learned(make_context):
    """Sequences of A alone: 40 bp are padded to 48 with N, of which no sample may know."""
    model = tiny(autoencoder_steps=100, autoencoder_batch=16, autoencoder_lr=1e-2)
    train = SequenceSet(np.zeros((200, 40), np.uint8))
    model.fit(train, context=make_context(length=40))
    assert (model.sample(50, context=make_context(length=40)) == 0).mean() > 0.99


def test_fewer_sequences_than_a_batch(make_context):
    model = tiny()
    model.fit(random_set(n=3), context=make_context(length=32))
    assert model.sample(2, context=make_context(length=32)).shape == (2, 32)


@pytest.mark.parametrize("changes", [{"sampler": "dpm-solver"}, {"sampler": "ddpm"}])
def test_either_sampler_gives_latents_of_the_posteriors_size(make_context, changes):
    model = tiny(**changes)
    model.fit(random_set(), context=make_context(length=32))
    latents = []
    model.autoencoder.decode = lambda z, *_: latents.append(z) or torch.zeros(len(z), 32)
    model.sample(8, context=make_context(length=32))
    (z,) = latents
    # After four steps v is still about 0, which makes a sample out of nothing: x_0 close to N(0, 1), scaled.
    assert ((z - model.latent_mean) / model.latent_scale).std().item() == pytest.approx(1, abs=0.5)


def test_latents_are_normalised_over_the_aggregated_posterior(fitted):
    codes = torch.from_numpy(random_set().codes.copy())
    mean, spread = fitted._measure_latents(Data(codes, torch.zeros(40, 0, dtype=torch.int64), ()))
    assert mean.mean((0, 1)).abs().max() < 1e-5
    variance = mean.var((0, 1), correction=0) + spread.square().mean((0, 1))
    np.testing.assert_allclose(variance, 1.0, atol=1e-4)


def planted(n: int, rng: np.random.Generator) -> np.ndarray:
    """Two classes of 64 bp: GC 0.2 with TATAAA at 40, and GC 0.8 without."""
    rich = np.arange(n) % 2 == 1
    gc = np.where(rich, 0.8, 0.2)[:, None]
    strong = rng.random((n, 64)) < gc
    codes = np.where(strong, rng.integers(1, 3, (n, 64)), 3 * rng.integers(0, 2, (n, 64))).astype(np.uint8)
    codes[~rich, 40:46] = [3, 0, 3, 0, 0, 0]
    return codes


@pytest.mark.slow
def test_two_classes_and_a_motif_that_a_composition_model_cannot_have(make_context):
    train = planted(1024, np.random.default_rng(1))
    model = tiny(
        head_width=64,
        autoencoder_steps=400,
        autoencoder_batch=64,
        denoiser_steps=500,
        denoiser_batch=128,
        sampling_steps=20,
    )
    model.fit(SequenceSet(train), context=make_context(length=64, seed=3))
    codes = model.sample(600, context=make_context(length=64, seed=4))
    gc = ((codes == 1) | (codes == 2)).mean(1)
    assert gc.std() > 0.22  # 0.3 between classes in the training set; one composition for all would have 0.06
    assert ((gc > 0.4) & (gc < 0.6)).mean() < 0.12
    motif = (codes[:, 40:46] == [3, 0, 3, 0, 0, 0]).all(1)
    assert motif[gc < 0.5].mean() > 0.6
    assert motif[gc > 0.5].mean() < 0.05
    assert (gc < 0.5).mean() == pytest.approx(0.5, abs=0.15)
