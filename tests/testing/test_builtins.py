"""The built-in plugins keep their promises, all of them; those that are trained, with few steps."""

from __future__ import annotations

import sys

import pytest

from dnabench.plugins import load_catalog
from dnabench.testing import parametrize_checks

VAE = {"latent_channels": 2, "width": 16, "head_width": 8, "autoencoder_steps": 4}
DISCDIFF = VAE | {"denoiser_width": 16, "denoiser_steps": 4, "sampling_steps": 2, "condition": "species"}
GAN = {"latent": 8, "channels": 8, "blocks": 1, "generator_blocks": 1, "batch_size": 8, "iterations": 4}
LSTM = {"hidden": 12, "embedding": 8, "steps": 6, "batch_size": 8, "condition": "species"}
MDLM = {"width": 8, "layers": 2, "steps": 4, "batch": 8, "sampling_steps": 3, "condition": "species"}

PROGRAM = (
    "import random, sys; n, seed, out, length = sys.argv[1:]; draw = random.Random(int(seed)).choices; "
    'open(out, "w").writelines(f">s{{i}}\\n" + "".join(draw("ACGT", k=int(length))) + "\\n" for i in range(int(n)))'
)
EXTERNAL = {"command": f"{sys.executable} -c '{PROGRAM}' {{n}} {{seed}} {{out}} {{length}}"}

SEES_NO_MUTATION = {"direction_honoured": "it counts duplicates, which mutation does not make"}

CHEAP = ("bootstrap", "gc", "kmer-js", "motif-profile", "novelty", "kmer")
WITH_SETTINGS = {
    "markov",
    "uniqueness",
    "promoters-sim",
    "discdiff",
    "vae",
    "gan",
    "lstm",
    "mdlm",
    "ae-fit",
    "external",
}
CATALOG = load_catalog()
BUILT_IN = {name for name in CATALOG.names() if CATALOG.find(name)[0].distribution.startswith("dnabench ")}


@parametrize_checks(*CHEAP)
def test_cheap_ones(check):
    check()


@parametrize_checks("external", options=EXTERNAL)
def test_external(check):
    check()


@parametrize_checks("markov", options={"by": "species"})
def test_markov(check):
    check()


@parametrize_checks("uniqueness", expected=SEES_NO_MUTATION)
def test_uniqueness(check):
    check()


@parametrize_checks("promoters-sim", options={"n": 400})
def test_simulator(check):
    check()


@pytest.mark.slow
@parametrize_checks("discdiff", options=DISCDIFF)
def test_discdiff(check):
    check()


@pytest.mark.slow
@parametrize_checks("vae", options=VAE)
def test_vae(check):
    check()


@pytest.mark.slow
@parametrize_checks("gan", options=GAN)
def test_gan(check):
    check()


@pytest.mark.slow
@parametrize_checks("lstm", options=LSTM)
def test_lstm(check):
    check()


@pytest.mark.slow
@parametrize_checks("mdlm", options=MDLM)
def test_mdlm(check):
    check()


@pytest.mark.slow
@parametrize_checks("ae-fit", options={"steps": 4})
def test_fitted_embedder(check):
    check()


@pytest.mark.slow
@parametrize_checks(*sorted(BUILT_IN - WITH_SETTINGS - set(CHEAP)))
def test_all_others(check):
    check()
