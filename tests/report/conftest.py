"""Run directories made by real runs on a few drawn sequences, and a headless Chromium to look at their reports."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from dnabench.cli import main

FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
LENGTH, TSS = 60, 50
DRAW_ALL = """async () => {
  for (const figure of document.querySelectorAll("figure[data-figure]")) await plots.draw(figure);
}"""


class Made(NamedTuple):
    """A run directory and the store that it was made with."""

    directory: Path
    store: Path


def promoters(species: int, each: int) -> dict[str, list[str]]:
    """Sequences with a TATA-box before the TSS, whose GC content depends on the species."""
    rng = np.random.default_rng(7)
    found = {}
    for number in range(species):
        gc = 0.3 + 0.4 * number / max(1, species - 1)
        codes = rng.choice(4, (each, LENGTH), p=[(1 - gc) / 2, gc / 2, gc / 2, (1 - gc) / 2])
        rows = ["".join("ACGT"[base] for base in row) for row in codes]
        found[f"s{number:02d}"] = [row[: TSS - 30] + "TATAAAA" + row[TSS - 23 :] for row in rows]
    return found


def write_fasta(path: Path, sets: dict[str, list[str]]) -> Path:
    """A FASTA file with the label species, and the range that says where the TSS is."""
    label = f"range=-{TSS}..{LENGTH - TSS - 1}"
    path.write_text(
        "".join(
            f">{name}_{i} species={name} {label}\n{row}\n" for name, rows in sets.items() for i, row in enumerate(rows)
        )
    )
    return path


def run(directory: Path, *arguments: str, code: int = 0) -> Made:
    """A real ``dnabench run`` in a process of its own, with a store beside it."""
    made = Made(directory / "run", directory / "store")
    command = [sys.executable, "-m", "dnabench", "run", "--out", str(made.directory), "--store", str(made.store)]
    ended = subprocess.run(
        [*command, *arguments], env=os.environ | {"DNABENCH_PLUGINS": ""}, capture_output=True, text=True, check=False
    )
    assert ended.returncode == code, ended.stderr
    assert "no report was written" not in ended.stderr
    return made


@pytest.fixture(scope="session")
def small(tmp_path_factory) -> Made:
    """Three generators, one of which fails, on three species."""
    directory = tmp_path_factory.mktemp("small")
    data = write_fasta(directory / "drawn.fa", promoters(3, 250))
    return run(
        directory,
        *("-g", "markov=2,position,external"),
        *("--set", "external.command=echo '<script>alert(1)</script>' {n} {seed} {out}; false"),
        *("--dataset", str(data), "--metrics", "gc,motif-kl,mmd@kmer,novelty", "--seeds", "0,1", "--samples", "50"),
        code=1,
    )


@pytest.fixture(scope="session")
def large(tmp_path_factory) -> Made:
    """Twelve generators beside the controls, on fifteen species."""
    directory = tmp_path_factory.mktemp("large")
    data = write_fasta(directory / "drawn.fa", promoters(15, 120))
    names = ",".join(f"markov={order}" for order in range(9))
    return run(
        directory,
        *("-g", f"{names},composition,position,random", "--dataset", str(data), "--seeds", "0"),
        *("--metrics", "gc,motif-kl,mmd@kmer", "--samples", "150"),
    )


@pytest.fixture(scope="session")
def chromium(tmp_path_factory) -> Iterator[Callable]:
    """``chromium(width, scheme)`` -> a new page in a Chromium of its own profile; skips where there is none."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        pytest.skip("no Chromium on this machine: apt-get install chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            tmp_path_factory.mktemp("profile"), executable_path=path, headless=True, args=list(FLAGS)
        )

        def open_page(width: int = 1440, scheme: str = "light"):
            page = context.new_page()
            page.set_viewport_size({"width": width, "height": 1000})
            page.emulate_media(color_scheme=scheme)
            return page

        yield open_page
        context.close()


class Watched:
    """A page that has been opened, and what went on beside what it shows."""

    def __init__(self, page, path: Path) -> None:
        self.page, self.faults, self.requests, self.dialogs = page, [], [], []
        page.on("console", lambda said: self.faults.append(said.text) if said.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("dialog", lambda dialog: (self.dialogs.append(dialog.message), dialog.dismiss()))
        page.goto(path.as_uri())
        page.evaluate(DRAW_ALL)

    def check(self) -> None:
        assert self.faults == []
        assert self.dialogs == []
        assert [url for url in self.requests if not url.startswith(("file:", "data:", "blob:"))] == []

    def column(self, number: int, group: str = "ranked") -> list[str]:
        cells = self.page.locator(f"#table tbody.{group} tr:not(.group) > :nth-child({number})")
        return [text.strip().splitlines()[0] for text in cells.all_inner_texts()]


@pytest.fixture
def watched(chromium):
    opened = []

    def open_report(path: Path, width: int = 1440, scheme: str = "light") -> Watched:
        opened.append(Watched(chromium(width, scheme), path))
        return opened[-1]

    yield open_report
    for one in opened:
        one.page.close()


def main_code(*arguments: str) -> int:
    """How the command ended, in this process."""
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    return stop.value.code
