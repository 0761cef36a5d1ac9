"""Compiled loops where nothing can be kept on disk."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np

from dnabench_metrics.compiled import compiled
from dnabench_metrics.kmers import kmer_counts_by_sequence

PACKAGE = Path(__file__).parents[2] / "plugins" / "dnabench_metrics"

CODE = """
import numba.core.caching as caching

# What numba does in a container whose root and home cannot be written to: no place for a cache is found.
caching.CacheImpl._locator_classes = []
import numpy as np
from dnabench_metrics.kmers import kmer_counts_by_sequence

print(kmer_counts_by_sequence(np.array([[0, 1, 2, 3, 0, 1]], np.uint8), 1).tolist())
"""


def test_a_compiled_function_does_what_it_says():
    @compiled
    def total(values):
        found = 0
        for value in values:
            found += value
        return found

    assert total(np.arange(10)) == 45


def test_without_a_place_for_a_cache_they_are_compiled_all_the_same():
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    expected = kmer_counts_by_sequence(np.array([[0, 1, 2, 3, 0, 1]], np.uint8), 1)
    assert done.stdout.strip() == str(expected.tolist()) == "[[2, 2, 1, 1]]"


def test_every_compiled_loop_of_the_package_is_made_so():
    assert not [path.name for path in PACKAGE.rglob("*.py") if "@numba" in path.read_text(encoding="utf-8")]
