from __future__ import annotations

import signal
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from dnabench import SequenceSet, UserError
from dnabench.data.sets import Sets

LABELS = pd.DataFrame({"species": ["hs", "mm", ""]})
ONE = SequenceSet(np.array([[0, 1], [2, 3], [4, 0]], np.uint8), labels=LABELS, names=["a", "b", "c"])
OTHER = SequenceSet(np.array([[3, 3]], np.uint8))


@pytest.fixture
def sets(tmp_path) -> Sets:
    return Sets(tmp_path)


def test_a_set_comes_back_as_it_was(sets):
    assert sets.put("mine", ONE, {"imported": ["x.fa"]})
    again = sets.load("mine")
    assert again.codes.tolist() == [[0, 1], [2, 3], [4, 0]]
    assert again.labels.equals(LABELS)
    assert again.names == ("a", "b", "c")
    about = sets.about("mine")
    assert (about["n"], about["length"], about["sha256"]) == (3, 2, ONE.digest)
    assert about["imported"] == ["x.fa"]


def test_a_set_without_labels_comes_back_without(sets):
    sets.put("mine", OTHER, {})
    assert sets.load("mine").digest == OTHER.digest
    assert list(sets.load("mine").labels.columns) == []


def test_the_same_set_twice_is_one_and_another_takes_its_place_only_when_told_to(sets):
    assert sets.put("mine", ONE, {})
    assert not sets.put("mine", ONE, {})
    with pytest.raises(UserError, match="another set named 'mine' is stored .* choose another --name, or --replace"):
        sets.put("mine", OTHER, {})
    assert sets.load("mine").digest == ONE.digest
    assert sets.put("mine", OTHER, {}, replace=True)
    assert sets.load("mine").digest == OTHER.digest
    assert sets.names() == ["mine"]


@pytest.mark.parametrize("name", ["Mine", "../mine", "", "a b", "-a"])
def test_a_name_is_words_joined_by_hyphens(sets, name):
    with pytest.raises(UserError, match="lower-case words joined by hyphens"):
        sets.put(name, ONE, {})


def test_an_unknown_name_is_answered_with_the_known_ones(sets):
    sets.put("mine", ONE, {})
    with pytest.raises(UserError, match="no set named 'mime' is stored; did you mean mine"):
        sets.load("mime")


@pytest.mark.parametrize("file", ["codes.npy", "labels.parquet"])
def test_a_damaged_set_is_not_taken(sets, tmp_path, file):
    sets.put("mine", ONE, {})
    path = tmp_path / "data" / "mine" / file
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(UserError, match="the stored set is damaged; fetch or import it again with --replace"):
        sets.load("mine")


KILLED = """
import os, signal, sys
from pathlib import Path
import numpy as np
from dnabench import SequenceSet
from dnabench.data import sets
sets.sync = lambda path: os.kill(os.getpid(), signal.SIGKILL)
sets.Sets(Path(sys.argv[1])).put("mine", SequenceSet(np.zeros((3, 4), np.uint8)), {})
"""


def test_a_process_that_is_killed_leaves_no_half_set(sets, tmp_path):
    done = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert [path.suffix for path in (tmp_path / "data").glob(".mine.*") if path.is_dir()] == [".part"]
    assert sets.names() == []
    sets.put("mine", ONE, {})
    assert sets.load("mine").digest == ONE.digest
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["mine"]


REPLACED = """
import os, signal, sys
from pathlib import Path
import numpy as np
from dnabench import SequenceSet
from dnabench.data import sets
real = Path.replace
def replace(self, target):
    real(self, target)
    if str(target).endswith(".old.part"):
        os.kill(os.getpid(), signal.SIGKILL)
Path.replace = replace
sets.Sets(Path(sys.argv[1])).put("mine", SequenceSet(np.zeros((3, 4), np.uint8)), {}, replace=True)
"""


def test_a_process_that_is_killed_while_it_replaces_loses_no_set(sets, tmp_path):
    sets.put("mine", ONE, {})
    done = subprocess.run([sys.executable, "-c", REPLACED, str(tmp_path)], check=False)
    assert done.returncode == -signal.SIGKILL
    with pytest.raises(UserError, match="another set named 'mine' is stored"):
        sets.put("mine", OTHER, {})
    assert sets.load("mine").digest == ONE.digest
