"""Options of the promoter datasets and of their controls."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from dnabench import option

SHORTEST = 96  # bp of a simulated promoter that holds its core region
_EPD_GENDNA = "https://huggingface.co/datasets/Zehui127127/latent-dna-diffusion/resolve/"
_EPD_GENDNA_REVISION = "ab85ce9a7e29bac5a7fe823f2ed5b2b64b60c8eb"


@dataclass(frozen=True)
class SimulatorOptions:
    """What defines a simulated promoter set, and nothing else does."""

    n: int = option(20_000, "sequences", minimum=1)
    length: int = option(256, "bp; the TSS is 51 bp before the end", minimum=SHORTEST)
    seed: int = option(0, "another seed draws other sequences from the same process", minimum=0)


@dataclass(frozen=True)
class BrokenOptions:
    """What is wrong with the promoters of ``sim-broken``."""

    what: Literal["no-tata", "tata-shift", "spacing", "no-cpg", "no-species", "half-diversity"] = option(
        "no-tata",
        "no TATA-box; the TATA-box 5 bp upstream; its distance to the Initiator spread evenly over 17 bp; no promoters "
        "of class cpg; none of sim-plant; every sequence given twice",
    )


@dataclass(frozen=True)
class EpdGenDnaOptions:
    """Which of the promoters that the authors of DiscDiff published are fetched, and from where."""

    length: Literal["both", "256", "2048"] = option("both", "bp; each length is a set of its own")
    url: str = option(_EPD_GENDNA + _EPD_GENDNA_REVISION, "directory with sequence.csv and sequence_central_256.csv")
    verify: bool = option(True, "checksum and counts; false takes the files of another revision")


@dataclass(frozen=True)
class EpdNewOptions:
    """Which promoters are cut, and from what."""

    genomes: tuple[str, ...] = option((), "CODE=FILE: a species and its genome in FASTA, such as hs=hg38.fa.gz")
    window: str = option("-205..50", "first and last base, counted from the TSS, which is 0")
    url: str = option("https://epd.expasy.org/ftp/epdnew", "directory with EPDnew's lists, H_sapiens/006/... below it")
    lists: str | None = option(None, "directory with the lists themselves (Hs_EPDnew*.bed, ...); nothing is downloaded")
