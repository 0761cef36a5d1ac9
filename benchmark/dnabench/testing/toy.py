"""Sequences for the checks: a small promoter-like source, the same everywhere, and faults put into its sequences."""

from __future__ import annotations

import numpy as np
import pandas as pd

from dnabench.sequences import SequenceSet

LABEL = "species"
_SPECIES = (("a", 0.22), ("b", 0.38))  # and their share of G and C: that of uniform sequences is beyond both
_MOTIFS = (("CCAAT", 0.2), ("GGGCGG", 0.35), ("TATAAA", 0.55), ("TCAGTT", 0.8))  # and where in a sequence they begin
_CARRIERS = 0.6  # share of sequences with a motif
_SHORTEST = 64  # bp of a sequence that has room for all motifs


def draw(n: int, length: int, seed: int) -> SequenceSet:
    """``n`` sequences of two species; most carry four motifs at their places, and bases like to follow themselves."""
    rng = np.random.default_rng([seed, length])
    species = rng.integers(0, len(_SPECIES), n)
    strong = np.array([share for _, share in _SPECIES])[species, None] + rng.normal(0, 0.05, (n, 1))
    second = rng.random((n, length)) < 0.5
    codes = np.where(rng.random((n, length)) < strong, 1 + second, 3 * second).astype(np.uint8)
    repeated = rng.random((n, length)) < 0.25
    for position in range(1, length):
        codes[:, position] = np.where(repeated[:, position], codes[:, position - 1], codes[:, position])
    for letters, place in _MOTIFS if length >= _SHORTEST else ():
        motif = np.array(["ACGT".index(letter) for letter in letters], np.uint8)
        carriers = np.flatnonzero(rng.random(n) < _CARRIERS)
        starts = round(place * length) + rng.integers(-2, 3, len(carriers))
        codes[carriers[:, None], starts[:, None] + np.arange(len(motif))] = motif
    return SequenceSet(codes, labels=pd.DataFrame({LABEL: [_SPECIES[i][0] for i in species]}))


def mutated(sequences: SequenceSet, share: float, seed: int) -> SequenceSet:
    """With each base replaced by another one with probability ``share``."""
    rng = np.random.default_rng(seed)
    hit = rng.random(sequences.codes.shape) < share
    other = (sequences.codes + rng.integers(1, 4, sequences.codes.shape, dtype=np.uint8)) % 4
    return SequenceSet(np.where(hit, other, sequences.codes).astype(np.uint8), labels=sequences.labels)


def with_copies(sequences: SequenceSet, train: SequenceSet, share: float) -> SequenceSet:
    """With the first ``share`` of them replaced by training sequences."""
    codes = sequences.codes.copy()
    copied = min(round(share * len(codes)), len(train))
    codes[:copied] = train.codes[:copied]
    return SequenceSet(codes, labels=sequences.labels)


def uniform(n: int, length: int, seed: int) -> SequenceSet:
    """Every base with probability 1/4, and the labels that :func:`draw` gives."""
    codes = np.random.default_rng(seed).integers(0, 4, (n, length), dtype=np.uint8)
    return SequenceSet(codes, labels=draw(n, length, seed).labels)
