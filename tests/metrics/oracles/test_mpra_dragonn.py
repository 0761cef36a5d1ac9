"""MPRA-DragoNN against a forward pass in NumPy, its model.json, and what it is known to see in real promoters."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import rankdata

from dnabench import SequenceSet, UserError
from dnabench_metrics.oracles.embedders import MPRADragoNNFeatures
from dnabench_metrics.oracles.inference import predict
from dnabench_metrics.oracles.mpra_dragonn import TRACKS, load_mpra_dragonn
from dnabench_metrics.records.oracles import MPRADragoNNOptions
from dnabench_metrics.stand_ins import dinucleotide_shuffle

from .conftest import KERAS_SHAPES, random_keras, random_sequences, write_keras


def numpy_maps(one_hot: np.ndarray, tensors: dict[str, np.ndarray]) -> np.ndarray:
    """Keras's channels-last layers, float64: (n, 145, 4) to (n, 133, 120)."""
    x = one_hot.astype(np.float64)
    for i in (1, 2, 3):
        kernel = tensors[f"conv1d_{i}/conv1d_{i}/kernel:0"].astype(np.float64)
        windows = np.stack([x[:, start : start + x.shape[1] - 4] for start in range(5)], axis=2)
        x = np.maximum(np.einsum("npwc,wco->npo", windows, kernel) + tensors[f"conv1d_{i}/conv1d_{i}/bias:0"], 0)
        norm = f"batch_normalization_{i}/batch_normalization_{i}"
        mean, variance = tensors[f"{norm}/moving_mean:0"], tensors[f"{norm}/moving_variance:0"].astype(np.float64)
        x = tensors[f"{norm}/gamma:0"] * (x - mean) / np.sqrt(variance + 0.001) + tensors[f"{norm}/beta:0"]
    return x


def numpy_forward(one_hot: np.ndarray, tensors: dict[str, np.ndarray]) -> np.ndarray:
    maps = numpy_maps(one_hot, tensors)
    return maps.reshape(len(maps), -1) @ tensors["dense_1/dense_1/kernel:0"] + tensors["dense_1/dense_1/bias:0"]


def read_keras(path: Path) -> dict[str, np.ndarray]:
    import h5py

    with h5py.File(path) as file:
        return {name: file[name][()] for name in KERAS_SHAPES}


def load(path: Path, **options):
    return load_mpra_dragonn(MPRADragoNNOptions(weights=str(path), **options), plugin="mpra-dragonn")


@pytest.mark.parametrize("weights", ["keras_file", "dragonn_file"])
def test_predictions_are_those_of_a_forward_pass_in_numpy(weights, request, make_context):
    path = request.getfixturevalue(weights)
    sequences = random_sequences(5, 145)
    found = predict(load(path), sequences, strands="forward", context=make_context())
    expected = numpy_forward(np.eye(4)[sequences.codes], read_keras(path))
    assert np.abs(expected).max() > 0.1
    np.testing.assert_allclose(found, expected, atol=2e-4)


def test_both_strands_read_the_complement_from_its_end(keras_file, make_context):
    sequences = random_sequences(4, 145)
    one_hot = np.eye(4)[sequences.codes]
    tensors = read_keras(keras_file)
    expected = (numpy_forward(one_hot, tensors) + numpy_forward(one_hot[:, ::-1, ::-1], tensors)) / 2
    found = predict(load(keras_file), sequences, strands="both", context=make_context())
    np.testing.assert_allclose(found, expected, atol=2e-4)


@pytest.mark.parametrize(("window", "start"), [(None, 55), (111, 111), (0, 0)])
def test_the_window_of_longer_sequences(window, start, keras_file, make_context):
    sequences = random_sequences(3, 256)
    expected = numpy_forward(np.eye(4)[sequences.codes[:, start : start + 145]], read_keras(keras_file))
    found = predict(load(keras_file, window=window), sequences, strands="forward", context=make_context())
    np.testing.assert_allclose(found, expected, atol=2e-4)


def test_shorter_sequences_stand_among_unknown_bases(keras_file, make_context):
    sequences = random_sequences(3, 100)
    padded = np.full((3, 145, 4), 0.25)
    padded[:, 22:122] = np.eye(4)[sequences.codes]
    found = predict(load(keras_file), sequences, strands="forward", context=make_context())
    np.testing.assert_allclose(found, numpy_forward(padded, read_keras(keras_file)), atol=2e-4)


def test_the_embedding_is_the_mean_over_positions_of_what_the_dense_layer_reads(keras_file, make_context):
    sequences = random_sequences(4, 145)
    embedder = MPRADragoNNFeatures(MPRADragoNNOptions(weights=str(keras_file)))
    vectors = embedder.embed(sequences, context=make_context())
    assert vectors.shape == (4, 120)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(
        vectors, numpy_maps(np.eye(4)[sequences.codes], read_keras(keras_file)).mean(1), atol=1e-4
    )


def test_the_digest_tells_weights_strands_and_windows_apart(keras_file, tmp_path):
    other = write_keras(tmp_path / "other.hdf5", random_keras(seed=1))
    copy = tmp_path / "copy.hdf5"
    copy.write_bytes(keras_file.read_bytes())
    digests = [
        MPRADragoNNFeatures(MPRADragoNNOptions(**options)).digest()
        for options in (
            {"weights": str(keras_file)},
            {"weights": str(keras_file), "strands": "both"},
            {"weights": str(keras_file), "window": 3},
            {"weights": str(other)},
        )
    ]
    assert len(set(digests)) == 4
    assert MPRADragoNNFeatures(MPRADragoNNOptions(weights=str(copy))).digest() == digests[0]


def test_a_tensor_of_another_shape_is_named(tmp_path):
    tensors = random_keras() | {"conv1d_2/conv1d_2/kernel:0": np.zeros((5, 120, 100), np.float32)}
    path = write_keras(tmp_path / "odd.hdf5", tensors)
    with pytest.raises(UserError, match=r"conv1d_2/kernel:0 has shape \(5, 120, 100\), not \(5, 120, 120\)"):
        load(path)


def test_a_missing_and_a_foreign_tensor_are_named(tmp_path):
    tensors = random_keras()
    foreign = write_keras(tmp_path / "foreign.hdf5", tensors | {"dense_2/dense_2/bias:0": np.zeros(1, np.float32)})
    with pytest.raises(UserError, match=r"tensor dense_2/dense_2/bias:0 is not one of its tensors"):
        load(foreign)
    del tensors["dense_1/dense_1/bias:0"]
    with pytest.raises(UserError, match=r"no tensor dense_1/dense_1/bias:0, which should have shape \(12,\)"):
        load(write_keras(tmp_path / "short.hdf5", tensors))


@pytest.mark.parametrize("content", [b"", b"not HDF5 at all", b"\x89HDF\r\n\x1a\n" + bytes(100)])
def test_a_file_that_is_no_hdf5_is_refused(content, tmp_path):
    path = tmp_path / "pretrained.hdf5"
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"pretrained\.hdf5: not an HDF5 file of Keras weights"):
        load(path)


def test_a_damaged_hdf5_is_refused(keras_file, tmp_path):
    whole, path = keras_file.read_bytes(), tmp_path / "damaged.hdf5"
    rng = np.random.default_rng(0)
    refused = []
    for _ in range(60):
        damaged = bytearray(whole)
        # The structure of the file lies around the numbers: at its beginning, and between them.
        for place in rng.integers(0, 4096, 8):
            damaged[place] = rng.integers(256)
        path.write_bytes(damaged)
        try:
            load(path)
        except UserError as error:
            refused.append(str(error))
    assert len(refused) > 5
    assert all(str(path) in text and "\n" not in text for text in refused)


def test_weights_of_the_other_byte_order_and_of_64_bits_are_read(keras_file, tmp_path, make_context):
    sequences = random_sequences(2, 145)
    expected = predict(load(keras_file), sequences, strands="forward", context=make_context())
    for dtype in (">f4", ">f8", "<f8"):
        other = write_keras(
            tmp_path / f"{dtype[1:]}{dtype[0] == '>'}.hdf5",
            {name: values.astype(dtype) for name, values in random_keras().items()},
        )
        found = predict(load(other), sequences, strands="forward", context=make_context())
        assert np.array_equal(found, expected)


def test_text_in_place_of_numbers_is_refused(tmp_path):
    tensors = random_keras() | {"dense_1/dense_1/bias:0": np.array([b"a"] * 12)}
    with pytest.raises(UserError, match="not an HDF5 file of Keras weights"):
        load(write_keras(tmp_path / "text.hdf5", tensors))


def test_weights_must_be_named_there_and_of_the_given_sha256(tmp_path, keras_file):
    with pytest.raises(
        UserError, match=r"no weights given: dnabench data fetch mpra-dragonn brings them; --set mpra-dragonn.weights="
    ):
        load_mpra_dragonn(MPRADragoNNOptions(), plugin="mpra-dragonn")
    with pytest.raises(UserError, match=r"option mpra-dragonn.weights: .*nowhere is not a file: dnabench data fetch "):
        load(tmp_path / "nowhere")
    with pytest.raises(UserError, match=rf"sha256 is [0-9a-f]{{64}}; option mpra-dragonn.sha256 expects {'ab' * 32}"):
        load(keras_file, sha256="AB" * 32)


def test_the_architecture_is_that_of_its_model_json(real_data):
    layers = json.loads((real_data / "oracles" / "mpra_dragonn" / "model.json").read_text())["config"]["layers"]
    assert [layer["class_name"] for layer in layers] == [
        *["Conv1D", "BatchNormalization", "Dropout"] * 3,
        "Flatten",
        "Dense",
    ]
    for layer in layers:
        config = layer["config"]
        if layer["class_name"] == "Conv1D":
            assert (config["filters"], config["kernel_size"], config["padding"]) == (120, [5], "valid")
            assert (config["strides"], config["dilation_rate"], config["activation"]) == ([1], [1], "relu")
        if layer["class_name"] == "BatchNormalization":
            assert config["epsilon"] == 0.001
    assert layers[0]["config"]["batch_input_shape"] == [None, 145, 4]
    assert (layers[-1]["config"]["units"], layers[-1]["config"]["activation"]) == (len(TRACKS), "linear")


@pytest.mark.slow
def test_human_core_promoters_score_above_their_dinucleotide_shuffles(dragonn_file, real_promoters, make_context):
    # -112..32 around the TSS: 0.66 to 0.72 over the four assays (shared/data/README.md), pooled replicates.
    human = real_promoters("hs")
    rng = np.random.default_rng(0)
    core = human.codes[rng.permutation(len(human))[:3000], 93 : 93 + 145]
    shuffles = np.stack([dinucleotide_shuffle(row, rng) for row in core])
    network = load(dragonn_file)
    real, shuffled = (
        predict(network, SequenceSet(codes), strands="forward", context=make_context()) for codes in (core, shuffles)
    )
    for track, name in enumerate(TRACKS):
        if name.endswith("pooled"):
            ranks = rankdata(np.r_[real[:, track], shuffled[:, track]])[: len(core)]
            auroc = (ranks.mean() - (len(core) + 1) / 2) / len(core)
            noise = 2 * np.sqrt((2 * len(core) + 1) / 12) / len(core)  # two standard errors without a difference
            assert 0.66 - noise <= auroc <= 0.72 + noise, name
