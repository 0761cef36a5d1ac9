from __future__ import annotations

import gzip

import numpy as np
import pandas as pd
import pytest

from dnabench import SequenceSet, UserError
from dnabench.data.fasta import read_fasta


def write(path, text):
    path.write_text(text, newline="")
    return path


def test_reads_wrapped_lower_case_and_windows_lines_with_labels(tmp_path):
    path = write(tmp_path / "x.fa", ">a|1 species=hs class=tata extra\r\nACg\r\ntn\r\n\r\n>b species=mm\r\nTTTTT\r\n")
    sequences = read_fasta(path)
    assert sequences.strings() == ["ACGTN", "TTTTT"]
    assert sequences.names == ("a|1", "b")
    assert sequences.labels.to_dict("list") == {"species": ["hs", "mm"], "class": ["tata", ""]}


def test_gzip_and_plain_hold_the_same_and_the_same_bytes_every_time(tmp_path):
    path = write(tmp_path / "x.fa", ">a species=hs\nACGT\n>b species=mm\nGGGG\n")
    sequences = read_fasta(path)
    sequences.to_fasta(tmp_path / "one.fa.gz")
    sequences.to_fasta(tmp_path / "two.fa.gz")
    assert (tmp_path / "one.fa.gz").read_bytes() == (tmp_path / "two.fa.gz").read_bytes()
    assert gzip.decompress((tmp_path / "one.fa.gz").read_bytes()) == path.read_bytes()
    assert read_fasta(tmp_path / "one.fa.gz").digest == sequences.digest


def test_white_space_cannot_break_a_header(tmp_path):
    labels = pd.DataFrame({"species": ["Homo sapiens", ""]})
    codes = np.zeros((2, 3), np.uint8)
    SequenceSet(codes, labels=labels, names=["one two\n>three", "four"]).to_fasta(tmp_path / "x.fa")
    again = read_fasta(tmp_path / "x.fa")
    assert again.names == ("one_two_>three", "four")
    assert again.labels["species"].tolist() == ["Homo_sapiens", ""]


def test_a_directory_is_one_set_whose_file_names_are_the_species(tmp_path):
    write(tmp_path / "mm.fasta", ">m\nCCCC\n")
    with gzip.open(tmp_path / "hs.fa.gz", "wt") as stream:
        stream.write(">h\nAAAA\n>i species=own\nTTTT\n")
    write(tmp_path / "notes.txt", "not a sequence")
    sequences = read_fasta(tmp_path)
    assert sequences.strings() == ["AAAA", "TTTT", "CCCC"]
    assert sequences.labels["species"].tolist() == ["hs", "own", "mm"]


def test_length_crops_around_the_centre(tmp_path):
    path = write(tmp_path / "x.fa", ">a\nAACGTT\n>b\nTTACGTATT\n")
    assert read_fasta(path, length=4).strings() == ["ACGT", "ACGT"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "empty"),
        (" \n\n", "empty"),
        ("ACGT\n", "not FASTA"),
        (">a\nACGT\n>b\n>c\nACGT\n", r"record 'b' \(number 2\) has no sequence"),
        ("\ufeff>a\rACGT\r>b\rACRT", r"record 'b' \(number 2\), column 3: letter 'R'"),
        (">a\nACGT\n>b\nACRT\n", r"record 'b' \(number 2\), column 3: letter 'R'"),
        (">a\nACGT\n>b\nACG\n", r"'b' has 3 bases, but 'a' has 4; --length L would crop"),
    ],
)
def test_what_is_wrong_is_said_with_file_record_and_column(tmp_path, text, message):
    path = write(tmp_path / "bad.fa", text)
    with pytest.raises(UserError, match=message) as caught:
        read_fasta(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_shorter_than_length_missing_damaged_and_empty_directory(tmp_path):
    path = write(tmp_path / "x.fa", ">a\nACGT\n")
    with pytest.raises(UserError, match="4 bases, fewer than --length 5"):
        read_fasta(path, length=5)
    with pytest.raises(UserError, match="no such file"):
        read_fasta(tmp_path / "absent.fa")
    cut = tmp_path / "cut.fa.gz"
    cut.write_bytes(gzip.compress(b">a\nACGT\n" * 100)[:-12])
    with pytest.raises(UserError, match="damaged or cut short"):
        read_fasta(cut)
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="no FASTA file"):
        read_fasta(tmp_path / "empty")


def test_real_promoters_survive_a_round_trip(tmp_path, real_promoters):
    sequences = real_promoters("rm")
    assert len(sequences) == 520
    assert sequences.length == 256
    assert set(sequences.labels["species"]) == {"rm"}
    sequences.to_fasta(tmp_path / "rm.fa")
    again = SequenceSet.from_fasta(tmp_path / "rm.fa")
    assert again.digest == sequences.digest
    assert again.names == sequences.names
