"""Seeds against a plain enumeration of k-mers."""

from __future__ import annotations

import numpy as np
import pytest

from dnabench_metrics.novelty.sketch import Sketch, build_index, largest_index, seeds_of, sketch_for

COMPLEMENT = str.maketrans("ACGTN", "TGCAN")


def spelled(codes: np.ndarray) -> str:
    return "".join("ACGTN"[code] for code in codes)


def kmers(text: str, k: int) -> list[tuple[str, int]]:
    """Every canonical k-mer without N that is not its own reverse complement, and twice its start plus its strand."""
    found = []
    for start in range(len(text) - k + 1):
        kmer = text[start : start + k]
        other = kmer.translate(COMPLEMENT)[::-1]
        if "N" not in kmer and kmer != other:
            found.append((min(kmer, other), 2 * start + (other < kmer)))
    return found


def sample(n: int, length: int, *, seed: int = 0) -> np.ndarray:
    """Random sequences with a few N, palindromes and a run of A."""
    codes = np.random.default_rng(seed).choice(5, (n, length), p=[0.3, 0.2, 0.2, 0.28, 0.02]).astype(np.uint8)
    codes[0, :20] = 0
    codes[1, 5:25] = [0, 3] * 10
    return codes


@pytest.mark.parametrize("k", [8, 11, 16])
def test_a_hash_stands_for_one_canonical_kmer(k):
    codes = sample(30, 60)
    seeds = seeds_of(codes, Sketch(k, 4**k))
    meaning: dict[int, str] = {}
    for i, row in enumerate(codes):
        inside = slice(seeds.bounds[i], seeds.bounds[i + 1])
        expected = kmers(spelled(row), k)
        assert [place for _, place in expected] == seeds.places[inside].tolist()
        for hashed, (kmer, _) in zip(seeds.hashes[inside].tolist(), expected, strict=True):
            assert meaning.setdefault(hashed, kmer) == kmer
    assert len(set(meaning.values())) == len(meaning) > 500


def test_the_other_strand_has_the_same_hashes():
    codes = sample(10, 80)
    mirrored = np.array([3, 2, 1, 0, 4], np.uint8)[codes[:, ::-1]]
    sketch = Sketch(12, 4**11)
    one, other = seeds_of(codes, sketch), seeds_of(mirrored, sketch)
    np.testing.assert_array_equal(one.bounds, other.bounds)
    for start, stop in zip(one.bounds[:-1], one.bounds[1:], strict=True):
        np.testing.assert_array_equal(one.hashes[start:stop], other.hashes[start:stop][::-1])


def test_a_limit_keeps_its_share_of_the_kmers_and_the_same_ones_everywhere():
    codes = np.random.default_rng(1).integers(0, 4, (200, 500), dtype=np.uint8)
    everything, eighth = seeds_of(codes, Sketch(14, 4**14)), seeds_of(codes, Sketch(14, 4**14 // 8))
    n = len(everything.hashes)
    assert abs(len(eighth.hashes) / n - 1 / 8) < 4 * np.sqrt(1 / 8 * 7 / 8 / n)
    np.testing.assert_array_equal(everything.hashes[everything.hashes < 4**14 // 8], eighth.hashes)


def test_sequences_shorter_than_a_seed_have_none():
    assert len(seeds_of(np.zeros((3, 7), np.uint8), Sketch(8, 4**8)).hashes) == 0


@pytest.mark.parametrize("sketch", [Sketch(8, 4**8), Sketch(13, 4**13 // 3), Sketch(16, 4**16)])
def test_an_index_holds_every_seed_sorted_with_its_place(sketch):
    codes = sample(40, 70)
    order = np.random.default_rng(3).permutation(40)[:31]
    index = build_index(codes, order, sketch)
    seeds = seeds_of(codes[order], sketch)
    ranks = np.repeat(np.arange(31), np.diff(seeds.bounds))
    locations = 2 * ranks * (70 - sketch.k + 1) + seeds.places
    expected = sorted(zip(seeds.hashes.tolist(), locations.tolist(), strict=True))
    found = [(int(key) >> index.bits, int(key) & ((1 << index.bits) - 1)) for key in index.keys]
    assert found == expected
    for hashed in set(seeds.hashes.tolist()):
        bucket = hashed >> index.shift
        keys = index.keys[index.starts[bucket] : index.starts[bucket + 1]]
        assert sum(int(key) >> index.bits == hashed for key in keys) == (seeds.hashes == hashed).sum()


def test_the_seeds_grow_with_the_training_set():
    # 245 windows of 12 bp in 256: 245^2 x 60,000 / (4^12 / 2) = 429 chance matches, and 1,736 with 11 bp.
    assert sketch_for(query_length=256, train_length=256, train_size=60_000) == Sketch(12, 4**12)
    # 2,035 windows of 14 bp, of which 256 are kept: 256 x 2,035 x 150,000 / (4^14 / 2) = 582; with 13 bp 2,330.
    assert sketch_for(query_length=2048, train_length=2048, train_size=150_000) == Sketch(14, -(-256 * 4**14 // 2035))
    # The shorter kind of sequence decides which fraction is kept.
    assert sketch_for(query_length=64, train_length=2048, train_size=100, kmer=12) == Sketch(12, 4**12)
    assert sketch_for(query_length=5, train_length=5, train_size=10).k == 8


def test_an_index_refuses_what_its_numbers_cannot_hold():
    # 32 bits for a 16-mer leave 30 for a location: 2 x 241 windows.
    assert largest_index(256, Sketch(16, 4**16)) == 2**30 // 241
    with pytest.raises(ValueError, match=f"at most {2**30 // 241}"):
        build_index(np.zeros((1, 256), np.uint8), np.zeros(2**30 // 241 + 1, np.int64), Sketch(16, 4**16))
