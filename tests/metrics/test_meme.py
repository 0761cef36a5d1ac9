"""MEME files: what they state, the scores made of it, and what is refused."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from dnabench import UserError
from dnabench_metrics.motifs.files import read_motifs
from dnabench_metrics.motifs.matrices import load_motifs, score_cutoff

HEADER = (
    "MEME version 4\n\nALPHABET= ACGT\n\nstrands: + -\n\nBackground letter frequencies\nA 0.3 C 0.2 G 0.2 T 0.3\n\n"
)
MATRIX = "MOTIF one first\nletter-probability matrix: alength= 4 w= 2 nsites= 9 E= 0\n1 0 0 0\n0.5 0.5 0 0\n"


def write(tmp_path, text: str):
    path = tmp_path / "motifs.meme"
    path.write_text(text)
    return path


def test_a_file_is_read_as_it_states(tmp_path):
    second = MATRIX.replace("MOTIF one first", "MOTIF two").replace(" nsites= 9", "")
    one, two = read_motifs(write(tmp_path, HEADER + MATRIX + "\nURL http://example.org\n\n" + second))
    assert (one.name, two.name) == ("one", "two")
    assert (one.sites, two.sites) == (9, 20)
    assert one.strands == "both"
    np.testing.assert_allclose(one.background, [0.3, 0.2, 0.2, 0.3])
    np.testing.assert_allclose(one.probabilities, [[1, 0, 0, 0], [0.5, 0.5, 0, 0]])


def test_one_strand_is_kept_to_one_strand_and_the_background_may_be_left_out(tmp_path):
    (motif,) = read_motifs(write(tmp_path, "MEME version 5\nALPHABET= ACGT\nstrands: +\n" + MATRIX))
    assert motif.strands == "+"
    np.testing.assert_allclose(motif.background, 0.25)


def test_the_output_of_a_motif_search_is_read_to_the_end(tmp_path):
    dashes = "-" * 80 + "\n"
    block = (
        dashes
        + "\tMotif one position-specific scoring matrix\n"
        + dashes
        + "log-odds matrix: alength= 4 w= 2 n= 1 E= 0\n"
        "   120   -999   -999   -999\n    20     30   -999   -999\n" + dashes + "\n"
    )
    first = MATRIX.replace("letter-prob", block + "letter-prob") + dashes + "\nTime  0.52 secs.\n\n"
    second = MATRIX.replace("MOTIF one first", "MOTIF two") + "2 more lines\n"
    third = MATRIX.replace("MOTIF one first", "MOTIF three").replace(" w= 2", "") + dashes
    fourth = (
        MATRIX.replace("MOTIF one first", "MOTIF four")
        .replace(" w= 2", "")
        .replace("0.5 0.5", ".5 +.5")
        .replace("1 0 0", " +1. .0 -0")
    )
    motifs = read_motifs(write(tmp_path, HEADER + first + second + third + fourth + "+ a remark\n"))
    assert [motif.name for motif in motifs] == ["one", "two", "three", "four"]
    for motif in motifs:
        np.testing.assert_allclose(motif.probabilities, [[1, 0, 0, 0], [0.5, 0.5, 0, 0]])


def test_weights_are_smoothed_log_odds_in_hundredths_of_a_bit(tmp_path):
    (motif,) = load_motifs(str(write(tmp_path, HEADER + MATRIX)), p_value=1e-4)
    # 9 sites and one of pseudo-count: A (9 + .3) / 10 against .3, C (0 + .2) / 10 against .2.
    assert motif.weights[0].tolist() == [round(100 * np.log2(0.93 / 0.3)), -332, -332, -332]
    assert motif.anchor == 1


def test_the_cutoff_is_exact_by_enumeration():
    weights = np.array([[3, -1, 0, 2], [-4, 5, 1, 0], [2, 2, -3, 7]])
    background = np.array([0.1, 0.2, 0.3, 0.4])
    words = [
        (sum(weights[i, b] for i, b in enumerate(word)), np.prod(background[list(word)]))
        for word in itertools.product(range(4), repeat=3)
    ]
    for p_value in (0.5, 0.2, 0.1, 0.05, 0.033):
        allowed = [t for t in range(-8, 16) if sum(p for score, p in words if score >= t) <= p_value]
        assert score_cutoff(weights, background, p_value) == min(allowed)


def test_a_motif_too_short_for_the_p_value_is_hit_by_its_best_word_alone():
    weights = np.array([[3, 0, 0, 0], [0, 2, 0, 0]])
    assert score_cutoff(weights, np.full(4, 0.25), 1e-4) == 5
    # At exactly its own probability the best word is let in by the rule itself: no window scores 4.
    assert score_cutoff(weights, np.full(4, 0.25), 1 / 16) == 4


def test_jaspar_files_are_read_whole(real_data):
    path = real_data / "motifs" / "JASPAR2018_CORE_nematodes.meme"
    motifs = load_motifs(str(path), p_value=1e-4)
    assert len(motifs) == 26
    assert [motif.name for motif in motifs[:2]] == ["MA0260.1", "MA0261.1"]
    assert [motif.width for motif in motifs[:3]] == [6, 6, 13]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "an empty file"),
        (" \n\n", "an empty file"),
        (HEADER.replace("MEME version 4", "version 4") + MATRIX, "neither MEME"),
        (HEADER, "no letter-probability matrix"),
        (HEADER.replace("ACGT", "ACDEFGHIKLMNPQRSTVWY") + MATRIX, "line 3: alphabet ACDEFGHIKLMNPQRSTVWY"),
        (HEADER.replace("A 0.3", "A 0.9") + MATRIX, "line 8: background letter frequencies must"),
        (HEADER.replace("A 0.3", "A 1e-320").replace("T 0.3", "T 0.6"), "line 8: background letter frequencies must"),
        (HEADER + MATRIX.replace("nsites= 9", "nsites= 1e300"), "line 11: nsites= 1e+300"),
        (HEADER.replace("A 0.3 ", "") + MATRIX, "line 8: background letter frequencies expected"),
        (HEADER + MATRIX.replace("w= 2", "w= 3"), "line 11: 2 rows follow for motif one, 3 expected"),
        (HEADER + MATRIX.replace("w= 2", "w= two"), "line 11: w= and nsites= must be numbers"),
        (HEADER + MATRIX.replace("nsites= 9", "nsites= 0"), "line 11: nsites= 0"),
        (HEADER + MATRIX.replace("1 0 0 0", "1 0 0"), "line 12: '1 0 0'"),
        (HEADER + MATRIX.replace("1 0 0 0", "1 0 x 0"), "line 12: '1 0 x 0'"),
        (HEADER + MATRIX.replace("1 0 0 0", "7 0 1 1"), "line 12: '7 0 1 1'"),
        (HEADER + MATRIX.replace("1 0 0 0", "nan 0 1 0"), "line 11: 0 rows follow"),
        (HEADER + MATRIX + MATRIX, "line 14: a second motif called one"),
        (HEADER + MATRIX.replace("MOTIF one first\n", ""), "line 10: a matrix before any MOTIF"),
        (HEADER + MATRIX.replace("MOTIF one first", "MOTIF"), "line 10: MOTIF without a name"),
        (HEADER + "MOTIF none\n\n" + MATRIX, "line 10: no letter-probability matrix for motif none"),
        (HEADER + MATRIX + "MOTIF none\n\n", "line 14: no letter-probability matrix for motif none"),
        (HEADER + MATRIX.replace("1 0 0 0", "-1 0 1 1"), "line 12: '-1 0 1 1'"),
    ],
)
def test_a_bad_file_is_refused_in_one_line_that_says_where(tmp_path, text, message):
    path = write(tmp_path, text)
    with pytest.raises(UserError) as error:
        load_motifs(str(path), p_value=1e-4)
    assert message in str(error.value)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)


def test_files_that_are_missing_or_binary_are_refused(tmp_path):
    with pytest.raises(UserError, match="No such file"):
        load_motifs(str(tmp_path / "absent.meme"), p_value=1e-4)
    (tmp_path / "binary.meme").write_bytes(bytes(range(256)))
    with pytest.raises(UserError, match="not a text file"):
        load_motifs(str(tmp_path / "binary.meme"), p_value=1e-4)
