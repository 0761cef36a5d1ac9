"""Whatever a file holds: no traceback, no hang, and records in = records kept + records reported."""

from __future__ import annotations

import csv
import gzip
import io
import tempfile
from itertools import pairwise
from pathlib import Path

from hypothesis import example, given, settings
from hypothesis import strategies as st

from dnabench import UserError
from dnabench.data.fasta import read_fasta
from dnabench.data.records import Records
from dnabench.data.tabular import read_text_table

GOOD = "ACGTNacgtn"
SEVERAL = "RYSWKMBDHVryswkmbdhv"
TO_N = str.maketrans(SEVERAL, "N" * len(SEVERAL))
WHITE = " \t\r\n\v\f"

few = settings(deadline=None, max_examples=300)

line_end = st.sampled_from(["\n", "\r\n", "\r"])
word = st.text(st.characters(min_codepoint=33, max_codepoint=0x2FF, categories=("L", "N", "P")), max_size=4)
good_line = st.text(GOOD + SEVERAL, max_size=12)
any_line = st.text(GOOD + SEVERAL + "XU*-.é>0 \t", max_size=12).filter(lambda text: not text.startswith(">"))
header = st.tuples(st.text(GOOD + "|_", min_size=1, max_size=5), st.dictionaries(st.sampled_from("kl"), word))
record = st.tuples(header, st.lists(good_line | any_line, max_size=4))


def in_file(content: bytes, name: str, read) -> Records | UserError:
    """What a reader makes of a file; whatever but a UserError passes through."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / name
        path.write_bytes(content)
        try:
            return read(path)
        except UserError as error:
            refusal = error
        assert str(path) in str(refusal)
        assert "\n" not in str(refusal)
        return refusal


def sequences_of(records: Records) -> list[str]:
    ends = records.offsets.tolist()
    letters = ["ACGTN"[code] for code in records.codes]
    return ["".join(letters[low:high]) for low, high in pairwise(ends)]


def is_good(text: str) -> bool:
    return bool(text) and set(text) <= set(GOOD + SEVERAL)


@few
@given(st.lists(record, min_size=1, max_size=8), line_end, st.booleans())
@example([(("a", {}), ["AC>GT"])], "\n", False)
@example([(("a", {}), [""]), (("b", {}), [])], "\n", False)
@example([(("a", {"k": "v"}), ["AR", " ", "X"]), (("b", {}), ["AC"])], "\r", True)
@example([(("a", {}), ["A"]), (("b", {"k": "="}), ["A"]), (("c", {}), ["A"])], "\n", True)
def test_a_fasta_file_is_read_as_it_was_written(planned, end, ends_with_line_end):
    headers = [
        ">" + " ".join([name, *(f"{key}={value}" for key, value in words.items())]) for (name, words), _ in planned
    ]
    lines = [line for first, (_, body) in zip(headers, planned, strict=True) for line in (first, *body)]
    text = end.join(lines) + (end if ends_with_line_end else "")
    records = in_file(text.encode(), "x.fa", read_fasta)
    bodies = ["".join("".join(body).split()) for _, body in planned]
    good = [i for i, body in enumerate(bodies) if is_good(body)]
    assert isinstance(records, Records)
    assert records.names == [planned[i][0][0] for i in good]
    labels = [planned[i][0][1] for i in good]
    columns = set().union(*labels)
    assert records.labels.to_dict("list") == {key: [words.get(key, "") for words in labels] for key in columns}
    assert sequences_of(records) == [bodies[i].upper().translate(TO_N) for i in good]
    assert records.ambiguous == sum(bodies[i].translate(TO_N).count("N") - bodies[i].count("N") for i in good)
    assert [fault.place.number for fault in records.faults] == [i + 1 for i in range(len(planned)) if i not in good]
    starts = [number for number, line in enumerate(lines, start=1) if line.startswith(">")]
    assert records.places.tolist() == [[i + 1, starts[i]] for i in good]
    for fault in records.faults:
        first = starts[fault.place.number - 1]
        assert first <= fault.place.line <= first + len(planned[fault.place.number - 1][1])


@few
@given(st.binary(max_size=200) | st.text(">ACGT\n\r \0;=x", max_size=60).map(str.encode), st.booleans())
@example(b">\n", False)
@example(b"\xef\xbb\xbf>a\nA", False)
@example(b"\n\n >a\nAC\n", False)
@example(b">a\n>\n>b=\nA\n", False)
@example(b" >a\nAXT\n>b\nAC\n", False)
@example(b"\x1f\x8b", False)
def test_any_bytes_are_fasta_or_an_error(content, packed):
    records = in_file(gzip.compress(content) if packed else content, "x.fa", read_fasta)
    if isinstance(records, Records):
        lines = content.removeprefix(b"\xef\xbb\xbf").replace(b"\r", b"\n").split(b"\n")
        assert len(records) + len(records.faults) == sum(line.startswith(b">") for line in lines)
        assert len(records.codes) == records.offsets[-1]
        assert (records.codes <= 4).all()
        assert (records.lengths > 0).all()
    else:
        assert not content.startswith(b">")  # FASTA by its first letter is never refused whole


@few
@given(
    st.lists(st.tuples(good_line | any_line, st.text(max_size=6), st.integers(-1, 1)), min_size=1, max_size=8),
    line_end,
    st.sampled_from([(",", "x.csv"), ("\t", "x.tsv")]),
)
@example([("AC", '"', 0), ("AC", "a\nb", 0)], "\n", (",", "x.csv"))
def test_a_table_is_read_as_it_was_written(planned, end, kind):
    """``planned``: sequence, label, and how many columns a row has too many."""
    delimiter, name = kind
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, delimiter=delimiter, lineterminator=end, quoting=csv.QUOTE_ALL)
    writer.writerow(["label", "sequence"])
    rows = [([label, text] + ["more"] * extra)[: 2 + extra] for text, label, extra in planned]
    writer.writerows(rows)
    records = in_file(stream.getvalue().encode(errors="replace"), name, read_text_table)
    bodies = ["".join(c for c in row[1] if c not in WHITE) if len(row) == 2 else "" for row in rows]
    good = [i for i, body in enumerate(bodies) if is_good(body)]
    assert isinstance(records, Records)
    assert sequences_of(records) == [bodies[i].upper().translate(TO_N) for i in good]
    assert [number for number, _ in records.places.tolist()] == [i + 1 for i in good]
    assert [fault.place.number for fault in records.faults] == [i + 1 for i in range(len(rows)) if i not in good]
    labels = [rows[i][0].encode(errors="replace").decode() for i in good]
    if good:
        assert records.labels["label"].tolist() == labels


@few
@given(st.binary(max_size=200) | st.text('sequence,ACGT\n\r"\0\t', max_size=60).map(str.encode), st.booleans())
@example(b"sequence\n", False)
@example(b'sequence\n"', False)
@example(b"sequence\nA\rC\n", False)
@example(b"sequence,\xff\nA,C\n", False)
@example(b"\xef\xbb\xbfsequence\nACGT", True)
def test_any_bytes_are_a_table_or_an_error(content, headed):
    content = b"sequence,label\n" + content if headed else content
    records = in_file(content, "x.csv", read_text_table)
    if isinstance(records, Records):
        rows = [row for row in csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True) if row]
        assert len(records) + len(records.faults) == len(rows) - 1
        assert (records.codes <= 4).all()
        assert (records.lengths > 0).all()
