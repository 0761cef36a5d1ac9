"""Small networks and small data for the tests of the GAN, and processes that train together."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from dnabench import SequenceSet
from dnabench_gan.options import GanOptions

TINY = GanOptions(
    latent=8,
    noise=2,
    channels=4,
    blocks=2,
    batch_size=16,
    iterations=3,
    critic_steps=2,
    learning_rate=1e-3,
    critic_learning_rate=1e-3,
    constant_share=1.0,
)


@pytest.fixture
def tiny() -> GanOptions:
    """Options with which fitting takes a fraction of a second."""
    return TINY


@pytest.fixture
def random_dna() -> SequenceSet:
    """50 sequences of 24 bp, every tenth base or so an N."""
    return SequenceSet(np.random.default_rng(0).choice(5, (50, 24), p=[0.3, 0.2, 0.2, 0.2, 0.1]).astype(np.uint8))


@pytest.fixture(autouse=True)
def one_thread():
    """Networks this small gain nothing from threads, and lose much where another process holds a core."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
