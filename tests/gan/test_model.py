"""The generator's protocol: exact counts, seeds, save and load, and what it leaves alone."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import subprocess
import sys

import numpy as np
import pytest
import torch

from dnabench import SequenceSet, UserError
from dnabench_gan.model import WassersteinGan


@pytest.fixture
def fitted(tiny, random_dna, make_context):
    def fit(seed: int = 0, **changes) -> WassersteinGan:
        model = WassersteinGan(dataclasses.replace(tiny, **changes))
        model.fit(random_dna, context=make_context(seed=seed, length=24))
        return model

    return fit


@pytest.mark.parametrize("n", [0, 1, 255, 256, 257, 300])
def test_exactly_n_sequences(fitted, make_context, n):
    samples = fitted().sample(n, context=make_context(seed=1, length=24))
    assert samples.shape == (n, 24)
    assert samples.dtype == np.uint8
    assert not (samples > 3).any()


@pytest.mark.parametrize("decode", ["argmax", "sample"])
def test_a_sequence_does_not_depend_on_how_many_are_asked_for(fitted, make_context, decode):
    model = fitted(decode=decode)
    many = model.sample(600, context=make_context(seed=1, length=24))
    few = model.sample(260, context=make_context(seed=1, length=24))
    np.testing.assert_array_equal(many[:260], few)


@pytest.mark.parametrize("decode", ["argmax", "sample"])
def test_same_seed_same_sequences(fitted, make_context, decode):
    first, second = (
        fitted(seed=5, decode=decode).sample(100, context=make_context(seed=6, length=24)) for _ in range(2)
    )
    np.testing.assert_array_equal(first, second)


def test_other_seeds_other_sequences(fitted, make_context):
    base = fitted(seed=5).sample(100, context=make_context(seed=6, length=24))
    other_fit = fitted(seed=4).sample(100, context=make_context(seed=6, length=24))
    other_sample = fitted(seed=5).sample(100, context=make_context(seed=7, length=24))
    assert (base != other_fit).any()
    assert (base != other_sample).any()


PROGRAM = """
import hashlib, sys
from pathlib import Path
import numpy as np, torch
from dnabench import Context, SequenceSet
from dnabench_gan.model import WassersteinGan
from dnabench_gan.options import GanOptions

torch.set_num_threads(1)
torch.manual_seed(int(sys.argv[1]))  # must not matter
np.random.seed(int(sys.argv[1]))
options = GanOptions(latent=8, channels=4, blocks=1, batch_size=16, iterations=3, critic_steps=2, learning_rate=1e-3)
model = WassersteinGan(options)
train = SequenceSet(np.random.default_rng(0).integers(0, 4, (50, 24)).astype(np.uint8))
context = lambda seed: Context(seed=seed, length=24, scratch=Path(sys.argv[2]))
model.fit(train, context=context(3))
print(hashlib.sha256(model.sample(300, context=context(4)).tobytes()).hexdigest())
"""


def test_same_bytes_in_fresh_processes(tmp_path):
    digests = []
    for seed in ("1", "2"):
        (tmp_path / seed).mkdir()
        arguments = [sys.executable, "-c", PROGRAM, seed, tmp_path / seed]
        digests.append(subprocess.run(arguments, check=True, capture_output=True, text=True).stdout)
    assert len(digests[0].strip()) == hashlib.sha256().digest_size * 2
    assert digests[0] == digests[1]


@pytest.mark.parametrize("decode", ["argmax", "sample"])
def test_save_and_load(fitted, make_context, tmp_path, decode, tiny):
    model = fitted(decode=decode)
    directory = tmp_path / "model"
    directory.mkdir()
    model.save(directory)
    assert {path.suffix for path in directory.iterdir()} == {".safetensors", ".json", ".csv"}
    assert json.loads((directory / "gan.json").read_text())["length"] == 24

    loaded = WassersteinGan(dataclasses.replace(tiny, channels=9))  # the saved options win
    loaded.load(directory)
    expected = model.sample(300, context=make_context(seed=1, length=24))
    np.testing.assert_array_equal(loaded.sample(300, context=make_context(seed=1, length=24)), expected)


def test_weights_of_another_network_are_refused(fitted, tmp_path):
    other = fitted(network="residual")
    other.save(tmp_path)
    settings = json.loads((tmp_path / "gan.json").read_text())
    settings["options"]["network"] = "tokens"
    (tmp_path / "gan.json").write_text(json.dumps(settings))
    with pytest.raises(UserError, match="generator.safetensors: not the weights of the network in gan.json"):
        other.load(tmp_path)


def test_the_global_generators_are_left_alone(fitted, make_context, tmp_path):
    torch.manual_seed(11)
    np.random.seed(11)
    torch_state, numpy_state = torch.get_rng_state(), np.random.get_state()[1].copy()
    model = fitted(decode="sample")
    model.sample(10, context=make_context(length=24))
    model.save(tmp_path)
    model.load(tmp_path)
    assert torch.equal(torch.get_rng_state(), torch_state)
    np.testing.assert_array_equal(np.random.get_state()[1], numpy_state)


def test_the_training_sequences_are_left_alone(fitted, random_dna):
    before = random_dna.codes.copy()
    fitted()
    np.testing.assert_array_equal(random_dna.codes, before)


def test_sequences_of_n_alone_can_be_trained_on(tiny, make_context):
    model = WassersteinGan(tiny)
    model.fit(SequenceSet(np.full((5, 24), 4, np.uint8)), context=make_context(length=24))
    assert model.sample(3, context=make_context(length=24)).max() <= 3


@pytest.mark.parametrize("network", ["tokens", "residual"])
@pytest.mark.parametrize("length", [1, 3, 200, 251, 256, 1000, 2048])
def test_any_length_and_fewer_sequences_than_a_batch(tiny, make_context, tmp_path, network, length):
    options = dataclasses.replace(tiny, network=network, iterations=1)
    model = WassersteinGan(options)
    model.fit(SequenceSet(np.zeros((5, length), np.uint8)), context=make_context(length=length))
    samples = model.sample(2, context=make_context(length=length))
    assert samples.shape == (2, length)
    model.save(tmp_path)
    loaded = WassersteinGan(tiny)
    loaded.load(tmp_path)
    np.testing.assert_array_equal(loaded.sample(2, context=make_context(length=length)), samples)


def test_progress_is_reported_to_the_end(tiny, random_dna, make_context):
    calls = []
    report = lambda *call: calls.append(call)  # noqa: E731
    model = WassersteinGan(dataclasses.replace(tiny, iterations=25))
    model.fit(random_dna, context=make_context(length=24, progress=report))
    model.sample(300, context=make_context(length=24, progress=report))
    assert [call[:2] for call in calls] == [*[(done, 25) for done in range(1, 26)], (256, 300), (300, 300)]
    losses = [f"train, critic {c[1]:.4g}, generator {g[1]:.4g}" for c, g in zip(*model.curves.values(), strict=True)]
    assert [call[2] for call in calls] == [*losses, "sample", "sample"]


def test_bad_use_is_refused(tiny, fitted, make_context, tmp_path):
    with pytest.raises(UserError, match="call fit or load first"):
        WassersteinGan(tiny).sample(1, context=make_context(length=24))
    with pytest.raises(UserError, match="call fit or load first"):
        WassersteinGan(tiny).save(tmp_path)
    with pytest.raises(UserError, match="trained on 24 bp and cannot sample 25 bp"):
        fitted().sample(1, context=make_context(length=25))
    with pytest.raises(UserError, match="training sequences, and there are none"):
        WassersteinGan(tiny).fit(SequenceSet(np.zeros((0, 24), np.uint8)), context=make_context(length=24))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
def test_on_a_gpu(tiny, random_dna, make_context, tmp_path):
    model = WassersteinGan(tiny)
    model.fit(random_dna, context=make_context(length=24, device="cuda"))
    samples = model.sample(300, context=make_context(length=24, device="cuda"))
    assert samples.shape == (300, 24)
    model.save(tmp_path)
    loaded = WassersteinGan(tiny)
    loaded.load(tmp_path)
    on_cpu = loaded.sample(300, context=make_context(length=24))
    assert (samples == on_cpu).mean() > 0.99  # the same noise; ties may round the other way
