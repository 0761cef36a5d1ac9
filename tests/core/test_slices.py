from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from dnabench import SequenceSet
from dnabench.data.slices import slice_rows, slices_of

LABELS = pd.DataFrame({"species": ["hs", "mm", "hs", "", "Mus musculus"], "class": ["a"] * 5})
SEQUENCES = SequenceSet(np.arange(5, dtype=np.uint8)[:, None], labels=LABELS)


def test_every_value_is_a_slice_but_for_the_empty_one_and_a_label_of_one_value():
    assert slices_of(SEQUENCES, ["species", "class", "tissue"]) == (
        "species=Mus_musculus",
        "species=hs",
        "species=mm",
    )


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        ("species=hs", [0, 2]),
        ("species=Mus_musculus", [4]),
        ("species=dr", []),
        ("tissue=brain", []),
    ],
)
def test_a_slice_holds_the_rows_of_its_label(name, rows):
    assert slice_rows(SEQUENCES, name).tolist() == rows


def test_a_label_that_names_single_sequences_is_not_sliced():
    many = SequenceSet(np.zeros((201, 1), np.uint8), labels=pd.DataFrame({"gene": [f"g{i}" for i in range(201)]}))
    with pytest.warns(UserWarning, match="label 'gene' has over 200 values: it is not scored value by value"):
        assert slices_of(many, ["gene"]) == ()
