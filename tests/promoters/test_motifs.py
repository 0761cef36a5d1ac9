"""The carried count matrices against the database's copy."""

from __future__ import annotations

import json

import pytest

from dnabench_promoters import motifs

NAMES = {
    "TATA-box": motifs.TATA_BOX,
    "Initiator": motifs.INITIATOR,
    "CCAAT-box": motifs.CCAAT_BOX,
    "GC-box": motifs.GC_BOX,
}


@pytest.mark.parametrize("name", NAMES)
def test_counts_and_origin_are_those_of_epd(real_data, name):
    published = json.loads((real_data / "motifs" / "epd_bucher1990.json").read_text())[name]
    assert [list(column) for column in NAMES[name].counts] == published["counts"]
    assert published["positions"][NAMES[name].origin] == 0


@pytest.mark.parametrize(
    ("name", "consensus"),
    [
        ("TATA-box", "GTATAAAAGGCGGGG"),
        ("Initiator", "TCAGTCTT"),
        ("CCAAT-box", "ACTAGCCAATCA"),
        ("GC-box", "AGGGGGCGGGGCTG"),
    ],
)
def test_most_frequent_bases(name, consensus):
    assert "".join("ACGT"[column.index(max(column))] for column in NAMES[name].counts) == consensus


def test_reverse_complement_by_hand():
    motif = motifs.Motif(((1, 2, 3, 4), (5, 6, 7, 8), (9, 10, 11, 12)), origin=0)
    flipped = motif.reverse_complement()
    assert flipped.counts == ((12, 11, 10, 9), (8, 7, 6, 5), (4, 3, 2, 1))
    assert flipped.origin == 2
    assert flipped.reverse_complement() == motif
