"""Absorb-Escape against its rule, base by base."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from dnabench import SequenceSet
from dnabench_discdiff.options import VaeOptions
from dnabench_discdiff.refine import AbsorbEscape
from dnabench_discdiff.vae import Vae

LENGTH = 24


@pytest.fixture
def refiner():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        options = VaeOptions(decoder="conv", refine="absorb-escape", head_width=16, absorb_threshold=0.7)
        model = AbsorbEscape(LENGTH, options, ())
        for weight in model.parameters():
            torch.nn.init.normal_(weight, std=0.7)
        return model


def test_bases_are_absorbed_and_escape_by_the_papers_rule(refiner):
    """The rule in plain Python, given the language model's probabilities of the finished sequence."""
    generator = torch.Generator().manual_seed(1)
    logits = 2 * torch.randn(50, LENGTH, 4, generator=generator)
    nothing = torch.zeros(50, 0, dtype=torch.int64)
    with torch.no_grad():
        codes = refiner.rewrite(logits, nothing, torch.Generator().manual_seed(2))
        p = refiner.logits(codes, nothing).softmax(-1)
    decoder = logits.softmax(-1)
    absorbed_in_all = 0
    for n in range(50):
        absorbed = False
        for t in range(LENGTH):
            sure = decoder[n, t].max()
            absorbed = sure <= p[n, t].max() if absorbed else sure < 0.7
            if not absorbed:
                assert codes[n, t] == decoder[n, t].argmax()
            absorbed_in_all += absorbed
    assert 0.1 < absorbed_in_all / (50 * LENGTH) < 0.9
    assert (codes != decoder.argmax(-1)).float().mean() > 0.05


def test_a_decoder_that_is_sure_of_everything_is_left_alone(refiner):
    logits = 20 * torch.nn.functional.one_hot(torch.arange(LENGTH) % 4, 4).float()[None]
    with torch.no_grad():
        codes = refiner.rewrite(logits, torch.zeros(1, 0, dtype=torch.int64), torch.Generator())
    assert torch.equal(codes[0], torch.arange(LENGTH) % 4)


def test_a_decoder_that_is_never_sure_leaves_it_all_to_the_language_model(refiner):
    nothing = torch.zeros(200, 0, dtype=torch.int64)
    with torch.no_grad():
        codes = refiner.rewrite(torch.zeros(200, LENGTH, 4), nothing, torch.Generator().manual_seed(3))
        kind, nothing = torch.zeros(200, dtype=torch.int64), torch.zeros(200, 2, 1)
        drawn = refiner.model.sample(nothing, kind, torch.Generator().manual_seed(3), LENGTH)
    assert torch.equal(codes, drawn)


@pytest.mark.slow
def test_it_draws_where_a_conv_decoder_repeats_itself(make_context):
    """Every letter is one or two behind the one before, at random: all letters are as likely at every position."""
    steps = np.random.default_rng(0).integers(1, 3, (600, 32))
    train = SequenceSet((steps.cumsum(1) % 4).astype(np.uint8))
    options = {"decoder": "conv", "width": 32, "head_width": 32, "autoencoder_steps": 60, "refine_steps": 150}

    def drawn(**changes) -> np.ndarray:
        model = Vae(VaeOptions(**options, **changes))
        model.fit(train, context=make_context(length=32, seed=1))
        return model.sample(200, context=make_context(length=32, seed=2)).astype(int)

    assert len(np.unique(drawn(), axis=0)) < 180
    refined = drawn(refine="absorb-escape")
    assert len(np.unique(refined, axis=0)) == 200
    # Half would be by chance; where the decoder takes over again the order may break.
    assert np.isin((refined[:, 1:] - refined[:, :-1]) % 4, [1, 2]).mean() > 0.85
