"""Real and generated sequences side by side: k-mers, GC content, and what stands around the TSS."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from dnabench.report.material import MOST
from dnabench.report.plots import Figure, Logo, Mark, Panel, Section, Series, rounded
from dnabench.sequences import N

if TYPE_CHECKING:
    from dnabench.report.collect import Run
    from dnabench.sequences import SequenceSet

K = 4
#: Bases before and behind the TSS that a logo shows.
BEFORE, BEHIND = 40, 15
GC_BINS = 50


def build(run: Run) -> Section | None:
    """The section; None where there are no samples or no real sequences, which is then said."""
    real, generated = run.material.real, run.material.generated
    if not generated:
        return None
    if real is None:
        run.left_out.append(
            "k-mers, GC content and logos: the real sequences are not in this store any more (--store names another)"
        )
        return None
    sample = f"{MOST:,} sequences, evenly spread," if max(map(len, generated.values())) == MOST else "all sequences"
    tss = run.material.tss
    where = "the TSS is position 0" if tss is not None else "where real DNA holds most; --tss says where the TSS is"
    return Section(
        id="sequences",
        title="Sequences: k-mers, GC content, logos",
        text=[
            f"Real sequences against those of the chosen generator, {sample} of seed {run.material.seed} on each side. "
            f"k-mers: a point for each of the {4**K} words of {K} bp; on the diagonal both sides use it equally often. "
            "GC content: the distribution over sequences. Logos: the height of a column is its information (bits, with "
            f"the correction for small samples of Schneider et al. 1986), {where}."
        ],
        figures=[_kmers(run, real, generated), _gc(run, real, generated), _logos(run, real, generated, tss)],
    )


def kmer_frequencies(sequences: SequenceSet, k: int) -> np.ndarray:
    """Shares of the ``4**k`` k-mers, in the order of their bases A C G T, among all windows without N: float64."""
    codes = sequences.codes.astype(np.int64)
    windows = codes.shape[1] - k + 1
    if windows < 1:
        return np.zeros(4**k)
    words = sum(codes[:, i : i + windows] * 4 ** (k - 1 - i) for i in range(k))
    clean = np.logical_and.reduce([codes[:, i : i + windows] != N for i in range(k)])
    counts = np.bincount(np.asarray(words)[clean], minlength=4**k)
    shares: np.ndarray = counts / max(1, counts.sum())
    return shares


def gc_content(sequences: SequenceSet) -> np.ndarray:
    """Share of G and C among the bases of each sequence that are known: float64, shape ``(n,)``."""
    codes = sequences.codes
    known = (codes != N).sum(1)
    share: np.ndarray = np.isin(codes, (1, 2)).sum(1) / np.maximum(1, known)
    return share


def information(sequences: SequenceSet) -> np.ndarray:
    """Heights of a logo: float64, shape ``(length, 4)``, bits.

    ``f_b (2 - H - e)``, at least 0, with H the entropy of the frequencies f and e = 3 / (2 ln 2 n) (Schneider et al.
    1986, J Mol Biol 188:415).
    """
    counts = np.stack([(sequences.codes == base).sum(0) for base in range(4)], axis=1).astype(float)
    n = np.maximum(1.0, counts.sum(1, keepdims=True))
    shares = counts / n
    entropy = -(shares * np.log2(np.where(shares > 0, shares, 1.0))).sum(1, keepdims=True)
    bits = np.maximum(0.0, 2 - entropy - 3 / (2 * math.log(2) * n))
    heights: np.ndarray = shares * bits
    return heights


def _kmers(run: Run, real: SequenceSet, generated: dict[str, SequenceSet]) -> Figure:
    words = ["".join("ACGT"[number // 4**place % 4] for place in range(K - 1, -1, -1)) for number in range(4**K)]
    x = rounded(kmer_frequencies(real, K))
    choices = {}
    for name in _ordered(run, generated):
        y = rounded(kmer_frequencies(generated[name], K))
        series = Series(name=name, role=run.kind(name), shape="points", x=x, y=y, text=words)  # type: ignore[arg-type]
        choices[name] = [
            Panel(
                title="", x_title=f"share of {K}-mers, real", y_title=f"share, {name}", series=[series], diagonal=True
            )
        ]
    says = f"Shares of {K}-mers in real sequences against those of the chosen generator."
    return Figure(id="kmers", title=f"{K}-mers", says=says, choices=choices, chooses="generator", half=True)


def _gc(run: Run, real: SequenceSet, generated: dict[str, SequenceSet]) -> Figure:
    edges = np.linspace(0, 1, GC_BINS + 1)
    centres = rounded((edges[:-1] + edges[1:]) / 2)

    def shares(sequences: SequenceSet) -> list[float | None]:
        counts, _ = np.histogram(gc_content(sequences), edges)
        return rounded(100 * counts / max(1, len(sequences)))

    first = Series(name="real", role="real", shape="steps", x=centres, y=shares(real))
    choices = {}
    for name in _ordered(run, generated):
        y = shares(generated[name])
        other = Series(name=name, role=run.kind(name), shape="steps", x=centres, y=y)  # type: ignore[arg-type]
        choices[name] = [Panel(title="", x_title="GC content", y_title="sequences (%)", series=[first, other])]
    says = "Distribution of the GC content of real sequences and of those of the chosen generator."
    return Figure(id="gc", title="GC content", says=says, choices=choices, chooses="generator", half=True)


def _logos(run: Run, real: SequenceSet, generated: dict[str, SequenceSet], tss: int | None) -> Figure:
    heights = information(real)
    start, stop = _window(heights, tss)
    origin = 0 if tss is None else tss
    marks = [] if tss is None else [Mark(axis="x", at=0.0, label="TSS", role="tss")]
    title = "position from the TSS (bp)" if tss is not None else "position in the sequence (bp)"

    def logo(name: str, bits: np.ndarray) -> Logo:
        columns = [[float(f"{height:.3f}") for height in column] for column in bits[start:stop]]
        return Logo(title=name, x_title=title, first=start - origin, heights=columns, marks=marks)

    first = logo("real", heights)
    choices = {name: [first, logo(name, information(generated[name]))] for name in _ordered(run, generated)}
    says = "Sequence logos of real sequences and of those of the chosen generator, one below the other."
    return Figure(id="logos", title="Sequence logos", says=says, choices=choices, chooses="generator")


def _window(heights: np.ndarray, tss: int | None) -> tuple[int, int]:
    """The columns around the TSS or, where that is not known, as many that hold most information."""
    width = min(BEFORE + BEHIND, len(heights))
    if tss is not None:
        return max(0, tss - BEFORE), min(len(heights), tss + BEHIND)
    sums = np.convolve(heights.sum(1), np.ones(width), mode="valid")
    start = int(np.argmax(sums))
    return start, start + width


def _ordered(run: Run, generated: dict[str, SequenceSet]) -> list[str]:
    return [name for name in run.generators if name in generated]
