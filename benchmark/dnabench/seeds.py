"""Where every seed comes from (design rule 5.1)."""

from __future__ import annotations

import hashlib
import json
import random

import numpy as np


def derive_seed(role: str, *, repeat: int, dataset: str, generator: str | None = None) -> int:
    """A 64-bit seed for one role (``fit``, ``sample``, ``score``, ``reference``, ...) of one repeat.

    It depends on nothing but its arguments, so that adding a generator moves nobody else's numbers; roles that all
    generators share, such as the reference draw, leave ``generator`` out and are therefore paired.
    """
    identity = json.dumps([role, dataset, repeat, generator])
    digest = hashlib.sha256(identity.encode()).digest()
    return int(np.random.SeedSequence(int.from_bytes(digest)).generate_state(1, "uint64")[0])


def rng(role: str, *, repeat: int, dataset: str) -> np.random.Generator:
    """The NumPy generator of a role that all generators share."""
    return np.random.default_rng(derive_seed(role, repeat=repeat, dataset=dataset))


def seed_globals(seed: int) -> None:
    """Seed the global generators too, as a net under plugins that use them."""
    import torch

    random.seed(seed)
    np.random.seed(seed % 2**32)
    # torch.manual_seed does just this, but imports the compiler first: most of a second, in every cell.
    torch.default_generator.manual_seed(seed % 2**63)
    torch.cuda.manual_seed_all(seed % 2**63)
