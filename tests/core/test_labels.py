"""Label columns as whole numbers."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from dnabench import LabelCodes, UserError
from dnabench.specs import label_columns

LABELS = pd.DataFrame({"species": ["hs", "sc", "hs", "", "hs"], "class": ["tata", "not", "not", "not", "not"]})


@pytest.mark.parametrize(
    ("option", "columns"), [("", ()), ("species", ("species",)), ("species, class,species", ("species", "class"))]
)
def test_an_option_names_columns(option, columns):
    assert label_columns(option) == columns


def test_values_are_numbered_in_sorted_order_and_combinations_counted():
    codes = LabelCodes.learn("species,class", LABELS)
    assert codes.values == (("", "hs", "sc"), ("not", "tata"))
    assert codes.sizes == (3, 2)
    assert codes.kinds.tolist() == [[0, 0], [1, 0], [1, 1], [2, 0]]
    assert codes.counts.tolist() == [1, 2, 1, 1]
    assert codes.encode(LABELS).tolist() == [[1, 1], [2, 0], [1, 0], [0, 0], [1, 0]]
    pd.testing.assert_frame_equal(codes.decode(codes.encode(LABELS)), LABELS, check_dtype=False)
    assert codes.named(np.array([1, 1])) == "species='hs', class='tata'"


def test_no_columns_need_no_case_of_their_own(make_context):
    codes = LabelCodes.learn("", LABELS)
    assert codes.sizes == ()
    assert codes.encode(LABELS).shape == (5, 0)
    assert codes.draw(7, make_context(labels=LABELS)).shape == (7, 0)
    assert codes.decode(np.empty((7, 0), np.int64)).shape == (7, 0)


def test_labels_are_drawn_as_often_as_they_were_seen(make_context):
    codes = LabelCodes.learn("species,class", LABELS)
    drawn = codes.draw(20_000, make_context(seed=3))
    kinds, counts = np.unique(drawn, axis=0, return_counts=True)
    assert kinds.tolist() == codes.kinds.tolist()
    np.testing.assert_allclose(counts / 20_000, [0.2, 0.4, 0.2, 0.2], atol=0.015)  # four standard errors of 0.0035


def test_labels_asked_for_are_given_and_the_others_drawn_among_those_that_go_with_them(make_context):
    codes = LabelCodes.learn("species,class", LABELS)
    asked = LABELS.iloc[[4, 0]]
    assert codes.draw(2, make_context(labels=asked)).tolist() == [[1, 0], [1, 1]]
    asked = pd.DataFrame({"species": ["hs", "sc"] * 10_000})
    drawn = codes.draw(20_000, make_context(labels=asked, seed=1))
    assert drawn[:, 0].tolist() == [1, 2] * 10_000
    assert not drawn[1::2, 1].any()
    assert drawn[::2, 1].mean() == pytest.approx(1 / 3, abs=0.02)  # one of three hs is tata; four standard errors


def test_what_is_unknown_is_named(make_context):
    codes = LabelCodes.learn("species", LABELS)
    with pytest.raises(UserError, match="no training sequence has species='zm'; known: '', 'hs', 'sc'$"):
        codes.draw(1, make_context(labels=pd.DataFrame({"species": ["zm"]})))
    with pytest.raises(UserError, match="'tissue' is a label that the training sequences do not have; they have: spec"):
        LabelCodes.learn("species,tissue", LABELS)
    with pytest.raises(UserError, match="there are no training sequences"):
        LabelCodes.learn("species", LABELS.iloc[:0])
    both = LabelCodes.learn("species,class", LABELS)
    with pytest.raises(UserError, match="no training sequence has species='sc', class='tata' together"):
        both.draw(1, make_context(labels=pd.DataFrame({"species": ["sc"], "class": ["tata"]})))
    many = LabelCodes.learn("row", pd.DataFrame({"row": [f"{row:02}" for row in range(25)]}))
    with pytest.raises(UserError, match="'09', and 15 more$"):
        many.encode(pd.DataFrame({"row": ["x"]}))


@pytest.mark.parametrize("option", ["", "species", "class,species"])
def test_they_survive_json(option):
    codes = LabelCodes.learn(option, LABELS)
    again = LabelCodes.from_json(json.loads(json.dumps(codes.to_json())))
    assert (again.columns, again.values, again.sizes) == (codes.columns, codes.values, codes.sizes)
    assert again.kinds.tolist() == codes.kinds.tolist()
    assert again.kinds.shape == codes.kinds.shape
    assert again.counts.tolist() == codes.counts.tolist()
