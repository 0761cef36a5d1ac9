"""The Markov chains that the autoregressive decoder starts from, against counts by hand."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from dnabench_discdiff import chain
from dnabench_discdiff.chain import PRIOR, Chain
from dnabench_discdiff.decoders import CONTEXT, AutoregressiveHead


def random_codes(n: int, length: int, letters: int = 4) -> torch.Tensor:
    return torch.randint(letters, (n, length), generator=torch.Generator().manual_seed(5), dtype=torch.uint8)


def before(codes: torch.Tensor, context: int) -> torch.Tensor:
    return F.pad(codes.long(), (context, 0), value=4)[:, :-1]


def one_kind(codes: torch.Tensor) -> torch.Tensor:
    return torch.zeros(len(codes), dtype=torch.int64)


def counted(codes: torch.Tensor, context: int = 7) -> Chain:
    model = Chain(codes.shape[1], context)
    model.count(codes, one_kind(codes))
    return model


@pytest.mark.parametrize("positions", [None, 1, 8])
def test_one_table_is_a_count_by_hand(monkeypatch, positions):
    monkeypatch.setattr(chain, "TABLES", ((2, positions),))
    codes = random_codes(1500, 20, letters=5)  # two chunks; an N is context and never counted
    text = ["NN" + "".join("ACGTN"[code] for code in row) for row in codes.tolist()]
    seen = Counter((t // (positions or 20), row[t : t + 2], row[t + 2]) for row in text for t in range(20))
    share = counted(codes)(before(codes, 7), 0, one_kind(codes)).exp() / 4  # the table is the log-ratio to one in four
    for n, t in [(0, 0), (3, 1), (7, 9), (1499, 19)]:
        counts = np.array([seen[t // (positions or 20), text[n][t : t + 2], base] for base in "ACGT"])
        np.testing.assert_allclose(share[n, t], (counts + PRIOR / 4) / (counts.sum() + PRIOR), rtol=1e-5)


def test_a_table_that_has_nothing_to_add_is_nearly_zero_and_a_local_motif_is_local():
    codes = random_codes(4000, 64)
    codes[::2, 40:46] = torch.tensor([3, 0, 3, 0, 0, 0], dtype=torch.uint8)
    model = counted(codes)
    probability = model(before(codes, 7), 0, one_kind(codes)).softmax(-1)
    after_tataa = torch.tensor([[3, 0, 3, 0, 0]]).repeat(64, 1)
    here = model(F.pad(after_tataa, (2, 0)), 45, one_kind(after_tataa)).softmax(-1)[0, 0, 0].item()
    there = model(F.pad(after_tataa, (2, 0)), 20, one_kind(after_tataa)).softmax(-1)[0, 0, 0].item()
    assert here > 0.6
    assert there < 0.4
    assert probability[:, 8:32].mean((0, 1)).sub(0.25).abs().max() < 0.01
    assert model.get_buffer("table2").abs().median() < 0.1


def test_kinds_have_tables_of_their_own(monkeypatch):
    """Two kinds that mix to a quarter of each base: together nothing is known, apart all is."""
    monkeypatch.setattr(chain, "TABLES", ((2, None),))
    monkeypatch.setattr(chain, "KIND_TABLES", ((0, None),))
    rng = np.random.default_rng(1)
    shares = np.array([[0.4, 0.1, 0.1, 0.4], [0.1, 0.4, 0.4, 0.1]])
    kind = torch.arange(2000) % 2
    codes = torch.from_numpy(np.stack([rng.choice(4, 40, p=shares[k]) for k in kind.tolist()])).to(torch.uint8)
    model = Chain(40, 3, kinds=2)
    model.count(codes, kind)
    p = model(before(codes, 3), 0, kind).softmax(-1)
    # Tables one after the other: the word, then the kind, whose prior weight of 100 is nothing against 40,000 bases.
    np.testing.assert_allclose(p[kind == 0].mean((0, 1)), shares[0], atol=0.02)
    np.testing.assert_allclose(p[kind == 1].mean((0, 1)), shares[1], atol=0.02)


def test_a_row_never_seen_leaves_the_others_word():
    model = counted(torch.zeros(10, 16, dtype=torch.uint8))
    logits = model(torch.full((1, 22), 2), 0, torch.zeros(1, dtype=torch.int64))
    assert torch.equal(logits, torch.zeros(1, 16, 4))


def test_one_position_at_a_time_has_the_logits_of_all_at_once():
    codes = random_codes(50, 40)
    model, context = counted(codes), before(codes, 7)
    steps = [model(context[:, t : t + 7], t, one_kind(codes)) for t in range(40)]
    torch.testing.assert_close(torch.cat(steps, 1), model(context, 0, one_kind(codes)))


def test_a_head_whose_network_is_silent_has_the_chains_logits():
    codes = random_codes(50, 40)
    head = AutoregressiveHead(40, width=8, hidden=16)
    head.chain.count(codes, one_kind(codes))
    torch.nn.init.zeros_(head.write.weight)
    torch.nn.init.zeros_(head.write.bias)
    expected = head.chain(before(codes, CONTEXT), 0, one_kind(codes))
    assert torch.equal(head(torch.randn(50, 3, 8), codes.long(), one_kind(codes)), expected)


def test_a_fresh_network_is_not_silent():
    """From zeros the latent is never put to use: nothing tells the encoder what would help."""
    head = AutoregressiveHead(40, width=8, hidden=16)
    assert head.write.weight.std() > 0.05
