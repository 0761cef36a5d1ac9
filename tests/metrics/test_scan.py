"""The motif scanner: every window, both strands, N, ties, counts, bins, and the EPD motifs on real promoters."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dnabench import SequenceSet
from dnabench_metrics.motifs import matrices
from dnabench_metrics.motifs.matrices import Motif, load_motifs
from dnabench_metrics.motifs.scan import ABSENT, best_hit_positions, hit_counts, occupancy, scan

TSS = 205


def consensus_motif(word: str, *, strands: str = "+", anchor: int = 0, mismatches: int = 0) -> Motif:
    """1 for the word's base, 0 for any other; a hit has at most ``mismatches`` of those."""
    weights = np.eye(4, dtype=np.int32)[["ACGT".index(letter) for letter in word]]
    return Motif("toy", weights, cutoff=len(word) - mismatches, anchor=anchor, strands=strands)


def hits(sequences: list[str], motif: Motif) -> list[int]:
    return best_hit_positions(SequenceSet.from_strings(sequences).codes, motif).tolist()


def test_first_last_and_only_windows_are_scanned():
    motif = consensus_motif("TATAAA")
    assert hits(["TATAAACCCC", "CCTATAAACC", "CCCCTATAAA", "CCCCCCCCCC"], motif) == [0, 2, 4, ABSENT]
    assert hits(["TATAAA"], motif) == [0]


def test_the_opposite_strand_counts_only_where_the_motif_has_no_direction():
    sequences = ["ATTGGCCCCC", "CCCCCATTGG", "CCAATCCCCC"]
    assert hits(sequences, consensus_motif("CCAAT")) == [ABSENT, ABSENT, 0]
    # Anchored at its first base, a hit on the opposite strand is named by the last base of its window.
    assert hits(sequences, consensus_motif("CCAAT", strands="both")) == [4, 9, 0]


def test_the_anchor_is_the_same_base_on_both_strands():
    # GGATC reversed and complemented is GATCC: its third base, A on the motif's strand, lies at 2 and at 5 + 2.
    motif = consensus_motif("GGATC", strands="both", anchor=2)
    assert hits(["GGATCTTTTT", "TTTTTGATCC"], motif) == [2, 7]


def test_ties_go_to_the_given_strand_and_then_to_the_left():
    motif = consensus_motif("CCAAT", strands="both")
    assert hits(["ATTGGCCAAT", "CCAATCCAAT", "ATTGGATTGG"], motif) == [5, 0, 4]


def test_the_best_hit_wins_over_an_earlier_one():
    assert hits(["TATCCCTATA"], consensus_motif("TATA", mismatches=1)) == [6]


def test_n_scores_as_the_worst_base_of_its_column():
    weights = np.array([[5, -2, 0, -7], [1, 3, -4, 2]], np.int32)
    codes = SequenceSet.from_strings(["ANC"]).codes
    # AN scores 5 - 4 and NC -7 + 3.
    for cutoff, expected in ((2, 0), (1, 1), (-3, 1), (-4, 2)):
        assert hit_counts(codes, [Motif("toy", weights, cutoff, 0, "+")]).tolist() == [[expected]]
    assert hits(["NNNNNN", "TATANA"], consensus_motif("TATAAA")) == [ABSENT, ABSENT]


def test_hits_that_overlap_count_and_palindromes_count_on_each_strand():
    assert hit_counts(SequenceSet.from_strings(["AAAATT"]).codes, [consensus_motif("AA")]).tolist() == [[3]]
    both = consensus_motif("AA", strands="both")
    assert hit_counts(SequenceSet.from_strings(["AAAATT"]).codes, [both]).tolist() == [[4]]
    palindrome = consensus_motif("ACGT", strands="both")
    assert hit_counts(SequenceSet.from_strings(["ACGTAA", "CCCCCC"]).codes, [palindrome]).tolist() == [[2], [0]]


def test_the_first_and_the_last_window_count_on_both_strands():
    motif = consensus_motif("CCAAT", strands="both")
    codes = SequenceSet.from_strings(["CCAATCCCCC", "CCCCCCCAAT", "ATTGGCCCCC", "CCCCCATTGG", "CCCCCCCCCC"]).codes
    assert hit_counts(codes, [motif]).ravel().tolist() == [1, 1, 1, 1, 0]


def test_bins_hold_the_anchors_of_hits():
    motif = consensus_motif("CCAAT", strands="both", anchor=1)
    codes = SequenceSet.from_strings(["CCAATGGGATTGG", "GGGGGGGGGGGGG"]).codes
    # Anchors at 1 and, on the opposite strand, at 8 + 3; bins of 4 bp, the last of one.
    assert occupancy(codes, [motif], 4)[:, 0].tolist() == [[True, False, True, False], [False] * 4]


COMPLEMENT = {"A": "T", "C": "G", "G": "C", "T": "A", "N": "N"}


def plain_hits(text: str, motif: Motif) -> list[tuple[int, int, int, int]]:
    """Score, 1 for the given strand, minus the start, and position of every hit, by a loop over letters."""

    def score(word: str) -> int:
        rows = zip(word, motif.weights.tolist(), strict=True)
        return sum(min(row) if base == "N" else row["ACGT".index(base)] for base, row in rows)

    found = []
    for start in range(len(text) - motif.width + 1):
        word = text[start : start + motif.width]
        found.append((score(word), 1, -start, start + motif.anchor))
        if motif.strands == "both":
            opposite = "".join(COMPLEMENT[base] for base in reversed(word))
            found.append((score(opposite), 0, -start, start + motif.width - 1 - motif.anchor))
    return [hit for hit in found if hit[0] >= motif.cutoff]


def check_against_a_plain_loop(codes: np.ndarray, motifs: list[Motif], bin_width: int) -> None:
    found, occupied = scan(codes, motifs), occupancy(codes, motifs, bin_width)
    for r, text in enumerate(SequenceSet(codes).strings()):
        for m, motif in enumerate(motifs):
            expected = plain_hits(text, motif)
            assert found.counts[r, m] == len(expected)
            assert found.positions[r, m] == (max(expected)[3] if expected else ABSENT)
            assert set(np.flatnonzero(occupied[r, m])) == {hit[3] // bin_width for hit in expected}


def test_every_window_of_both_strands_equals_a_plain_loop():
    codes = np.random.default_rng(1).integers(0, 5, (40, 50)).astype(np.uint8)
    check_against_a_plain_loop(codes, load_motifs("epd", p_value=1e-4), 8)


@settings(deadline=None, max_examples=60)
@given(seed=st.integers(0, 2**32 - 1), length=st.integers(1, 140), magnitude=st.sampled_from([3, 300, 30_000]))
def test_matrices_of_any_width_and_size_equal_a_plain_loop(seed, length, magnitude):
    rng = np.random.default_rng(seed)
    codes = rng.choice(5, (3, length), p=[0.24, 0.24, 0.24, 0.24, 0.04]).astype(np.uint8)
    motifs = []
    for strands in ("+", "both", "both"):
        width = int(rng.integers(1, min(length, 23) + 1))
        weights = rng.integers(-magnitude, magnitude, (width, 4)).astype(np.int32)
        best, mean = weights.max(1).sum(), weights.mean(1).sum()
        cutoff = int(best - rng.random() ** 2 * 2 * (best - mean))
        motifs.append(Motif("toy", weights, cutoff, int(rng.integers(width)), strands))
    check_against_a_plain_loop(codes, motifs, int(rng.integers(1, 9)))


def test_a_motif_is_found_in_as_many_words_as_its_p_value_says(real_data):
    words = np.indices((4,) * 8, np.uint8).reshape(8, -1).T.copy()  # each of 8 bp once
    motifs = load_motifs(str(real_data / "motifs" / "JASPAR2018_CORE_vertebrates.meme"), p_value=0.01)
    motifs = [motif for motif in motifs if motif.width == 8][:15]
    assert (hit_counts(words, motifs).mean(axis=0) / 2 <= 0.01).all()
    lower = [replace(motif, cutoff=motif.cutoff - 1) for motif in motifs]
    assert (hit_counts(words, lower).mean(axis=0) / 2 > 0.01).all()


def test_the_carried_matrices_are_those_that_were_checked():
    # Against EPD's own file, by the test below.
    content = (Path(matrices.__file__).parent / "epd_bucher1990.json").read_bytes()
    assert hashlib.sha256(content).hexdigest() == "57ba9978bd38ed54d1da7e542deb0a52022f3d8adc223c365e89702f85d042fe"


def test_the_carried_matrices_are_those_of_epd(real_data):
    import json

    published = json.loads((real_data / "motifs" / "epd_bucher1990.json").read_text())
    motifs = {motif.name: motif for motif in load_motifs("epd", p_value=1e-4)}
    assert list(motifs) == ["tata-box", "initiator", "ccaat-box", "gc-box"]
    assert [motif.strands for motif in motifs.values()] == ["+", "+", "both", "both"]
    for title, entry in published.items():
        motif = motifs[title.lower()]
        np.testing.assert_allclose(motif.weights / 100, entry["weights"], atol=1e-9)
        assert motif.cutoff == round(100 * entry["cutoff_bucher"])
        assert entry["positions"][motif.anchor] == 0


@pytest.mark.parametrize("species", ["dr", "gg"])
def test_the_tata_box_of_vertebrates_peaks_about_30_bp_upstream(real_promoters, species):
    tata = load_motifs("epd", p_value=1e-4)[0]
    positions = best_hit_positions(real_promoters(species).codes, tata)
    counts = np.bincount(positions[positions != ABSENT], minlength=256)
    assert -31 <= counts.argmax() - TSS <= -28


def test_baker_s_yeast_has_no_tata_box_peak_there(real_promoters):
    tata = load_motifs("epd", p_value=1e-4)[0]
    positions = best_hit_positions(real_promoters("sc").codes, tata) - TSS
    near = np.isin(positions, range(-31, -27)).mean()
    around = np.isin(positions, range(-60, 0)).mean() / 15
    assert near < 1.3 * around


@pytest.mark.parametrize("species", ["hs", "dm"])
def test_the_initiator_peaks_at_the_transcription_start(real_promoters, species):
    initiator = load_motifs("epd", p_value=1e-4)[1]
    positions = best_hit_positions(real_promoters(species).codes, initiator)
    assert np.bincount(positions[positions != ABSENT], minlength=256).argmax() == TSS
