"""The motif scanner: every window, both strands, N, ties, and the EPD motifs on real promoters."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from dnabench import SequenceSet
from dnabench_metrics.motifs import scan
from dnabench_metrics.motifs.matrices import Motif, load_motifs
from dnabench_metrics.motifs.scan import ABSENT, best_hit_positions, window_scores

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


def test_a_sequence_shorter_than_the_motif_has_no_hit():
    assert hits(["TATAA", "AAAAA"], consensus_motif("TATAAA")) == [ABSENT, ABSENT]


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
    assert window_scores(codes, weights).tolist() == [[5 - 4, -7 + 3]]
    assert hits(["NNNNNN", "TATANA"], consensus_motif("TATAAA")) == [ABSENT, ABSENT]


def test_chunks_do_not_show(monkeypatch):
    codes = np.random.default_rng(0).integers(0, 5, (200, 60)).astype(np.uint8)
    motif = load_motifs("epd", p_value=1e-4)[2]
    whole = best_hit_positions(codes, motif)
    monkeypatch.setattr(scan, "CHUNK_WINDOWS", 7 * (60 - motif.width + 1) + 3)
    np.testing.assert_array_equal(best_hit_positions(codes, motif), whole)


def test_every_window_of_both_strands_equals_a_plain_loop():
    codes = np.random.default_rng(1).integers(0, 5, (40, 50)).astype(np.uint8)
    complement = {"A": "T", "C": "G", "G": "C", "T": "A", "N": "N"}
    for motif in load_motifs("epd", p_value=1e-4):

        def score(word: str, motif=motif) -> int:
            rows = zip(word, motif.weights.tolist(), strict=True)
            return sum(min(row) if base == "N" else row["ACGT".index(base)] for base, row in rows)

        expected = []
        for text in SequenceSet(codes).strings():
            found = []
            for start in range(50 - motif.width + 1):
                word = text[start : start + motif.width]
                found.append((score(word), 1, -start, start + motif.anchor))
                if motif.strands == "both":
                    opposite = "".join(complement[base] for base in reversed(word))
                    found.append((score(opposite), 0, -start, start + motif.width - 1 - motif.anchor))
            best = max(found)
            expected.append(best[3] if best[0] >= motif.cutoff else ABSENT)
        assert best_hit_positions(codes, motif).tolist() == expected


def test_the_carried_matrices_are_those_that_were_checked():
    # Against EPD's own file, by the test below.
    content = (Path(scan.__file__).parent / "epd_bucher1990.json").read_bytes()
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
