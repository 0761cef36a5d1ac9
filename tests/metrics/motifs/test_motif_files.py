"""JASPAR and TRANSFAC files: what they state, that they agree with MEME, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from dnabench import UserError
from dnabench_metrics.motifs.files import read_motifs
from dnabench_metrics.motifs.matrices import digest, load_motifs

JASPAR = """>MA0001.1 ONE
A  [ 3  0  12 ]
C  [ 0  6   0 ]
G  [ 9  6   0 ]
T  [ 0  0   0 ]

>MA0002.2\tTWO
A [4]
C [0]
G [0]
T [0]
"""
PLAIN = "3 0 12\n0 6 0\n9 6 0\n0 0 0\n"
TRANSFAC = """VV  a header
XX
//
AC  MA0001.1
XX
ID  ONE
XX
DE  first
P0      A      C      G      T
01      3      0      9      0      G
02      0      6      6      0      S
03     12      0      0      0      A
XX
CC  01 is no row of the matrix
//
ID TWO
PO T G C A
1 0 0 0 4
XX
//
"""
FIRST = [[3, 0, 9, 0], [0, 6, 6, 0], [12, 0, 0, 0]]


@pytest.fixture
def write(tmp_path):
    def write(text: str, name: str = "motifs.txt") -> str:
        path = tmp_path / name
        path.write_text(text)
        return path

    return write


def test_jaspar_is_read_as_it_states(write):
    one, two = read_motifs(write(JASPAR))
    assert (one.name, two.name) == ("MA0001.1", "MA0002.2")
    assert (one.sites, two.sites) == (12, 4)
    assert one.strands == "both"
    np.testing.assert_allclose(one.probabilities, np.array(FIRST) / 12)
    np.testing.assert_allclose(two.probabilities, [[1, 0, 0, 0]])
    np.testing.assert_allclose(one.background, 0.25)


def test_a_row_of_jaspar_is_known_by_its_base_not_its_place(write):
    lines = JASPAR.splitlines()[:5]
    shuffled = read_motifs(write("\n".join([lines[0], lines[3], lines[1], lines[4], lines[2]])))
    np.testing.assert_allclose(shuffled[0].probabilities, np.array(FIRST) / 12)


def test_plain_rows_are_one_motif_named_after_the_file(write):
    (motif,) = read_motifs(write(PLAIN, "MA0001.1.pfm"))
    assert motif.name == "MA0001"
    np.testing.assert_allclose(motif.probabilities, np.array(FIRST) / 12)
    (named,) = read_motifs(write(">mine\n" + PLAIN))
    assert named.name == "mine"


def test_transfac_is_read_as_it_states(write):
    one, two = read_motifs(write(TRANSFAC))
    assert (one.name, two.name) == ("MA0001.1", "TWO")
    assert (one.sites, two.sites) == (12, 4)
    np.testing.assert_allclose(one.probabilities, np.array(FIRST) / 12)
    np.testing.assert_allclose(two.probabilities, [[1, 0, 0, 0]])


def test_probabilities_in_place_of_counts_are_of_twenty_sites(write):
    (motif,) = read_motifs(write("0.25 0.0\n0.25 1.0\n0.25 0.0\n0.25 0.0\n"))
    assert motif.sites == 20
    np.testing.assert_allclose(motif.probabilities, [[0.25] * 4, [0, 1, 0, 0]])


def test_the_formats_agree_on_jaspar_s_own_matrices(real_data, write):
    path = real_data / "motifs" / "JASPAR2018_CORE_nematodes.meme"
    jaspar, transfac = [], []
    for motif in read_motifs(path):
        counts = np.rint(motif.probabilities * motif.sites).astype(int)
        jaspar.append(f">{motif.name} x\n")
        jaspar += [f"{base} [ {' '.join(map(str, row))} ]\n" for base, row in zip("ACGT", counts.T, strict=True)]
        transfac.append(f"AC {motif.name}\nXX\nP0 A C G T\n")
        transfac += [f"{i + 1:02} {' '.join(map(str, row))} N\n" for i, row in enumerate(counts)] + ["XX\n//\n"]
    first, second = (load_motifs(str(write("".join(lines))), p_value=1e-4) for lines in (jaspar, transfac))
    assert digest(first) == digest(second)
    published = load_motifs(str(path), p_value=1e-4)
    assert [motif.name for motif in first] == [motif.name for motif in published]
    for ours, theirs in zip(first, published, strict=True):
        # Counts are whole, the file's probabilities have six digits: a hundredth of a bit where a count is 0 or few.
        assert np.abs(ours.weights - theirs.weights).max() <= 6
        assert ours.strands == theirs.strands == "both"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (">seq1\nACGT\nTTGA\n", "line 2: 'ACGT' is no row of counts"),
        (">\n" + PLAIN, "line 1: > without a name"),
        (JASPAR.replace("MA0002.2", "MA0001.1"), "line 7: a second motif called MA0001.1"),
        (JASPAR.replace("T  [ 0  0   0 ]\n", ""), "line 1: no row T for motif MA0001.1"),
        (JASPAR.replace("T  [ 0", "G  [ 0"), "line 5: a second row G"),
        (JASPAR.replace("T  [ 0  0   0 ]", "T  [ 0  0 ]"), "line 5: 2 counts for motif MA0001.1, 3 expected"),
        (JASPAR.replace("3  0  12", "3  x  12"), "line 2: 'A  [ 3  x  12 ]' is no row"),
        (JASPAR.replace("3  0  12", "-3  0  12"), "line 1: motif MA0001.1 holds a number that is not a count"),
        (JASPAR.replace("3  0  12", "1e308  0  12").replace("9  6   0", "1e308  6   0"), "they are from 0 to 1e+12"),
        (TRANSFAC.replace("1 0 0 0 4", "1 0 0 0 1e13"), "line 17: motif TWO holds a number that is not a count"),
        (JASPAR.replace("3  0  12", "nan  0  12"), "line 1: motif MA0001.1 holds a number that is not a count"),
        (JASPAR.replace("[4]", "[0]"), "line 7: motif MA0002.2 has no count at position 1"),
        (JASPAR.replace("[4]", "[]"), "line 8: 0 counts for motif MA0002.2, at least 1 expected"),
        (PLAIN + "1 2 3\n", "line 5: a fifth row"),
        (">MA0001.1 ONE\n", "line 1: no row A for motif MA0001.1"),
        (TRANSFAC.replace("ID TWO\n", ""), "line 16: a matrix of an entry without AC, ID or NA"),
        (TRANSFAC.replace("ID TWO", "ID MA0001.1"), "line 17: a second motif called MA0001.1"),
        (TRANSFAC.replace("PO T G C A", "PO T G C"), "line 17: the bases in their order are expected"),
        (TRANSFAC.replace("1 0 0 0 4", "1 0 0 4"), "line 18: '1 0 0 4': a position and four counts"),
        (TRANSFAC.replace("1 0 0 0 4", "1 0 0 0 x"), "line 18: '1 0 0 0 x': a position and four counts"),
        (TRANSFAC.replace("1 0 0 0 4\n", ""), "line 17: no row of counts follows for motif TWO"),
        (TRANSFAC.replace("//\nID TWO", "XX\nID TWO"), "line 17: a second matrix in one entry"),
        ("AC  M1\nXX\n//\n", "neither MEME"),
        ("<html></html>\n", "neither MEME"),
        ("\n", "an empty file"),
    ],
)
def test_a_bad_file_is_refused_in_one_line_that_says_where(write, text, message):
    path = write(text)
    with pytest.raises(UserError) as error:
        read_motifs(path)
    assert message in str(error.value)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)
