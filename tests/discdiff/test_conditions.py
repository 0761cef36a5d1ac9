"""Labels: what the networks are told, guidance, and samples that follow the labels asked for."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch

from dnabench import SequenceSet, UserError
from dnabench.options import build
from dnabench_discdiff.conditions import LabelEmbedding, kind_of, kinds, not_told
from dnabench_discdiff.diffusion import Diffusion
from dnabench_discdiff.model import DiscDiff
from dnabench_discdiff.options import DiscDiffOptions, VaeOptions
from dnabench_discdiff.vae import Vae

SMALL = {
    "latent_channels": 2,
    "width": 32,
    "head_width": 32,
    "autoencoder_steps": 150,
    "autoencoder_batch": 32,
    "autoencoder_lr": 1e-2,
    "condition": "species",
}
SMALL_DISCDIFF = {**SMALL, "denoiser_width": 32, "denoiser_steps": 100, "denoiser_batch": 32, "sampling_steps": 10}


def two_species(n: int = 2000) -> SequenceSet:
    """Species a is four fifths A and T, b four fifths C and G; three of four sequences are of a."""
    rng = np.random.default_rng(0)
    species = np.where(np.arange(n) % 4 < 3, "a", "b")
    strong = rng.random((n, 64)) < np.where(species == "a", 0.2, 0.8)[:, None]
    codes = np.where(strong, rng.integers(1, 3, (n, 64)), 3 * rng.integers(0, 2, (n, 64))).astype(np.uint8)
    side = np.where(rng.random(n) < 0.5, "left", "right")
    return SequenceSet(codes, labels=pd.DataFrame({"species": species, "side": side}))


def gc(codes: np.ndarray) -> np.ndarray:
    return ((codes == 1) | (codes == 2)).mean(1)


def test_an_embedding_adds_up_its_columns_and_has_a_row_for_not_told():
    tell = LabelEmbedding((2, 3), 4)
    assert not tell(torch.tensor([[1, 2]])).any()
    for table in tell.tables:
        torch.nn.init.normal_(table.weight)
    first, second = tell.tables
    labels = torch.tensor([[1, 2], [0, 0]])
    torch.testing.assert_close(tell(labels), first.weight[[1, 0]] + second.weight[[2, 0]])
    nothing = not_told((2, 3), 5, "cpu")
    assert nothing.tolist() == [[2, 3]] * 5
    torch.testing.assert_close(tell(nothing)[0], first.weight[2] + second.weight[3])
    assert LabelEmbedding((), 4)(torch.zeros(3, 0, dtype=torch.int64)).tolist() == [[0.0] * 4] * 3


def test_every_combination_has_a_number_of_its_own():
    labels = torch.cartesian_prod(torch.arange(3), torch.arange(2), torch.arange(4))
    assert sorted(kind_of(labels, (3, 2, 4)).tolist()) == list(range(24)) == list(range(kinds((3, 2, 4))))
    assert kind_of(torch.zeros(3, 0, dtype=torch.int64), ()).tolist() == [0, 0, 0]
    assert kinds(()) == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("model", "stages"),
    [(Vae(VaeOptions(**SMALL)), None)]
    + [(DiscDiff(DiscDiffOptions(**SMALL_DISCDIFF, stages=stages)), stages) for stages in ("two", "one")],
)
def test_samples_have_the_composition_of_the_species_asked_for(make_context, model, stages):
    model.fit(two_species(), context=make_context(length=64, seed=1))
    asked = pd.DataFrame({"species": ["b", "a"] * 100})
    drawn = model.sample(200, context=make_context(length=64, seed=2, labels=asked))
    assert drawn.labels.to_dict("list") == asked.to_dict("list")
    share = gc(drawn.codes)
    # Four in five, of 64 bases in 100 sequences: a standard error of 0.005 and what a short training leaves.
    assert share[0::2].mean() == pytest.approx(0.8, abs=0.05)
    assert share[1::2].mean() == pytest.approx(0.2, abs=0.05)
    free = model.sample(400, context=make_context(length=64, seed=3))
    assert (free.labels["species"] == "a").mean() == pytest.approx(0.75, abs=0.09)  # four standard errors
    assert np.corrcoef(gc(free.codes), free.labels["species"] == "b")[0, 1] > 0.8


@pytest.mark.parametrize(("guidance", "expected"), [(1.0, 5.0), (0.0, 2.0), (3.0, 11.0)])
def test_guidance_goes_from_not_told_to_told_and_beyond(make_context, monkeypatch, guidance, expected):
    """u + w (c - u) by hand, for a denoiser that answers c = 5 when it is told a label and u = 2 when it is not."""
    options = {**SMALL_DISCDIFF, "autoencoder_steps": 2, "denoiser_steps": 2}
    model = DiscDiff(DiscDiffOptions(**options, guidance=guidance))
    model.fit(two_species(40), context=make_context(length=64, seed=1))
    model.denoiser.forward = lambda x, t, labels: torch.full_like(x, 5.0) - 3 * (labels[:, :1, None] == 2)
    monkeypatch.setattr(Diffusion, "sample_dpm_solver", lambda self, denoise, x, steps: denoise(x, torch.zeros(len(x))))
    with torch.no_grad():
        z = model._latents(torch.tensor([[0], [1]]), torch.Generator().manual_seed(0))
    torch.testing.assert_close((z - model.latent_mean) / model.latent_scale, torch.full_like(z, expected))


def test_what_cannot_be_asked_for_is_said_in_a_line(make_context):
    options = {**SMALL, "autoencoder_steps": 1}
    model = Vae(VaeOptions(**options))
    with pytest.raises(UserError, match="'tissue' is a label that the training sequences do not have"):
        Vae(VaeOptions(**{**options, "condition": "tissue"})).fit(two_species(), context=make_context(length=64))
    model.fit(two_species(), context=make_context(length=64))
    with pytest.raises(UserError, match="no training sequence has species='c'; known: 'a', 'b'"):
        model.sample(1, context=make_context(length=64, labels=pd.DataFrame({"species": ["c"]})))
    for wrong, why in [
        ({"guidance": 2.0}, "guidance needs labels"),
        ({"guidance": 2.0, "condition": "species", "label_dropout": 0.0}, "label_dropout above 0"),
        ({"stages": "one", "devices": 2}, "stages=one trains on one device"),
        ({"refine": "absorb-escape"}, "refine replaces bases of decoder=conv"),
        ({"denoiser": "released"}, "the released networks go together"),
        ({"autoencoder": "released"}, "the released networks go together"),
        (
            {"autoencoder": "released", "denoiser": "released", "devices": 2},
            "autoencoder=released trains on one device",
        ),
        ({"denoiser_width": 33}, "denoiser_width is 33; it must be even"),
        ({"batch_statistics": True}, "batch_statistics is for autoencoder=released"),
    ]:
        with pytest.raises(UserError, match=why):
            build(DiscDiffOptions, "discdiff", wrong)


def test_a_column_that_names_sequences_is_refused_before_tables_are_made(make_context):
    names = pd.DataFrame({"species": [f"{row}" for row in range(1001)]})
    train = SequenceSet(np.zeros((1001, 16), np.uint8), labels=names)
    with pytest.raises(UserError, match="vae.condition: 1001 combinations of labels; 1000 at most"):
        Vae(VaeOptions(**SMALL)).fit(train, context=make_context(length=16))
