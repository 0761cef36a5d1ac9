"""How long reading takes beside reading the bytes, and how much memory beside the codes.

``tox -e bench`` prints the figures. Nothing is asserted about time or memory; what is read is asserted to be right.
"""

from __future__ import annotations

import subprocess
import sys
import time

import numpy as np
import pytest

from dnabench.data.read import read

pytestmark = [pytest.mark.bench, pytest.mark.filterwarnings("default")]

N, LENGTH = 150_000, 2_048
LETTERS = np.frombuffer(b"ACGT", np.uint8)

# Linux alone: of a process's memory itself, where getrusage would count what its parent had.
PEAK = """
import re, sys
from pathlib import Path
import dnabench.data.tabular, pyarrow.parquet
from dnabench.data.read import read
peak = lambda: int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) * 1024
before = peak()
codes = read([Path(sys.argv[1])]).to_set().codes
print((peak() - before) / codes.nbytes)
"""


@pytest.fixture(scope="module")
def codes() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 4, (N, LENGTH), dtype=np.uint8)


@pytest.mark.parametrize("width", [LENGTH, 80])
def test_fasta_beside_reading_the_bytes(tmp_path, codes, width):
    path = tmp_path / "x.fa"
    with path.open("wb") as stream:
        for number, row in enumerate(LETTERS[codes]):
            text = row.tobytes()
            lines = b"\n".join(text[at : at + width] for at in range(0, LENGTH, width))
            stream.write(b">EP%06d species=hs class=tata\n%b\n" % (number, lines))
    seconds: dict[str, list[float]] = {"read": [], "bytes": []}
    for _ in range(3):
        start = time.perf_counter()
        path.read_bytes()
        between = time.perf_counter()
        sequences = read([path]).to_set()
        seconds["bytes"].append(between - start)
        seconds["read"].append(time.perf_counter() - between)
    assert np.array_equal(sequences.codes, codes)
    del sequences
    peak = float(subprocess.run([sys.executable, "-c", PEAK, path], check=True, capture_output=True, text=True).stdout)
    ours, limit = min(seconds["read"]), min(seconds["bytes"])
    print(
        f"\nFASTA, {N:,} x {LENGTH:,} bp, lines of {width}: {ours:.2f} s; reading the bytes {limit:.2f} s; "
        f"ratio {ours / limit:.2f}; peak memory {peak:.2f} x the codes"
    )


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_memory_of_tables(tmp_path, codes, ending):
    import pandas as pd

    path = tmp_path / f"x.{ending}"
    texts = [row.tobytes().decode() for row in LETTERS[codes[:40_000]]]
    frame = pd.DataFrame({"sequence": texts, "species": "hs"})
    frame.to_csv(path, index=False) if ending == "csv" else frame.to_parquet(path)
    start = time.perf_counter()
    sequences = read([path]).to_set()
    seconds = time.perf_counter() - start
    assert np.array_equal(sequences.codes, codes[:40_000])
    peak = float(subprocess.run([sys.executable, "-c", PEAK, path], check=True, capture_output=True, text=True).stdout)
    print(f"\n{ending}, 40,000 x {LENGTH:,} bp: {seconds:.2f} s; peak memory {peak:.2f} x the codes")
