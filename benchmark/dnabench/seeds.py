"""Where every seed comes from (design rule 5.1)."""

from __future__ import annotations

import hashlib
import json

from numpy.random import Generator as RandomGenerator
from numpy.random import SeedSequence, default_rng


def derive_seed(role: str, *, repeat: int, dataset: str, generator: str | None = None, base: int = 0) -> int:
    """A 64-bit seed for one role (``fit``, ``sample``, ``score``, ``reference``, ...) of one repeat.

    It depends on nothing but its arguments, so that adding a generator moves nobody else's numbers; roles that all
    generators share, such as the reference draw, leave ``generator`` out and are therefore paired.
    """
    identity = json.dumps([base, role, dataset, repeat, generator])
    digest = hashlib.sha256(identity.encode()).digest()
    return int(SeedSequence(int.from_bytes(digest)).generate_state(1, "uint64")[0])


def rng(role: str, *, repeat: int, dataset: str) -> RandomGenerator:
    """The NumPy generator of a role that all generators share."""
    return default_rng(derive_seed(role, repeat=repeat, dataset=dataset))
