"""The embedder `ae`: shape, independence of the batch, what its distance sees, and its training script."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

import dnabench_metrics.ae.embedder as embedder_module
from dnabench import Context, SequenceSet, UserError
from dnabench_metrics.ae import train
from dnabench_metrics.ae.embedder import Autoencoder
from dnabench_metrics.distances.frechet import frechet_estimate
from dnabench_metrics.distances.swd import squared_swd_estimate, unit_directions

SHIPPED = Path(embedder_module.__file__).parent


@pytest.fixture(scope="module")
def encoder() -> Autoencoder:
    return Autoencoder()


def random_sequences(n: int, length: int = 256, *, seed: int = 0) -> SequenceSet:
    return SequenceSet(np.random.default_rng(seed).integers(0, 5, (n, length)).astype(np.uint8))


@pytest.mark.parametrize("length", [64, 65, 101, 256, 1001])
def test_any_length_from_64_bp_gives_64_finite_numbers(encoder, make_context, length):
    vectors = encoder.embed(random_sequences(5, length), context=make_context(length=length))
    assert vectors.shape == (5, 64)
    assert vectors.dtype == np.float32
    assert np.isfinite(vectors).all()


def test_shorter_sequences_are_refused(encoder, make_context):
    with pytest.raises(ValueError, match="from 64 bp; these have 63 bp"):
        encoder.embed(random_sequences(2, 63), context=make_context())


def test_a_vector_depends_on_its_own_sequence_alone(encoder, make_context):
    sequences = random_sequences(300)
    order = np.random.default_rng(1).permutation(300)
    together = encoder.embed(sequences, context=make_context())
    np.testing.assert_allclose(encoder.embed(sequences.take(order), context=make_context()), together[order], atol=1e-5)
    alone = [encoder.embed(sequences.take(np.array([row])), context=make_context())[0] for row in (0, 255, 256, 299)]
    np.testing.assert_allclose(alone, together[[0, 255, 256, 299]], atol=1e-5)


def test_the_batch_size_does_not_show(encoder, make_context, monkeypatch):
    sequences = random_sequences(70)
    together = encoder.embed(sequences, context=make_context())
    monkeypatch.setattr(embedder_module, "BATCH", 32)
    np.testing.assert_allclose(encoder.embed(sequences, context=make_context()), together, atol=1e-5)


def test_full_precision_convolutions_are_asked_for_and_the_setting_is_left_as_it_was(encoder, make_context):
    import torch

    seen = []
    context = make_context(progress=lambda done, total, stage: seen.append(torch.backends.cudnn.conv.fp32_precision))
    before = torch.backends.cudnn.conv.fp32_precision
    encoder.embed(random_sequences(3), context=context)
    assert seen == ["ieee"]
    assert torch.backends.cudnn.conv.fp32_precision == before


def test_torch_s_default_type_does_not_show(encoder, make_context):
    import torch

    sequences, before = random_sequences(3), torch.get_default_dtype()
    expected = encoder.embed(sequences, context=make_context())
    torch.set_default_dtype(torch.float64)
    try:
        np.testing.assert_array_equal(encoder.embed(sequences, context=make_context()), expected)
        np.testing.assert_array_equal(Autoencoder().embed(sequences, context=make_context()), expected)
    finally:
        torch.set_default_dtype(before)


def test_no_sequences_give_no_vectors(encoder, make_context):
    assert encoder.embed(random_sequences(0), context=make_context()).shape == (0, 64)


def test_features_have_mean_0_axes_are_uncorrelated_and_readings_have_their_weight(encoder, make_context, real_data):
    promoters = SequenceSet.from_fasta(real_data / "promoters256")
    rows = np.random.default_rng(2).choice(len(promoters), 3000, replace=False)
    vectors = encoder.embed(promoters.take(rows), context=make_context())
    assert np.abs(vectors.mean(0) / vectors.std(0)).max() < 4 / np.sqrt(3000)
    correlations = np.corrcoef(vectors[:, :56].T)
    assert np.abs(correlations - np.eye(56)).max() < 0.2
    np.testing.assert_allclose(vectors[:, 56:].std(0), 2.5, rtol=0.15)


def test_damage_is_seen_by_both_distances(encoder, make_context, promoters):
    rng = np.random.default_rng(4)
    reference, intact = promoters.codes[:2000], promoters.codes[2000:4000]
    mutated = np.where(rng.random(intact.shape) < 0.2, rng.integers(0, 4, intact.shape), intact)
    sets = {
        "intact": intact,
        "mutated": mutated.astype(np.uint8),
        "moved": np.roll(intact, 30, axis=1),
        "shuffled": rng.permuted(intact, axis=1),
    }
    context: Context = make_context()
    features = {name: encoder.embed(SequenceSet(codes), context=context) for name, codes in sets.items()}
    base = encoder.embed(SequenceSet(reference), context=context)
    directions = unit_directions(200, 64, seed=0)
    fred = {name: frechet_estimate(generated=x, reference=base) for name, x in features.items()}
    swd = {n: squared_swd_estimate(generated=x, reference=base, directions=directions) for n, x in features.items()}
    for distance in (fred, swd):
        floor = distance["intact"]
        for name in ("mutated", "moved", "shuffled"):
            assert distance[name].value - 2 * distance[name].standard_error > floor.value + 2 * floor.standard_error


def test_the_digest_is_that_of_the_shipped_file(encoder):
    import hashlib

    assert encoder.digest() == hashlib.sha256((SHIPPED / "encoder.safetensors").read_bytes()).hexdigest()
    assert (SHIPPED / "encoder.safetensors").stat().st_size < 1_000_000


def test_damaged_weights_are_refused(tmp_path):
    for name in ("encoder.safetensors", "encoder.json"):
        shutil.copy(SHIPPED / name, tmp_path / name)
    content = bytearray((tmp_path / "encoder.safetensors").read_bytes())
    content[-1] ^= 1
    (tmp_path / "encoder.safetensors").write_bytes(content)
    with pytest.raises(UserError, match="is not the [0-9a-f]{64} of encoder.json"):
        Autoencoder().load(tmp_path)


@pytest.fixture
def tiny_corpus(tmp_path) -> Path:
    rng = np.random.default_rng(5)
    for species in ("aa", "bb"):
        SequenceSet(rng.integers(0, 4, (60, 64)).astype(np.uint8)).to_fasta(tmp_path / "data" / f"{species}.fa.gz")
    return tmp_path / "data"


def test_the_training_script_repeats_and_its_output_loads(tiny_corpus, tmp_path, make_context, capsys):
    for name in ("first", "second"):
        train.main(["--data", str(tiny_corpus), "--out", str(tmp_path / name), "--steps", "3", "--seed", "7"])
    first, second = (json.loads((tmp_path / name / "encoder.json").read_text()) for name in ("first", "second"))
    assert first == second
    assert first["trained_on"]["sequences"] == 108
    assert "step 0" in capsys.readouterr().out
    loaded = Autoencoder()
    loaded.load(tmp_path / "first")
    assert loaded.digest() == first["sha256"]
    assert loaded.embed(random_sequences(3, 64), context=make_context()).shape == (3, 64)


def test_a_corpus_with_n_is_refused_before_training(tiny_corpus, tmp_path):
    codes = np.zeros((3, 64), np.uint8)
    codes[1, 7] = 4
    SequenceSet(codes, names=["fine", "with_n", "too"]).to_fasta(tiny_corpus / "cc.fa.gz")
    with pytest.raises(UserError, match="data: 1 sequences hold N, the first is with_n; only A C G T"):
        train.main(["--data", str(tiny_corpus), "--out", str(tmp_path / "out")])
    assert not (tmp_path / "out").exists()
