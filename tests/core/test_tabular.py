from __future__ import annotations

import datetime as dt
import gzip

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dnabench import SequenceSet, UserError
from dnabench.data.read import read


def csv(tmp_path, text, name="x.csv"):
    path = tmp_path / name
    path.write_bytes(text.encode())
    return path


def labels_of(path, **options):
    return read([path], **options).to_set().labels.to_dict("list")


@pytest.mark.parametrize("column", ["Sequence", "sequence", "SEQ", "dna", "DNA_sequence"])
def test_the_column_of_sequences_is_found_by_its_name(tmp_path, column):
    path = csv(tmp_path, f"species,{column},id\r\nhs,acGT,one\r\nmm,GGGG,two\r\n")
    sequences = read([path]).to_set()
    assert sequences.strings() == ["ACGT", "GGGG"]
    assert sequences.names == ("one", "two")
    assert labels_of(path) == {"species": ["hs", "mm"]}


def test_another_column_is_taken_when_it_is_named(tmp_path):
    path = csv(tmp_path, "sequence,promoter\nAC,GT\n")
    assert read([path], sequence_column="promoter").to_set().strings() == ["GT"]
    assert labels_of(path, sequence_column="promoter") == {"sequence": ["AC"]}


def test_quotes_tabs_a_mark_of_byte_order_and_gzip(tmp_path):
    quoted = csv(tmp_path, '\ufeffsequence,species\n"AC\nGT","Homo, ""sapiens"""\n')
    assert read([quoted]).to_set().strings() == ["ACGT"]
    assert labels_of(quoted) == {"species": ['Homo,_"sapiens"']}
    (tmp_path / "y.tsv.gz").write_bytes(gzip.compress(b"species\tsequence\nhs\tACGT\n\nmm\tTTTT\n"))
    assert read([tmp_path / "y.tsv.gz"]).to_set().strings() == ["ACGT", "TTTT"]
    assert labels_of(tmp_path / "y.tsv.gz") == {"species": ["hs", "mm"]}


def test_faulty_rows_are_told_with_their_lines_and_all_others_kept(tmp_path):
    path = csv(tmp_path, 'seq,species\nACGT,hs\nAC,hs,more\n"",mm\nA C-T,mm\n"AC\nGX",rn\nTTTT,dr\nACGT\n')
    reading = read([path])
    assert reading.files[0].names == ["record 1", "record 6"]
    assert [str(fault).removeprefix(f"{path}, ") for fault in reading.faults] == [
        "line 3: record 'record 2' (number 2) has 3 columns, the header has 2",
        "line 4: record 'record 3' (number 3) has no sequence in column 'seq'",
        "line 5: record 'record 4' (number 4), position 3 of the sequence: letter '-'; "
        "only A, C, G, T, N and the IUPAC codes for several bases are read",
        "line 6: record 'record 5' (number 5), position 4 of the sequence: letter 'X'; "
        "only A, C, G, T, N and the IUPAC codes for several bases are read",
        "line 9: record 'record 7' (number 7) has 1 columns, the header has 2",
    ]


def test_the_index_that_pandas_writes_is_no_label(tmp_path):
    pd.DataFrame({"Sequence": ["AC", "GT"], "species": ["hs", "mm"]}).to_csv(tmp_path / "x.csv")
    assert labels_of(tmp_path / "x.csv") == {"species": ["hs", "mm"]}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the file is empty; a header line"),
        ("Sequence,sequence\nAC,GT\n", "'Sequence' and 'sequence' could be the sequences; say --sequence-column"),
        ("sequence\n", "the table has a header and no rows"),
        (
            "a,b\nAC,GT\n",
            r"no column of sequences \(looked for sequence, .*\); its columns are 'a', 'b'; name one with",
        ),
        ("sequence,a,a\nAC,1,2\n", "two columns are called 'a'; rename one"),
        ("sequence,a b,a_b\nAC,1,2\n", "two columns are called 'a_b'; rename one"),
        ('sequence\nAC\n"GT\n', "line 3: not a table that can be read: .*; a quotation mark is left open"),
        ("sequence\nAC\nGT,\n", "line 3: record 'record 2' .* has 2 columns, the header has 1"),
        ("sequence\nAC\nGTT\n", r"line 3: record 'record 2' \(number 2\) has 3 bases, but 'record 1' has 2"),
    ],
)
def test_what_is_wrong_with_a_table_is_said(tmp_path, text, message):
    path = csv(tmp_path, text)
    with pytest.raises(UserError, match=message) as caught:
        read([path]).to_set()
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_is_not_text_is_said(tmp_path):
    path = tmp_path / "x.csv"
    path.write_bytes(b"sequence\nACGT\n\xff\xfe\n")
    with pytest.raises(UserError, match=r"x.csv, line 3: not UTF-8 text"):
        read([path])


def test_parquet_of_many_types(tmp_path):
    table = pa.table(
        {
            "Sequence": pa.array(["ACGT", "acgn", "GGGG"], pa.large_string()),
            "species": pa.array(["hs", None, "hs"]).dictionary_encode(),
            "tpm": [1.5, 2.0, None],
            "count": pa.array([1, 2, 3], pa.int64()),
            "coding": [True, False, None],
        }
    )
    pq.write_table(table, tmp_path / "x.parquet", row_group_size=2)
    sequences = read([tmp_path / "x.parquet"]).to_set()
    assert sequences.strings() == ["ACGT", "ACGN", "GGGG"]
    assert sequences.labels.to_dict("list") == {
        "species": ["hs", "", "hs"],
        "tpm": ["1.5", "2.0", ""],
        "count": ["1", "2", "3"],
        "coding": ["True", "False", ""],
    }


def test_parquet_holds_what_the_csv_holds(tmp_path):
    frame = pd.DataFrame({"sequence": ["ACGT"] * 5000, "species": ["hs", "mm"] * 2500})
    frame.to_parquet(tmp_path / "x.parquet")
    frame.to_csv(tmp_path / "x.csv", index=False)
    assert SequenceSet.from_fasta(tmp_path / "x.parquet").digest == SequenceSet.from_fasta(tmp_path / "x.csv").digest


def test_what_is_wrong_with_parquet_is_said(tmp_path):
    pd.DataFrame({"promoter": ["ACGT"], "species": ["hs"]}).to_parquet(tmp_path / "x.parquet")
    with pytest.raises(UserError, match=r"x.parquet: no column of sequences .* its columns are 'promoter', 'species'"):
        read([tmp_path / "x.parquet"])
    with pytest.raises(UserError, match=r"x.parquet: no column 'dna'; its columns are 'promoter', 'species'"):
        read([tmp_path / "x.parquet"], sequence_column="dna")
    (tmp_path / "y.parquet").write_bytes(b"sequence\nACGT\n")
    with pytest.raises(UserError, match=r"y.parquet: not a Parquet file that can be read"):
        read([tmp_path / "y.parquet"])
    pd.DataFrame({"sequence": ["ACGT", None, "ACXT"]}).to_parquet(tmp_path / "z.parquet")
    reading = read([tmp_path / "z.parquet"])
    assert [str(fault).removeprefix(f"{tmp_path}/") for fault in reading.faults] == [
        "z.parquet: record 'record 2' (number 2) has no sequence in column 'sequence'",
        "z.parquet: record 'record 3' (number 3), position 3 of the sequence: letter 'X'; "
        "only A, C, G, T, N and the IUPAC codes for several bases are read",
    ]


def test_lines_may_end_in_cr_alone(tmp_path):
    path = csv(tmp_path, 'sequence,species\rACGT,hs\r\r"AC\rGT",mm\rAXGT,mm\rTTTT,"r\rn"')
    (records,) = read([path]).files
    assert records.labels["species"].tolist() == ["hs", "mm", "r\rn"]
    assert records.places.tolist() == [[1, 2], [2, 4], [4, 7]]
    assert [fault.place.line for fault in records.faults] == [6]


def test_times_bytes_lists_and_nan_are_labels(tmp_path):
    table = pa.table(
        {
            "seq": pa.array([b"AC", b"GT"]),
            "when": pa.array([dt.datetime(2020, 1, 2, 3, 4), None], pa.timestamp("us")),
            "day": [None, dt.date(1999, 12, 31)],
            "score": pa.array([float("nan"), 0.25]),
            "raw": pa.array([b"x\xff", b""]),
            "many": [[1, 2], None],
        }
    )
    pq.write_table(table, tmp_path / "x.pq")
    assert read([tmp_path / "x.pq"]).to_set().strings() == ["AC", "GT"]
    assert labels_of(tmp_path / "x.pq") == {
        "when": ["2020-01-02_03:04:00", ""],
        "day": ["", "1999-12-31"],
        "score": ["", "0.25"],
        "raw": ["x\ufffd", ""],
        "many": ["[1,_2]", ""],
    }


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (pa.array([2**60], pa.int64()).cast(pa.timestamp("us")), r"timestamp\[us\]"),
        (pa.StringArray.from_buffers(1, pa.py_buffer(b"\0\0\0\0\1\0\0\0"), pa.py_buffer(b"\xff")), "string"),
    ],
)
def test_a_column_that_python_cannot_hold_is_said(tmp_path, values, kind):
    pq.write_table(pa.table({"seq": ["AC"], "odd": values}), tmp_path / "x.parquet")
    with pytest.raises(UserError, match=rf"x.parquet: column 'odd' of type {kind} cannot be read: "):
        read([tmp_path / "x.parquet"])


def test_sequences_that_are_dictionary_encoded_or_no_text(tmp_path):
    pq.write_table(pa.table({"seq": pa.array(["AC", "GT", "AC"]).dictionary_encode()}), tmp_path / "x.parquet")
    assert read([tmp_path / "x.parquet"]).to_set().strings() == ["AC", "GT", "AC"]
    pq.write_table(pa.table({"seq": [12, 34]}), tmp_path / "y.parquet")
    assert len(read([tmp_path / "y.parquet"]).faults) == 2


def test_many_values_of_a_label_are_all_kept(tmp_path):
    values = [f"v{i % 12_000}" for i in range(25_000)]
    path = csv(tmp_path, "seq,value\n" + "".join(f"AC,{value}\n" for value in values))
    assert labels_of(path) == {"value": values}


def test_a_column_whose_name_is_no_text_is_said(tmp_path):
    path = tmp_path / "x.parquet"
    pq.write_table(pa.table({"seq": ["AC"], "odd": ["x"]}), path, store_schema=False)
    path.write_bytes(path.read_bytes().replace(b"odd", b"\xffdd"))
    with pytest.raises(UserError, match="x.parquet: not a Parquet file that can be read: 'utf-8' codec"):
        read([path])
