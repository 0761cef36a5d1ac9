"""What cells find done that are forked from the server of their interpreter."""

from __future__ import annotations

import csv

METRIC = """
import sys
from dnabench import MetricSpec, Score, hookimpl

@hookimpl
def dnabench_metrics():
    yield MetricSpec(name="set-up", target="set_up_dna:SetUp", summary="whether numba is set up", direction="higher")

class SetUp:
    def score(self, *, generated, reference, context):
        before = set(sys.modules)
        import numba
        numba.njit("float64(float64)")(lambda number: number + 1)
        return Score(value=len(set(sys.modules) - before))
"""


def test_a_metric_finds_numba_set_up(dnabench, promoters, install):
    install("set_up_dna", METRIC)
    arguments = ("--dataset", promoters, "--seeds", "0", "--no-controls", "--format", "csv")
    ended = dnabench("run", "-g", "composition", "-m", "set-up", *arguments)
    assert ended.code == 0, ended.err
    (row,) = csv.DictReader(ended.out.splitlines())
    assert float(row["value"]) < 10  # modules that the first compilation of a process imports; beyond 200 without
