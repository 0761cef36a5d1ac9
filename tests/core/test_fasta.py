from __future__ import annotations

import gzip
import os
import struct
import threading
import zlib

import numpy as np
import pandas as pd
import pytest

from dnabench import SequenceSet, UserError
from dnabench.data.fasta import read_fasta
from dnabench.data.read import read


def write(path, text):
    path.write_text(text, newline="")
    return path


def test_reads_wrapped_lower_case_and_windows_lines_with_labels(tmp_path):
    path = write(tmp_path / "x.fa", ">a|1 species=hs class=tata extra\r\nACg\r\ntn\r\n\r\n>b species=mm\r\nTTTTT\r\n")
    sequences = SequenceSet.from_fasta(path)
    assert sequences.strings() == ["ACGTN", "TTTTT"]
    assert sequences.names == ("a|1", "b")
    assert sequences.labels.to_dict("list") == {"species": ["hs", "mm"], "class": ["tata", ""]}


def test_gzip_and_plain_hold_the_same_and_the_same_bytes_every_time(tmp_path):
    path = write(tmp_path / "x.fa", ">a species=hs\nACGT\n>b species=mm\nGGGG\n")
    sequences = SequenceSet.from_fasta(path)
    sequences.to_fasta(tmp_path / "one.fa.gz")
    sequences.to_fasta(tmp_path / "two.fa.gz")
    assert (tmp_path / "one.fa.gz").read_bytes() == (tmp_path / "two.fa.gz").read_bytes()
    assert gzip.decompress((tmp_path / "one.fa.gz").read_bytes()) == path.read_bytes()
    assert SequenceSet.from_fasta(tmp_path / "one.fa.gz").digest == sequences.digest


def test_white_space_and_equals_signs_cannot_break_a_header(tmp_path):
    labels = pd.DataFrame({"species": ["Homo sapiens", ""], "a=b c": ["d=e", ""], "": ["x", "y"]})
    codes = np.zeros((2, 3), np.uint8)
    SequenceSet(codes, labels=labels, names=["one two\n>three", "four"]).to_fasta(tmp_path / "x.fa")
    again = SequenceSet.from_fasta(tmp_path / "x.fa")
    assert again.names == ("one_two_>three", "four")
    assert again.labels.to_dict("list") == {"species": ["Homo_sapiens", ""], "a_b_c": ["d=e", ""], "-": ["x", "y"]}


def test_a_directory_is_one_set_whose_file_names_are_the_species(tmp_path):
    write(tmp_path / "mm.fasta", ">m\nCCCC\n")
    with gzip.open(tmp_path / "hs.fa.gz", "wt") as stream:
        stream.write(">h\nAAAA\n>i species=own\nTTTT\n")
    write(tmp_path / "notes.txt", "not a sequence")
    sequences = SequenceSet.from_fasta(tmp_path)
    assert sequences.strings() == ["AAAA", "TTTT", "CCCC"]
    assert sequences.labels["species"].tolist() == ["hs", "own", "mm"]


def test_length_crops_around_the_centre(tmp_path):
    path = write(tmp_path / "x.fa", ">a\nAACGTT\n>b\nTTACGTATT\n")
    assert SequenceSet.from_fasta(path, length=4).strings() == ["ACGT", "ACGT"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "empty"),
        (" \n\n", "empty"),
        ("ACGT\n", "not FASTA"),
        ("\ufeff", "empty"),
        ("; an old comment\n>a\nACGT\n", "not FASTA"),
        (" >a\nACXT\n>b\nACGT\n", "not FASTA"),
        (">a\n;c\nACGT\n", r"line 2: record 'a' \(number 1\), column 1: letter ';'"),
        (">a\nAC\n G!T\n", r"line 3: record 'a' \(number 1\), column 3: letter '!'"),
        (">a\nACGT\n>b\n \n\t\n", r"line 3: record 'b' \(number 2\) has no sequence"),
        (">a\nACGT\n>b\n>c\nACGT\n", r"bad.fa, line 3: record 'b' \(number 2\) has no sequence"),
        (">a\nACGT\n>b", r"bad.fa, line 3: record 'b' \(number 2\) has no sequence"),
        ("\ufeff>a\rACGT\r>b\rACXT", r"bad.fa, line 4: record 'b' \(number 2\), column 3: letter 'X'"),
        (">a\r\nACGT\r\n\r\n>b\r\nAC\r\n\r\nG*\r\n", r"bad.fa, line 7: record 'b' \(number 2\), column 2: letter '\*'"),
        (">a\nAC>T\n", r"bad.fa, line 2: record 'a' \(number 1\), column 3: letter '>'"),
        (">a\nACGU\n", r"letter 'U'; only A, .* write the U of RNA as T"),
        (">a\nACé\n", r"column 3: letter 'é'"),
        (">a\nAC\0\n", r"column 3: letter '\\x00'"),
        (
            ">a\nACGT\n>b\nACG\n",
            r"bad.fa, line 3: record 'b' \(number 2\) has 3 bases, but 'a' has 4; --length L would",
        ),
    ],
)
def test_what_is_wrong_is_said_with_file_record_and_column(tmp_path, text, message):
    path = write(tmp_path / "bad.fa", text)
    with pytest.raises(UserError, match=message) as caught:
        SequenceSet.from_fasta(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_shorter_than_length_missing_damaged_and_empty_directory(tmp_path):
    path = write(tmp_path / "x.fa", ">a\nACGT\n")
    with pytest.raises(UserError, match="4 bases, fewer than --length 5"):
        SequenceSet.from_fasta(path, length=5)
    with pytest.raises(UserError, match="no such file"):
        SequenceSet.from_fasta(tmp_path / "absent.fa")
    cut = tmp_path / "cut.fa.gz"
    cut.write_bytes(gzip.compress(b">a\nACGT\n" * 100)[:-12])
    with pytest.raises(UserError, match="damaged or cut short"):
        SequenceSet.from_fasta(cut)
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="no file of sequences in this directory"):
        SequenceSet.from_fasta(tmp_path / "empty")


def test_real_promoters_survive_a_round_trip(tmp_path, real_promoters):
    sequences = real_promoters("rm")
    assert len(sequences) == 520
    assert sequences.length == 256
    assert set(sequences.labels["species"]) == {"rm"}
    sequences.to_fasta(tmp_path / "rm.fa")
    again = SequenceSet.from_fasta(tmp_path / "rm.fa")
    assert again.digest == sequences.digest
    assert again.names == sequences.names


def test_faults_are_told_and_all_other_records_kept(tmp_path):
    path = write(tmp_path / "x.fa", "\n>a x=1\nAC\nGT\n>b\n\n>c\nAXXX\n>d x=2 x=3\nRNac g\n>\nTTTTT\n")
    records = read_fasta(path)
    assert records.names == ["a", "d", "record 5"]
    assert [fault.place.number for fault in records.faults] == [2, 3]
    assert records.lengths.tolist() == [4, 5, 5]
    assert records.codes.tolist() == [0, 1, 2, 3, 4, 4, 0, 1, 2, 3, 3, 3, 3, 3]
    assert records.ambiguous == 1
    assert records.labels["x"].tolist() == ["1", "3", ""]
    assert [str(records.place(row)).removeprefix(f"{path}, ") for row in range(3)] == [
        "line 2: record 'a' (number 1)",
        "line 9: record 'd' (number 4)",
        "line 11: record 'record 5' (number 5)",
    ]


def bgzip(content: bytes, block: int) -> bytes:
    """Blocks as SAMv1 section 4.1 defines them, with the empty one at the end."""

    def member(part: bytes) -> bytes:
        packer = zlib.compressobj(6, zlib.DEFLATED, -15)
        packed = packer.compress(part) + packer.flush()
        header = struct.pack("<4BI2BH2B2H", 31, 139, 8, 4, 0, 0, 255, 6, 66, 67, 2, len(packed) + 25)
        return header + packed + struct.pack("<2I", zlib.crc32(part), len(part))

    return b"".join(member(content[i : i + block]) for i in range(0, len(content), block)) + member(b"")


def test_bgzip_and_gzip_of_several_members_are_read_to_the_end(tmp_path):
    text = b"".join(b">r%d\nACGTA\nCGT\n" % i for i in range(100))
    (tmp_path / "x.fa.bgz").write_bytes(bgzip(text, 61))
    (tmp_path / "y.fa.gz").write_bytes(gzip.compress(text[:500]) + gzip.compress(text[500:]))
    for name in ("x.fa.bgz", "y.fa.gz"):
        sequences = SequenceSet.from_fasta(tmp_path / name)
        assert sequences.names == tuple(f"r{i}" for i in range(100))
        assert set(sequences.strings()) == {"ACGTACGT"}


def test_several_files_are_one_set_in_their_order_and_a_fault_names_its_file(tmp_path):
    one = write(tmp_path / "one.fa", ">a species=hs\nACGT\n")
    two = write(tmp_path / "two.csv", "seq,species\nGGGG,mm\n")
    together = read([two, one]).to_set()
    assert together.strings() == ["GGGG", "ACGT"]
    assert together.labels["species"].tolist() == ["mm", "hs"]
    three = write(tmp_path / "three.fa", ">c\nACG\n")
    with pytest.raises(
        UserError, match=r"three.fa, line 1: record 'c' \(number 1\) has 3 bases, but 'a' of .*one.fa has 4"
    ):
        read([one, three]).to_set()


def test_iupac_codes_become_n_with_a_warning_that_counts_them(tmp_path):
    path = write(tmp_path / "x.fa", ">a\nACGTRYSWKMBDHVryN\n")
    with pytest.warns(UserWarning, match="x.fa: 12 IUPAC codes for several bases were read as N"):
        sequences = SequenceSet.from_fasta(path)
    assert sequences.strings() == ["ACGT" + "N" * 13]


@pytest.mark.parametrize(
    "data",
    [
        gzip.compress(b">a\nACGT\n") + b"x",
        gzip.compress(b">a\nACGT\n")[:8],
        bgzip(b">a\nACGT\n>b\nACGT\n", 8)[:-28],
        bgzip(b">a\nACGT\n>b\nACGT\n", 8)[:-3],
        b"\x1f\x8b",
    ],
    ids=["more bytes", "no data", "bgzip cut between blocks", "bgzip cut within its end", "nothing"],
)
def test_damaged_gzip_is_no_short_file(tmp_path, data):
    (tmp_path / "x.fa.gz").write_bytes(data)
    with pytest.raises(UserError, match=r"x\.fa\.gz: the gzip data is damaged or cut short"):
        read_fasta(tmp_path / "x.fa.gz")


def test_a_pipe_is_read_once_and_its_faults_are_found(tmp_path):
    os.mkfifo(tmp_path / "pipe.fa")
    writer = threading.Thread(target=(tmp_path / "pipe.fa").write_bytes, args=[b">a\nACGT\n>b\nAC\nXT\n"])
    writer.start()
    records = read_fasta(tmp_path / "pipe.fa")
    writer.join()
    assert records.names == ["a"]
    assert [fault.place.line for fault in records.faults] == [5]


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_any_line_ends_a_mark_of_byte_order_and_empty_lines(tmp_path, line_end, mark):
    path = write(tmp_path / "x.fa", mark + line_end.join(["", " ", ">a", "", "AC", " t\tg ", "", ">b", "TTTT", ""]))
    records = read_fasta(path)
    assert records.codes.tolist() == [0, 1, 3, 2, 3, 3, 3, 3]
    assert records.places.tolist() == [[1, 3], [2, 8]]


def test_of_a_label_given_twice_the_last_counts(tmp_path):
    path = write(tmp_path / "x.fa", ">a\nA\n>b k=1 j=9 k=2 =3 l=\nC\n>c j=3\nG\n")
    labels = SequenceSet.from_fasta(path).labels.to_dict("list")
    assert labels == {"k": ["", "2", ""], "j": ["", "9", "3"], "l": ["", "", ""]}


def test_a_letter_that_is_no_utf_8_is_still_named(tmp_path):
    (tmp_path / "x.fa").write_bytes(b">\xff\nAC\xe9T\n")
    (fault,) = read_fasta(tmp_path / "x.fa").faults
    assert str(fault).startswith(f"{tmp_path / 'x.fa'}, line 2: record '\ufffd' (number 1), column 3: letter '\ufffd'")
