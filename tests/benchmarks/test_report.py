"""How large the report of many generators and species is, and how fast a browser opens it. No time is asserted.

Twelve generators beside the controls on fifteen species, as `tests/report/conftest.py` makes them. The first plot is
there when Plotly has been unpacked and has drawn; the page has been read and can be sorted before that.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import time

import numpy as np
import pytest

pytestmark = [pytest.mark.bench, pytest.mark.filterwarnings("default")]

FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync")  # fmt: skip
OPENED = """() => new Promise((resolve) => {
  const look = () => {
    const drawn = document.querySelector("figure[data-drawn] svg.main-svg");
    if (!drawn) return requestAnimationFrame(look);
    const { loadEventEnd } = performance.getEntriesByType("navigation")[0];
    resolve([loadEventEnd, performance.now()]);
  };
  document.querySelector("figure[data-figure]").scrollIntoView();
  look();
})"""


def test_opening_a_large_report(tmp_path):
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("no chromium on this machine")
    from playwright.sync_api import sync_playwright

    letters = "ACGT"
    rng = np.random.default_rng(7)
    fasta = tmp_path / "drawn.fa"
    with fasta.open("w") as file:
        for species in range(15):
            gc = 0.3 + 0.4 * species / 14
            for i, row in enumerate(rng.choice(4, (120, 60), p=[(1 - gc) / 2, gc / 2, gc / 2, (1 - gc) / 2])):
                bases = "".join(letters[base] for base in row)
                file.write(f">s{species}_{i} species=s{species:02d} range=-50..9\n{bases}\n")
    names = ",".join(f"markov={order}" for order in range(9))
    run, store = str(tmp_path / "run"), str(tmp_path / "store")
    command = [sys.executable, "-m", "dnabench"]
    subprocess.run(
        [*command, "run", "-g", f"{names},composition,position,random", "--dataset", str(fasta), "--seeds", "0",
         "--metrics", "gc,motif-kl,mmd@kmer", "--samples", "150", "--out", run, "--store", store],
        check=True, capture_output=True, env=os.environ,
    )  # fmt: skip
    start = time.perf_counter()
    subprocess.run([*command, "report", run, "--store", store], check=True, capture_output=True, env=os.environ)
    print(f"\ndnabench report: {time.perf_counter() - start:.1f} s")
    page_file = tmp_path / "run" / "report.html"
    print(f"report.html: {page_file.stat().st_size / 1e6:.2f} MB")
    with sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            tmp_path / "profile", executable_path=chromium, headless=True, args=list(FLAGS)
        )
        times = []
        for _ in range(5):
            page = context.new_page()
            page.goto(page_file.as_uri())
            times.append(page.evaluate(OPENED))
            page.close()
        context.close()
    for what, values in zip(("load event", "first plot"), zip(*times, strict=True), strict=True):
        print(
            f"{what}: {statistics.median(values) / 1000:.2f} s, median of {len(values)} (most {max(values) / 1000:.2f})"
        )
