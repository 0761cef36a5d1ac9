"""Copies of sequences, made in the ways in which a generator may repeat what it was trained on."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pytest

if TYPE_CHECKING:
    from dnabench import SequenceSet


def substitute(codes: np.ndarray, rate: float, rng: np.random.Generator) -> np.ndarray:
    """Every base replaced by another one with probability ``rate``."""
    copies = codes.copy()
    hit = rng.random(copies.shape) < rate
    copies[hit] = (copies[hit] + rng.integers(1, 4, hit.sum())) % 4
    return copies


def insert_and_delete(codes: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """2 % of the bases deleted, one inserted before another 2 %; cropped or filled up with random bases at the end."""
    rows = []
    for row in codes:
        kept = row[rng.random(len(row)) >= 0.02]
        places = np.flatnonzero(rng.random(len(kept)) < 0.02)
        longer = np.insert(kept, places, rng.integers(0, 4, len(places)))
        rows.append(np.concatenate([longer, rng.integers(0, 4, len(row))])[: len(row)])
    return np.array(rows, np.uint8)


def shift(codes: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A window moved by a sixth of the length: the sequence's start is lost, its end followed by random bases."""
    moved = codes.shape[1] // 6
    return np.concatenate([codes[:, moved:], rng.integers(0, 4, (len(codes), moved), dtype=np.uint8)], axis=1)


def mirror(codes: np.ndarray) -> np.ndarray:
    return np.array([3, 2, 1, 0, 4], np.uint8)[codes[:, ::-1]]


KINDS: dict[str, Callable[[np.ndarray, np.random.Generator], np.ndarray]] = {
    "exact": lambda codes, rng: codes.copy(),
    "mirrored": lambda codes, rng: mirror(codes),
    "substituted": lambda codes, rng: substitute(codes, 0.05, rng),
    "mirrored-substituted": lambda codes, rng: mirror(substitute(codes, 0.05, rng)),
    "shifted": shift,
    "mirrored-shifted": lambda codes, rng: mirror(shift(codes, rng)),
    "indels": insert_and_delete,
}


@pytest.fixture(params=KINDS)
def copy(request: pytest.FixtureRequest) -> Callable[[np.ndarray, np.random.Generator], np.ndarray]:
    """``copy(codes, rng)``: one way of copying after the other."""
    return KINDS[request.param]


@pytest.fixture(scope="session")
def copies() -> list[Callable[[np.ndarray, np.random.Generator], np.ndarray]]:
    """All ways of copying."""
    return list(KINDS.values())


@pytest.fixture(scope="session")
def substituted() -> Callable[[np.ndarray, float, np.random.Generator], np.ndarray]:
    return substitute


@pytest.fixture(scope="session")
def unrelated_promoters(real_promoters) -> Callable[[str], tuple[SequenceSet, SequenceSet]]:
    """1,200 promoters of a species, and 400 more that share no 50-mer with those on either strand."""

    @cache
    def split(species: str) -> tuple[SequenceSet, SequenceSet]:
        promoters = real_promoters(species)
        order = np.random.default_rng(5).permutation(len(promoters))
        train, rest = order[:1200], order[1200:]
        known = set()
        for row in train:
            for strand in (promoters.codes[row], mirror(promoters.codes[[row]])[0]):
                text = strand.tobytes()
                known.update(text[i : i + 50] for i in range(len(text) - 49))
        apart = []
        for row in rest:
            text = promoters.codes[row].tobytes()
            if not any(text[i : i + 50] in known for i in range(len(text) - 49)):
                apart.append(row)
            if len(apart) == 400:
                break
        return promoters.take(train), promoters.take(np.array(apart))

    return split
