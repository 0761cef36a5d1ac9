"""The network against an LSTM written out in NumPy, and its samples against its own probabilities."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
import torch
from scipy.stats import chi2

from dnabench.training import seeded
from dnabench_lstm.network import START, Network
from dnabench_lstm.options import PRESETS, LstmOptions


def network(*, length=0, labels=(), layers=2, hidden=7, embedding=5, scale=1.0) -> Network:
    with seeded(torch.Generator().manual_seed(3)):
        made = Network(layers, hidden, embedding, length, labels).eval()
    with torch.no_grad():
        for weight in made.parameters():
            weight.mul_(scale)
    return made


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def by_hand(made: Network, codes: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """log p of each base (n, L), float64: Hochreiter & Schmidhuber 1997 with the forget gate of Gers et al. 2000."""
    w = {name: weight.detach().double().numpy() for name, weight in made.named_parameters()}
    n, length = codes.shape
    hidden = made.write.in_features
    state = {layer: (np.zeros((n, hidden)), np.zeros((n, hidden))) for layer in range(len(made.layers))}
    log_p = np.empty((n, length))
    before = np.full(n, START)
    for position in range(length):
        x = w["letter.weight"][before]
        if made.position is not None:
            x = x + w["position.weight"][position]
        for column in range(labels.shape[1]):
            x = x + w[f"labels.{column}.weight"][labels[:, column]]
        for layer, (h, before_c) in state.items():
            name = f"layers.{layer}"
            gates = x @ w[f"{name}.weight_ih_l0"].T + h @ w[f"{name}.weight_hh_l0"].T
            gates += w[f"{name}.bias_ih_l0"] + w[f"{name}.bias_hh_l0"]
            enter, forget, new, leave = np.split(gates, 4, axis=1)
            c = sigmoid(forget) * before_c + sigmoid(enter) * np.tanh(new)
            x = sigmoid(leave) * np.tanh(c)
            state[layer] = x, c
        logits = x @ w["write.weight"].T + w["write.bias"]
        logits -= np.log(np.exp(logits).sum(1, keepdims=True))
        before = codes[:, position]
        log_p[:, position] = logits[np.arange(n), np.minimum(before, 3)]
    return log_p


@pytest.mark.parametrize(("length", "labels"), [(0, ()), (9, ()), (9, (3, 2))])
def test_the_likelihood_is_that_of_an_lstm_by_hand(length, labels):
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 5, (6, 9))
    kinds = np.stack([rng.integers(0, size, 6) for size in labels], 1) if labels else np.empty((6, 0), int)
    made = network(length=length, labels=labels, scale=2.0)
    log_p = by_hand(made, codes, kinds)
    assert log_p.std() > 0.1
    known = codes != 4
    with torch.no_grad():
        loss = made.loss(torch.from_numpy(codes), torch.from_numpy(kinds))
        logits = made(torch.from_numpy(codes), torch.from_numpy(kinds)).log_softmax(-1).numpy()
    assert float(loss) == pytest.approx(-log_p[known].sum() / codes.size, rel=1e-5)
    chosen = np.take_along_axis(logits, np.minimum(codes, 3)[..., None], 2)[..., 0]
    assert chosen == pytest.approx(log_p, abs=1e-5)


@pytest.mark.parametrize("length", [0, 3])
def test_samples_are_as_frequent_as_their_probabilities_of_all_words(length):
    made, n = network(length=length, labels=(2,), scale=2.5), 40_000
    words = np.array(list(product(range(4), repeat=3)))
    for label in (0, 1):
        p = np.exp(by_hand(made, words, np.full((64, 1), label)).sum(1))
        assert p.sum() == pytest.approx(1)
        assert p.max() > 2 * p.min()
        uniforms = torch.rand(3, n, generator=torch.Generator().manual_seed(label))
        drawn = made.sample(torch.full((n, 1), label), uniforms).numpy()
        counts = np.bincount(drawn @ [16, 4, 1], minlength=64)
        assert ((counts - n * p) ** 2 / (n * p)).sum() < chi2.ppf(0.999, 63)


def test_an_n_is_read_but_adds_no_loss():
    made = network(scale=2.0)
    with torch.no_grad():
        of_n = made.loss(torch.full((2, 6), 4), torch.empty(2, 0, dtype=torch.int64))
        after = [made(torch.tensor([[letter, 0]]), torch.empty(1, 0, dtype=torch.int64))[0, 1] for letter in range(5)]
    assert float(of_n) == 0
    for one in range(5):
        for other in range(one):
            assert (after[one] - after[other]).abs().max() > 1e-3


def test_dropped_outputs_of_a_layer_are_not_seen():
    made = network()
    codes, labels = torch.randint(0, 4, (3, 8), generator=torch.Generator().manual_seed(0)), torch.empty(3, 0).long()
    none, all_ = torch.zeros(3, 7), torch.ones(3, 7)
    with torch.no_grad():
        assert torch.allclose(made(codes, labels, [all_, all_]), made(codes, labels), atol=1e-6)
        assert torch.equal(made(codes, labels, [all_, none]), made.write.bias.expand(3, 8, 4))
        deaf = made(codes, labels, [none, all_])  # the second layer hears nothing of the letters
    assert torch.allclose(deaf[0], deaf[1], atol=1e-6)
    assert (deaf[0, 0] - deaf[0, 5]).abs().max() > 1e-3  # it counts its own steps all the same


@pytest.mark.parametrize("preset", ["standard", "paper"])
def test_the_published_size(preset):
    options = LstmOptions(**PRESETS[preset])
    made = Network(options.layers, options.hidden, options.embedding)
    count = sum(weight.numel() for weight in made.parameters())
    # 4 gates: weights of input and state, two biases; letters; the last layer.
    h, e = 544, 64
    assert count == 4 * h * (e + h + 2) + 4 * h * (h + h + 2) + 6 * e + 4 * (h + 1) == 3_701_764
