"""The species of the simulator: the truth that a generator has to find.

The figures lie where published promoter sets lie (GC of vertebrate promoters around 0.6, of plants and worms below
0.45; no TATA-box at the usual place in budding yeast), but no simulated species is meant to be a particular real
one.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class PromoterClass:
    """One class of promoters of a species.

    Attributes:
        name: ``cpg`` or ``nocpg``.
        share: its share of the species' promoters; the shares of a species sum to 1.
        gc: GC content of the background.
        cpg_factor: what the probability of G after C is multiplied by before rows are normalised; 1 is no depletion.
        tata: share of its promoters with a TATA-box.
        gc_boxes, ccaat_boxes: elements expected per promoter, both strands together, before the spacer thins them.
    """

    name: str
    share: float
    gc: float
    cpg_factor: float
    tata: float
    gc_boxes: float
    ccaat_boxes: float


@dataclass(frozen=True)
class Species:
    """A simulated species.

    Attributes:
        name: its label.
        share: its share of the set; the shares of all species sum to 1.
        initiator_with_tata, initiator_without_tata: probability of an Initiator given the TATA-box, and given none.
        classes: its promoter classes.
    """

    name: str
    share: float
    initiator_with_tata: float
    initiator_without_tata: float
    classes: tuple[PromoterClass, ...]


SPECIES = (
    Species(
        "sim-mammal",
        0.25,
        0.60,
        0.35,
        (
            PromoterClass("cpg", 0.70, gc=0.66, cpg_factor=0.90, tata=0.08, gc_boxes=1.60, ccaat_boxes=0.60),
            PromoterClass("nocpg", 0.30, gc=0.50, cpg_factor=0.22, tata=0.40, gc_boxes=0.30, ccaat_boxes=0.30),
        ),
    ),
    Species(
        "sim-bird",
        0.15,
        0.55,
        0.35,
        (
            PromoterClass("cpg", 0.80, gc=0.70, cpg_factor=0.95, tata=0.06, gc_boxes=1.80, ccaat_boxes=0.50),
            PromoterClass("nocpg", 0.20, gc=0.52, cpg_factor=0.25, tata=0.35, gc_boxes=0.30, ccaat_boxes=0.25),
        ),
    ),
    Species(
        "sim-insect",
        0.20,
        0.80,
        0.55,
        (
            PromoterClass("cpg", 0.30, gc=0.46, cpg_factor=0.90, tata=0.15, gc_boxes=0.40, ccaat_boxes=0.20),
            PromoterClass("nocpg", 0.70, gc=0.40, cpg_factor=0.55, tata=0.45, gc_boxes=0.10, ccaat_boxes=0.15),
        ),
    ),
    Species(
        "sim-nematode",
        0.15,
        0.45,
        0.30,
        (
            PromoterClass("cpg", 0.25, gc=0.41, cpg_factor=0.90, tata=0.10, gc_boxes=0.50, ccaat_boxes=0.15),
            PromoterClass("nocpg", 0.75, gc=0.36, cpg_factor=0.60, tata=0.20, gc_boxes=0.15, ccaat_boxes=0.10),
        ),
    ),
    Species(
        "sim-plant",
        0.15,
        0.70,
        0.40,
        (
            PromoterClass("cpg", 0.20, gc=0.44, cpg_factor=0.85, tata=0.20, gc_boxes=0.35, ccaat_boxes=0.30),
            PromoterClass("nocpg", 0.80, gc=0.34, cpg_factor=0.40, tata=0.60, gc_boxes=0.05, ccaat_boxes=0.35),
        ),
    ),
    Species(
        "sim-yeast",
        0.10,
        0.0,
        0.45,
        (
            PromoterClass("cpg", 0.30, gc=0.40, cpg_factor=0.95, tata=0.0, gc_boxes=0.40, ccaat_boxes=0.40),
            PromoterClass("nocpg", 0.70, gc=0.35, cpg_factor=0.65, tata=0.0, gc_boxes=0.10, ccaat_boxes=0.20),
        ),
    ),
)
