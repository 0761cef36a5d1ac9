"""The options of this package's metrics. Light: read by the planner and by `dnabench show`."""

from __future__ import annotations

from dataclasses import dataclass

from dnabench import option


@dataclass(frozen=True)
class SWDOptions:
    """Options of `swd`."""

    projections: int = option(500, "random directions onto which the embeddings are projected", minimum=1)
    seed: int = option(0, "seed of the directions, the same for every generator", minimum=0)


@dataclass(frozen=True)
class MMDOptions:
    """Options of `mmd`."""

    bandwidths: int = option(
        5,
        "number of RBF kernels; their bandwidths are the reference's median distance times powers of the root of 2, "
        "so that their squares double",
        minimum=1,
        maximum=15,
    )


@dataclass(frozen=True)
class MotifKLOptions:
    """Options of `motif-kl`."""

    motifs: str = option("epd", "`epd`: TATA-box, Initiator, CCAAT-box, GC-box; or the path of a MEME file")
    bin_width: int = option(8, "bp per position bin", minimum=1)
    pseudocount: float = option(0.5, "added to the count of every bin, on both sides", minimum=1e-6)
    p_value: float = option(
        1e-4,
        "MEME files only: a hit scores as a random window does with at most this probability",
        minimum=1e-9,
        maximum=1,
    )
