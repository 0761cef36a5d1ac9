"""The dataset ``epdnew``: windows around the transcription start sites that EPDnew lists."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from dnabench import FetchedSet, SequenceSet, UserError
from dnabench_promoters.epd.genome import Genome, open_genome
from dnabench_promoters.epd.lists import Promoter, read_promoters
from dnabench_promoters.epd.species import SPECIES

if TYPE_CHECKING:
    from dnabench import Fetcher
    from dnabench_promoters.options import EpdNewOptions

_REPORT = 1000  # windows between two reports of progress


class _Window(NamedTuple):
    """First and last base, counted from the TSS, which is 0, in the direction of transcription."""

    first: int
    last: int

    @property
    def width(self) -> int:
        return self.last - self.first + 1

    def around(self, promoter: Promoter) -> tuple[int, int]:
        """Where it starts and stops along the plus strand; without the stop itself."""
        if promoter.strand == "+":
            return promoter.tss + self.first, promoter.tss + self.last + 1
        return promoter.tss - self.last, promoter.tss - self.first + 1


class EpdNew:
    """Promoters of the species whose genomes the user has, labels ``species``, named as EPD names them."""

    def __init__(self, options: EpdNewOptions) -> None:
        self.options = options

    def fetch(self, *, fetcher: Fetcher) -> Iterator[FetchedSet]:
        """The set ``epdnew``: one window per promoter, as read along its strand, in the order of species and lists.

        Windows that reach beyond an end of their chromosome, hold N or repeat an earlier one are dropped and counted.
        UserError for a faulty option, list or genome.
        """
        window = self._window()
        genomes = self._genomes()
        codes, names, labels = [], [], []
        about: dict[str, dict[str, Any]] = {}
        for code, file in genomes.items():
            listed = self._list(code, fetcher)
            promoters = read_promoters(listed)
            _compare(code, listed, len(promoters), fetcher)
            with open_genome(file, fetcher.scratch) as genome:
                within = _within(genome, promoters, window, file, SPECIES[code].assembly)
                codes.append(_cut(genome, within, window, f"cutting {code}", fetcher))
            names += [promoter.name for promoter, _ in within]
            labels += [code] * len(within)
            about[code] = {
                "list": listed.name,
                "list_sha256": hashlib.sha256(listed.read_bytes()).hexdigest(),
                "assembly": SPECIES[code].assembly,
                "genome": file.name,
                "genome_bytes": file.stat().st_size,
                "listed": len(promoters),
                "too_near_an_end": len(promoters) - len(within),
            }
        every = SequenceSet(np.concatenate(codes), names=names, labels=pd.DataFrame({"species": labels}), copy=False)
        sequences, dropped = fetcher.clean(every)
        dropped = {"too near an end": sum(part["too_near_an_end"] for part in about.values()), **dropped}
        if not len(sequences):
            counts = ", ".join(f"{count} {reason}" for reason, count in dropped.items() if count)
            raise UserError(f"option epdnew.window is {self.options.window!r}; no window of its size is left: {counts}")
        kept = sequences.labels["species"].value_counts()
        for code, part in about.items():
            part["kept"] = int(kept.get(code, 0))
        yield FetchedSet(
            name="epdnew",
            sequences=sequences,
            dropped=dropped,
            about={"url": self.options.url, "window": self.options.window, "species": about},
        )

    def _window(self) -> _Window:
        text = self.options.window
        match = re.fullmatch(r"\s*([+-]?[0-9]{1,9})\.\.([+-]?[0-9]{1,9})\s*", text)
        window = _Window(int(match[1]), int(match[2])) if match else None
        if window is None or window.width < 1:
            raise UserError(
                f"option epdnew.window is {text!r}; the first and the last base were expected, counted from the TSS, "
                f"such as -205..50 for 256 bp"
            )
        return window

    def _genomes(self) -> dict[str, Path]:
        """The file of each species, in the order of their two letters."""
        if not self.options.genomes:
            raise UserError(
                "epdnew cuts promoters from genomes that you have: give one or more with --genome CODE=FILE, such as "
                f"--genome hs=hg38.fa.gz; codes and assemblies: "
                f"{', '.join(f'{code} {species.assembly}' for code, species in SPECIES.items())}"
            )
        genomes: dict[str, Path] = {}
        for text in self.options.genomes:
            code, _, name = (part.strip() for part in text.partition("="))
            if code not in SPECIES or not name:
                raise UserError(f"genome {text!r}: CODE=FILE was expected, CODE one of {', '.join(SPECIES)}")
            if code in genomes:
                raise UserError(f"genome {text!r}: {code} has one already, {genomes[code]}")
            genomes[code] = Path(name).expanduser()
            if not genomes[code].is_file():
                raise UserError(f"genome {text!r}: no such file")
        return dict(sorted(genomes.items()))

    def _list(self, code: str, fetcher: Fetcher) -> Path:
        path = SPECIES[code].path
        if self.options.lists is None:
            return fetcher.download(f"{self.options.url.rstrip('/')}/{path}", name=Path(path).name)
        directory = Path(self.options.lists).expanduser()
        pattern = f"{code.capitalize()}_EPDnew*.bed"
        found = sorted(directory.glob(pattern))
        if len(found) != 1:
            what = f"{len(found)} files {pattern}" if found else f"no file {pattern}"
            raise UserError(f"option epdnew.lists is {str(directory)!r}, where there is {what}; one was expected")
        return found[0]


def _compare(code: str, listed: Path, n: int, fetcher: Fetcher) -> None:
    """Warn where a list is not as long as it was: EPD may have a new version, or the transfer has lost its end."""
    known = SPECIES[code]
    if n != known.promoters:
        doubt = "" if known.confirmed else " (a number that no source confirms)"
        fetcher.warn(f"{listed}: {n:,} promoters of {code}; {known.promoters:,} were expected{doubt}")


def _within(
    genome: Genome, promoters: list[Promoter], window: _Window, file: Path, assembly: str
) -> list[tuple[Promoter, str]]:
    """The promoters whose windows lie within their chromosomes, with the names of these in the genome."""
    names = genome.resolve({promoter.chromosome for promoter in promoters})
    lengths = {chromosome: genome.length(name) for chromosome, name in names.items()}
    within = []
    for promoter in promoters:
        length = lengths[promoter.chromosome]
        if promoter.tss >= length:
            raise UserError(
                f"{file}: {promoter.chromosome} has {length:,} bases, but {promoter.name} starts at base "
                f"{promoter.tss + 1:,} of it: not the assembly of the list, which should be {assembly}"
            )
        start, stop = window.around(promoter)
        if start >= 0 and stop <= length:
            within.append((promoter, names[promoter.chromosome]))
    return within


def _cut(
    genome: Genome, promoters: list[tuple[Promoter, str]], window: _Window, stage: str, fetcher: Fetcher
) -> np.ndarray:
    """uint8, shape ``(promoters, width)``."""
    codes = np.empty((len(promoters), window.width), np.uint8)
    for row, (promoter, chromosome) in enumerate(promoters):
        codes[row] = genome.stretch(chromosome, *window.around(promoter), promoter.strand)
        if row % _REPORT == 0:
            fetcher.progress(row, len(promoters), stage)
    fetcher.progress(len(promoters), len(promoters), stage)
    return codes
