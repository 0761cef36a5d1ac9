"""The generative process: a left-to-right hidden semi-Markov model of a promoter.

A promoter belongs to a regime (a species and a class). Upstream of the core region the process runs over the bases
and at each one either emits a background base or starts a box: the box, then a spacer in which no box may start,
then it is free again. In the core region there may be an Initiator, a TATA-box, both or neither; a TATA-box keeps
its distance to the place of the Initiator. Background bases depend on the three bases before them, whatever emitted
those.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dnabench import UserError
from dnabench_promoters.background import ONE, background_table, whole
from dnabench_promoters.motifs import CCAAT_BOX, GC_BOX, INITIATOR, TATA_BOX, Motif
from dnabench_promoters.options import SHORTEST
from dnabench_promoters.species import SPECIES, PromoterClass, Species

DOWNSTREAM = 50  # bp after the TSS
CORE = 40  # bp of the core region before the TSS
SPACER = 12  # bp after a box in which no other box starts

# Places of an element's position 0 relative to the TSS: first, most frequent, last. The boxes have Bucher's preferred
# regions, the GC-box less what would reach into the core region; 256 bp begin at -205.
GC_BOX_PLACES = (-164, -60, -50)
CCAAT_BOX_PLACES = (-212, -80, -57)
# The annotated TSS misses the true one by a base at times, and the TATA-box follows the true one.
INITIATOR_PLACES = {-1: 0.08, 0: 0.84, 1: 0.08}
TATA_DISTANCES = {-33: 0.03, -32: 0.10, -31: 0.22, -30: 0.30, -29: 0.22, -28: 0.10, -27: 0.03}

TABLES_SEED = 1990  # the process is the same for every user; options.seed draws from it


@dataclass(frozen=True)
class Box:
    """An upstream element on one strand.

    Attributes:
        name: ``gc+``, ``gc-``, ``ccaat+`` or ``ccaat-``.
        columns: base probabilities of its columns in 65,536ths, int64 of shape ``(width, 4)``.
        hazard: probability in 65,536ths that it starts where the process is free, int64, ``(core_start, regimes)``.
    """

    name: str
    columns: np.ndarray
    hazard: np.ndarray


@dataclass(frozen=True)
class Process:
    """Everything that defines the distribution of a promoter. Probabilities are int64 in 65,536ths.

    Attributes:
        length: bp of a promoter.
        regimes: the labels (species, class) of each regime.
        weights: probability of each regime, shape ``(regimes,)``.
        background: rows of :func:`background_table` per regime, shape ``(regimes, 85, 4)``.
        boxes: the upstream elements.
        spacer: bp after a box in which no box starts.
        core_start: index of the first base of the core region; boxes end before it.
        presence: probability of neither, Initiator, TATA-box, both, shape ``(regimes, 4)``.
        initiator, tata: base probabilities of the columns, shape ``(width, 4)``.
        initiator_starts: index of the Initiator's first base -> probability.
        tata_distances: first base of the TATA-box minus first base of the Initiator's place -> probability.
    """

    length: int
    regimes: tuple[tuple[str, str], ...]
    weights: np.ndarray
    background: np.ndarray
    boxes: tuple[Box, ...]
    spacer: int
    core_start: int
    presence: np.ndarray
    initiator: np.ndarray
    tata: np.ndarray
    initiator_starts: dict[int, int]
    tata_distances: dict[int, int]


def promoter_process(length: int) -> Process:
    """The process of ``promoters-sim`` for promoters of ``length`` bp, TSS at index ``length - 51``.

    UserError for less than 96 bp.
    """
    if length < SHORTEST:
        raise UserError(f"there are no simulated promoters of {length} bp; they have at least {SHORTEST} bp")
    tss = length - DOWNSTREAM - 1
    core_start = tss - CORE
    members = [(species, kind) for species in SPECIES for kind in species.classes]
    bits = np.random.PCG64(np.random.SeedSequence(TABLES_SEED))
    offset = TATA_BOX.origin - INITIATOR.origin
    gc_boxes = np.array([kind.gc_boxes for _, kind in members])
    ccaat_boxes = np.array([kind.ccaat_boxes for _, kind in members])
    return Process(
        length=length,
        regimes=tuple((species.name, kind.name) for species, kind in members),
        weights=whole(np.array([species.share * kind.share for species, kind in members])),
        background=np.stack([background_table(bits, gc=kind.gc, cpg_factor=kind.cpg_factor) for _, kind in members]),
        boxes=(
            _box("gc+", GC_BOX, GC_BOX_PLACES, gc_boxes, tss=tss, core_start=core_start),
            _box("gc-", GC_BOX.reverse_complement(), GC_BOX_PLACES, gc_boxes, tss=tss, core_start=core_start),
            _box("ccaat+", CCAAT_BOX, CCAAT_BOX_PLACES, ccaat_boxes, tss=tss, core_start=core_start),
            _box(
                "ccaat-", CCAAT_BOX.reverse_complement(), CCAAT_BOX_PLACES, ccaat_boxes, tss=tss, core_start=core_start
            ),
        ),
        spacer=SPACER,
        core_start=core_start,
        presence=np.stack([_presence(species, kind) for species, kind in members]),
        initiator=_columns(INITIATOR),
        tata=_columns(TATA_BOX),
        initiator_starts=_places(INITIATOR_PLACES, tss - INITIATOR.origin),
        tata_distances=_places(TATA_DISTANCES, -offset),
    )


def _columns(motif: Motif) -> np.ndarray:
    counts = np.array(motif.counts, float)
    return whole(counts / counts.sum(1, keepdims=True))


def _places(probabilities: dict[int, float], shift: int) -> dict[int, int]:
    shares = whole(np.array(list(probabilities.values())))
    return {place + shift: int(share) for place, share in zip(probabilities, shares, strict=True)}


def _presence(species: Species, kind: PromoterClass) -> np.ndarray:
    with_tata = kind.tata * species.initiator_with_tata
    without_tata = (1 - kind.tata) * species.initiator_without_tata
    return whole(np.array([1 - kind.tata - without_tata, without_tata, kind.tata - with_tata, with_tata]))


def _box(
    name: str, motif: Motif, places: tuple[int, int, int], expected: np.ndarray, *, tss: int, core_start: int
) -> Box:
    """A box on one strand, its hazard a triangle over ``places`` that sums to half of ``expected`` per regime.

    Where the promoter is too short for the first places, those are left out and the others keep their hazard.
    """
    first, peak, last = places
    place = np.arange(first, last + 1)
    rise, fall = (place - first + 1) / (peak - first + 1), (last + 1 - place) / (last + 1 - peak)
    shape = np.minimum(rise, fall)
    start = tss + place - motif.origin
    inside = (start >= 0) & (start + motif.width <= core_start)
    hazard = np.zeros((core_start, len(expected)), np.int64)
    hazard[start[inside]] = np.rint(ONE / 2 * np.outer(shape / shape.sum(), expected)[inside])
    return Box(name, _columns(motif), hazard)
