from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch

from dnabench import SequenceSet


def test_one_hot_is_acgt_with_a_quarter_for_n():
    one_hot = SequenceSet.from_strings(["ACGTN", "nTTca"]).one_hot()
    assert one_hot.shape == (2, 4, 5)
    assert one_hot.dtype == torch.float32
    expected = torch.eye(4)
    assert torch.equal(one_hot[0, :, :4], expected)
    assert torch.equal(one_hot[0, :, 4], torch.full((4,), 0.25))
    assert torch.equal(one_hot[1, :, 1], expected[3])
    assert torch.equal(one_hot.sum(1), torch.ones(2, 5))


def test_what_it_hands_out_cannot_change_it():
    labels = pd.DataFrame({"species": ["hs", "mm"]})
    sequences = SequenceSet.from_strings(["AC", "GT"], labels=labels)
    before = sequences.digest
    with pytest.raises(ValueError, match="read-only"):
        sequences.codes[0, 0] = 3
    with pytest.raises(ValueError, match="WRITEABLE"):
        sequences.codes.flags.writeable = True
    mine = np.zeros((1, 2), np.uint8)
    theirs = SequenceSet(mine)
    mine[0, 0] = 3
    assert theirs.strings() == ["AA"]
    handed_out = sequences.labels
    handed_out["species"] = "sc"
    labels["species"] = "sc"
    assert sequences.labels["species"].tolist() == ["hs", "mm"]
    assert SequenceSet(sequences.codes, labels=sequences.labels).digest == before


def test_the_digest_covers_bases_labels_order_and_shape_but_not_names():
    def digest(strings, species, names=None):
        labels = pd.DataFrame({"species": species})
        codes = SequenceSet.from_strings(strings).codes
        return SequenceSet(codes, labels=labels, names=names).digest

    base = digest(["ACGT", "TTTT"], ["hs", "mm"])
    assert base == digest(["acgt", "tttt"], ["hs", "mm"], names=["one", "two"])
    others = {
        digest(["ACGA", "TTTT"], ["hs", "mm"]),
        digest(["TTTT", "ACGT"], ["mm", "hs"]),
        digest(["ACGT", "TTTT"], ["hs", "hs"]),
        digest(["AC", "GT", "TT", "TT"], ["hs", "mm", "", ""]),
    }
    assert base not in others
    assert len(others) == 4


def test_take_keeps_bases_labels_and_names_together():
    sequences = SequenceSet(
        SequenceSet.from_strings(["AA", "CC", "GG"]).codes,
        labels=pd.DataFrame({"species": ["a", "c", "g"]}),
        names=["x", "y", "z"],
    )
    taken = sequences.take(np.array([2, 0]))
    assert taken.strings() == ["GG", "AA"]
    assert taken.labels["species"].tolist() == ["g", "a"]
    assert taken.names == ("z", "x")
    assert sequences.take(np.array([False, True, False])).strings() == ["CC"]


@pytest.mark.parametrize(
    ("codes", "message"),
    [
        (np.zeros((2, 3), np.int64), "uint8"),
        (np.zeros(3, np.uint8), "shape"),
        (np.full((1, 3), 5, np.uint8), "0 to 4"),
    ],
)
def test_codes_of_another_kind_are_refused(codes, message):
    with pytest.raises(ValueError, match=message):
        SequenceSet(codes)


def test_a_missing_label_is_an_empty_one():
    codes = np.zeros((3, 2), np.uint8)
    labels = pd.DataFrame({"species": pd.Categorical(["hs", None, "mm"]), "score": [1.5, np.nan, 2.0]}, index=[7, 8, 9])
    sequences = SequenceSet(codes, labels=labels)
    assert sequences.labels.to_dict("list") == {"species": ["hs", "", "mm"], "score": ["1.5", "", "2.0"]}
    assert len(sequences.digest) == 64


def test_labels_and_names_must_match_in_number():
    codes = np.zeros((2, 3), np.uint8)
    with pytest.raises(ValueError, match="1 rows of labels for 2"):
        SequenceSet(codes, labels=pd.DataFrame({"a": ["x"]}))
    with pytest.raises(ValueError, match="3 names for 2"):
        SequenceSet(codes, names=["a", "b", "c"])


def test_labels_of_any_type_of_text_are_the_same():
    codes = np.zeros((3, 2), np.uint8)
    values = ["hs", None, "mm"]
    kinds = [pd.Series(values, dtype=kind) for kind in ("str", "object", "category", "string")]
    sets = [SequenceSet(codes, labels=pd.DataFrame({"species": series})) for series in kinds]
    assert [each.labels["species"].tolist() for each in sets] == [["hs", "", "mm"]] * 4
    assert len({each.digest for each in sets}) == len({str(each.labels.dtypes["species"]) for each in sets}) == 1


def test_a_set_of_nothing():
    empty = SequenceSet.from_strings(["AC"], labels=pd.DataFrame({"k": ["v"]})).take(np.array([False]))
    assert (len(empty), empty.length, empty.strings(), empty.names) == (0, 2, [], ())
    assert list(empty.labels.columns) == ["k"]
    assert empty.digest != SequenceSet(np.zeros((0, 3), np.uint8)).digest


def test_labels_have_the_form_that_a_fasta_header_holds(tmp_path):
    labels = pd.DataFrame({"cell type=": ["a\nb", "c", ""], " ": ["x", "y  z", None]})
    sequences = SequenceSet(np.zeros((3, 2), np.uint8), labels=labels)
    assert sequences.labels.to_dict("list") == {"cell_type_": ["a_b", "c", ""], "-": ["x", "y_z", ""]}
    sequences.to_fasta(tmp_path / "x.fa")
    assert SequenceSet.from_fasta(tmp_path / "x.fa").digest == sequences.digest
    with pytest.raises(ValueError, match="two labels have one name: a_b, a_b"):
        SequenceSet(np.zeros((1, 2), np.uint8), labels=pd.DataFrame({"a b": ["x"], "a=b": ["y"]}))
