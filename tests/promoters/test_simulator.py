"""``promoters-sim`` against the truth it is meant to hold, measured from its sequences."""

from __future__ import annotations

import json

import numpy as np
import pytest

import dnabench_promoters
from dnabench import SequenceSet, UserError
from dnabench.options import build
from dnabench_promoters.motifs import CCAAT_BOX, GC_BOX
from dnabench_promoters.options import SimulatorOptions
from dnabench_promoters.sampling import draw
from dnabench_promoters.simulator import PromoterSimulator

TSS = 205
# Species -> share, background GC over its classes, share with a TATA-box, P(Initiator | TATA), P(Initiator | no TATA),
# worked out by hand from the table of species.
TRUTH = {
    "sim-mammal": (0.25, 0.612, 0.176, 0.60, 0.35),
    "sim-bird": (0.15, 0.664, 0.118, 0.55, 0.35),
    "sim-insect": (0.20, 0.418, 0.360, 0.80, 0.55),
    "sim-nematode": (0.15, 0.3725, 0.175, 0.45, 0.30),
    "sim-plant": (0.15, 0.360, 0.520, 0.70, 0.40),
    "sim-yeast": (0.10, 0.360, 0.0, None, 0.45),
}
EVERY_SPECIES = pytest.mark.parametrize("species", TRUTH)


@pytest.fixture(scope="module")
def simulator():
    return PromoterSimulator(SimulatorOptions())


@pytest.fixture(scope="module")
def drawn(simulator):
    return draw(simulator.process, 20_000, seed=0)


@pytest.fixture(scope="module")
def labels(simulator, drawn):
    return np.array(simulator.process.regimes)[drawn.regime]


@pytest.fixture(scope="module")
def tata_scores(real_data, drawn):
    """EPD's TATA-box scores of position 0 at -60 .. 0: shape (n, 61), and the cut-off."""
    matrix = json.loads((real_data / "motifs" / "epd_bucher1990.json").read_text())["TATA-box"]
    weights, origin = np.array(matrix["weights"]), matrix["positions"].index(0)
    starts = TSS - origin + np.arange(-60, 1)
    scores = sum(weights[i][drawn.codes[:, starts + i]] for i in range(len(weights)))
    return scores, matrix["cutoff_bucher"]


def near(value, truth, n):
    """Within four standard deviations of a frequency over n."""
    return abs(value - truth) < 4 * (truth * (1 - truth) / n) ** 0.5 + 1e-4


def test_the_set_and_its_labels(simulator, drawn, labels, make_context):
    loaded = simulator.load(context=make_context())
    assert isinstance(loaded, SequenceSet)
    assert np.array_equal(loaded.codes, drawn.codes)
    assert loaded.codes.shape == (20_000, 256)
    assert loaded.codes.max() == 3
    assert loaded.labels.columns.tolist() == ["species", "class"]
    assert np.array_equal(loaded.labels.to_numpy().astype(str), labels)
    assert set(labels[:, 1]) == {"cpg", "nocpg"}


@EVERY_SPECIES
def test_species_share_and_gc(drawn, labels, species):
    share, gc, *_ = TRUTH[species]
    members = drawn.codes[labels[:, 0] == species]
    assert near(len(members) / 20_000, share, 20_000)
    # Elements take a few per cent of the bases and lean towards G and C, above all in AT-rich species.
    assert gc - 0.01 < np.isin(members, [1, 2]).mean() < gc + 0.02


@EVERY_SPECIES
def test_tata_frequency_and_the_initiator_given_it(drawn, labels, species):
    _, _, tata, with_tata, without_tata = TRUTH[species]
    member = labels[:, 0] == species
    has_tata, has_initiator = drawn.tata[member] >= 0, drawn.initiator[member] >= 0
    assert near(has_tata.mean(), tata, member.sum())
    assert near(has_initiator[~has_tata].mean(), without_tata, (~has_tata).sum())
    if with_tata is not None:
        assert near(has_initiator[has_tata].mean(), with_tata, has_tata.sum())


def test_a_scan_finds_the_tata_boxes_at_minus_30(drawn, labels, tata_scores):
    scores, cutoff = tata_scores
    hits = scores >= cutoff
    profile = hits.mean(0)  # over -60 .. 0
    assert -31 <= profile.argmax() - 60 <= -29
    assert profile[:20].max() < 0.1 * profile.max()
    in_region = hits[:, 24:41].any(1)  # -36 .. -20
    assert in_region[drawn.tata >= 0].mean() > 0.9
    yeast, plant = labels[:, 0] == "sim-yeast", labels[:, 0] == "sim-plant"
    assert in_region[yeast].mean() < 0.15
    assert in_region[plant].mean() > in_region[yeast].mean() + 0.35


def test_the_initiator_shows_at_the_tss_more_often_behind_a_tata_box(drawn, labels, tata_scores):
    scores, cutoff = tata_scores
    ca = (drawn.codes[:, :-1] == 1) & (drawn.codes[:, 1:] == 0)
    assert ca.mean(0).argmax() == TSS - 1
    insect = labels[:, 0] == "sim-insect"
    seen = (scores[insect, 24:41] >= cutoff).any(1)
    at_tss = ca[insect, TSS - 1]
    assert at_tss[seen].mean() > at_tss[~seen].mean() + 0.1


def test_the_tata_box_keeps_its_distance_to_the_initiator_rather_than_to_the_tss(drawn):
    both = (drawn.tata >= 0) & (drawn.initiator >= 0)
    distance = (drawn.tata + 3)[both] - (drawn.initiator + 2)[both]  # Bucher's positions 0
    assert (distance.min(), distance.max()) == (-33, -27)
    assert np.median(distance) == -30
    assert distance.var() < (drawn.tata[both] + 3 - TSS).var() - 0.1
    assert set((drawn.initiator[both] + 2 - TSS).tolist()) == {-1, 0, 1}


def test_motif_instances_follow_the_counts(drawn):
    starts = drawn.tata[drawn.tata >= 0]
    first = drawn.codes[drawn.tata >= 0, starts + 1]  # second column: 16, 46, 18, 309 of 389
    frequencies = np.bincount(first, minlength=4) / len(first)
    assert frequencies == pytest.approx(np.array([16, 46, 18, 309]) / 389, abs=4 * 0.5 / len(first) ** 0.5)


def test_boxes_lie_in_their_regions_on_either_strand(simulator, drawn):
    _, kind, start = drawn.boxes.T
    origins = [6, 13 - 6, 7, 11 - 7]  # Bucher's position 0 on each strand: GC-box of 14 bp, CCAAT-box of 12
    position = start + np.array(origins)[kind] - TSS
    assert [box.name for box in simulator.process.boxes] == ["gc+", "gc-", "ccaat+", "ccaat-"]
    assert np.bincount(kind).min() > 1000
    assert (position[kind < 2].min(), position[kind < 2].max()) == (-164, -50)
    assert position[kind >= 2].min() >= -205
    assert position[kind >= 2].max() == -57
    assert abs(np.median(position[kind >= 2]) + 110) < 25


@pytest.mark.parametrize(("kind", "motif"), [(0, GC_BOX), (1, GC_BOX), (2, CCAAT_BOX), (3, CCAAT_BOX)])
def test_boxes_read_as_their_motif_on_their_strand(drawn, kind, motif):
    rows, _, starts = drawn.boxes[drawn.boxes[:, 1] == kind].T
    instances = drawn.codes[rows[:, None], starts[:, None] + np.arange(motif.width)]
    if kind % 2:
        instances = 3 - instances[:, ::-1]
    frequencies = np.stack([(instances == base).mean(0) for base in range(4)], axis=1)
    counts = np.array(motif.counts)
    assert np.abs(frequencies - counts / counts.sum(1, keepdims=True)).max() < 4 * 0.5 / len(instances) ** 0.5


def test_boxes_keep_their_spacing(drawn):
    order = np.lexsort((drawn.boxes[:, 2], drawn.boxes[:, 0]))
    sequence, kind, start = drawn.boxes[order].T
    end = start + np.array([14, 14, 12, 12])[kind]
    gaps = (start[1:] - end[:-1])[sequence[1:] == sequence[:-1]]
    assert len(gaps) > 1000
    assert gaps.min() == 12


@EVERY_SPECIES
def test_cpg_classes(drawn, labels, species):
    ratio, gc_boxes = {}, {}
    for name in ("cpg", "nocpg"):
        rows = np.flatnonzero((labels == (species, name)).all(1))
        codes = drawn.codes[rows]
        pairs = ((codes[:, :-1] == 1) & (codes[:, 1:] == 2)).mean()
        ratio[name] = pairs / ((codes == 1).mean() * (codes == 2).mean())
        boxes = drawn.boxes[drawn.boxes[:, 1] < 2, 0]
        gc_boxes[name] = np.isin(boxes, rows).sum() / len(rows)
    assert ratio["cpg"] > 0.8
    assert ratio["nocpg"] < ratio["cpg"] - 0.1
    assert gc_boxes["cpg"] > 2 * gc_boxes["nocpg"]


def test_the_options_alone_define_the_set(make_context):
    def digest(context_seed=0, **options):
        return PromoterSimulator(SimulatorOptions(**options)).load(context=make_context(seed=context_seed)).digest

    assert digest(n=50) == digest(n=50, context_seed=1)
    assert digest(n=50) != digest(n=50, seed=1)


@pytest.mark.parametrize(
    ("n", "digest"),
    [
        (1000, "90d0170c903be485268343ee4bc036592c03ccd5a2e154ec8bdbdb17fe462e28"),
        (30_000, "75c3b8b32a4f153fac921655b1d7deb48a1549f696841699bf4236d2c864a8fe"),
    ],
)
def test_the_set_is_frozen(n, digest, make_context):
    """Suites rest on these bytes: another digest means that the record's version must be raised."""
    record = next(r for r in dnabench_promoters.dnabench_datasets() if r.name == "promoters-sim")
    assert record.version == 1
    loaded = PromoterSimulator(SimulatorOptions(n=n)).load(context=make_context())
    assert loaded.digest == digest


def test_a_larger_set_begins_with_the_smaller(simulator, drawn, monkeypatch):
    monkeypatch.setattr("dnabench_promoters.sampling.CHUNK", 64 * 256)
    smaller = draw(simulator.process, 150, seed=0)
    assert np.array_equal(smaller.codes, drawn.codes[:150])
    assert np.array_equal(smaller.tata, drawn.tata[:150])
    boxes = drawn.boxes[drawn.boxes[:, 0] < 150]
    assert sorted(smaller.boxes.tolist()) == sorted(boxes.tolist())


def test_another_seed_draws_from_the_same_process(simulator, drawn):
    other = draw(simulator.process, 20_000, seed=1)
    assert not np.array_equal(other.codes, drawn.codes)
    assert simulator.log_likelihood(other.codes[:1000]).mean() == pytest.approx(
        simulator.log_likelihood(drawn.codes[:1000]).mean(), abs=4 * 9 * (2 / 1000) ** 0.5
    )


@pytest.mark.parametrize("length", [96, 200, 2048])
def test_the_tss_keeps_50_bases_downstream(length, make_context):
    codes = PromoterSimulator(SimulatorOptions(n=2000, length=length)).load(context=make_context()).codes
    assert codes.shape == (2000, length)
    ca = (codes[:, :-1] == 1) & (codes[:, 1:] == 0)
    assert ca.mean(0).argmax() == length - 52


def test_a_promoter_too_short_for_its_core_is_the_users_error():
    with pytest.raises(UserError, match="at least 96"):
        build(SimulatorOptions, "promoters-sim", {"length": "95"})
