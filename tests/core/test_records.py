from __future__ import annotations

import numpy as np
import pytest

from dnabench import SequenceSet, UserError
from dnabench.data.read import read
from dnabench.data.records import clean, first_occurrences


@pytest.fixture
def reading(tmp_path):
    (tmp_path / "x.fa").write_text(">a\nAACGTT\n>b\nACGT\n>c\nGGGN\n>d\nCACGTC\n>e\nTTT\n>f\nTTXT\n>g\nCCCC\n")
    return read([tmp_path / "x.fa"])


def test_cleaning_crops_and_counts_what_is_left_out(reading):
    sequences, dropped = reading.clean(length=4)
    assert sequences.strings() == ["ACGT", "CCCC"]
    assert sequences.names == ("a", "g")
    assert dropped == {"faulty": 1, "wrong length": 1, "with N": 1, "repeated": 2}


def test_cleaning_without_a_length_keeps_the_most_frequent(reading):
    sequences, dropped = reading.clean(crop=False)
    assert sequences.names == ("b", "g")
    assert dropped == {"faulty": 1, "wrong length": 3, "with N": 1, "repeated": 0}


def test_cleaning_keeps_n_when_told_to(reading):
    sequences, dropped = reading.clean(length=4, keep_n=True)
    assert sequences.names == ("a", "c", "g")
    assert dropped == {"faulty": 1, "wrong length": 1, "repeated": 2}


def test_nothing_left_is_an_error_that_counts(reading):
    with pytest.raises(UserError, match="no sequence of 7 bp is left: 1 faulty, 6 wrong length"):
        reading.clean(length=7)


def test_no_record_that_can_be_read_is_an_error_that_names_the_first_fault(tmp_path):
    (tmp_path / "x.fa").write_text(">a\nXX\n>b\n")
    with pytest.raises(UserError, match=r"no record can be read; the first fault: .*x.fa, line 2: record 'a'"):
        read([tmp_path / "x.fa"]).clean()


def test_a_set_of_faulty_records_is_refused_and_says_how_many_there_are(tmp_path):
    (tmp_path / "x.fa").write_text(">a\nAC\n>b\nXX\n>c\n\n")
    with pytest.raises(UserError, match=r"line 4: record 'b' .* \(and 1 more faulty records\)"):
        read([tmp_path / "x.fa"]).to_set()
    assert read([tmp_path / "x.fa"]).without_faults().to_set().strings() == ["AC"]


def test_first_occurrences_are_those_of_a_dictionary():
    codes = np.random.default_rng(0).integers(0, 2, (500, 8), dtype=np.uint8)
    seen: dict[bytes, int] = {}
    for row, bases in enumerate(codes):
        seen.setdefault(bases.tobytes(), row)
    assert np.flatnonzero(first_occurrences(codes)).tolist() == sorted(seen.values())


def test_cleaning_a_set():
    sequences = SequenceSet.from_strings(["ACGT", "NNNN", "ACGT", "TTTT"])
    assert clean(sequences).sequences.strings() == ["ACGT", "TTTT"]
    assert clean(sequences).dropped == {"with N": 1, "repeated": 1}
    untouched = clean(SequenceSet.from_strings(["AC", "GT"]))
    assert untouched.dropped == {"with N": 0, "repeated": 0}
    assert untouched.sequences.strings() == ["AC", "GT"]


def test_files_without_a_record_that_can_be_read(tmp_path):
    (tmp_path / "bad.fa").write_text(">a k=1\nXX\n")
    (tmp_path / "good.fa").write_text(">b j=2\nAC\n")
    reading = read([tmp_path / "bad.fa", tmp_path / "good.fa"])
    sequences, dropped = reading.clean()
    assert sequences.strings() == reading.without_faults().to_set().strings() == ["AC"]
    assert sequences.labels.to_dict("list") == {"j": ["2"]}
    assert dropped["faulty"] == 1
    with pytest.raises(UserError, match="bad.fa: no record can be read"):
        read([tmp_path / "bad.fa"]).without_faults().to_set()


def test_labels_that_a_file_lacks_are_empty_there(tmp_path):
    (tmp_path / "one.fa").write_text(">a k=1\nAC\n")
    (tmp_path / "two.csv").write_text("seq,j\nGT,2\nTTT,3\n")
    sequences = read([tmp_path / "one.fa", tmp_path / "two.csv"]).to_set(length=2)
    assert sequences.strings() == ["AC", "GT", "TT"]
    assert sequences.labels.to_dict("list") == {"k": ["1", "", ""], "j": ["", "2", "3"]}


def test_hidden_files_of_a_directory_are_not_read(tmp_path):
    (tmp_path / "hs.fa").write_text(">a\nAC\n")
    (tmp_path / "._hs.fa").write_bytes(b"\0\5\x16\7")
    assert read([tmp_path]).to_set().labels["species"].tolist() == ["hs"]
