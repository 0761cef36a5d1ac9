"""What the motif metrics work out of each sequence is worked out once, and told apart by motifs and cut-offs."""

from __future__ import annotations

import numpy as np
import pytest

from dnabench import SequenceSet
from dnabench_metrics.motifs.cooccurrence import MotifCooccurrence
from dnabench_metrics.motifs.divergence import MotifKL
from dnabench_metrics.motifs.frequency import MotifFrequency
from dnabench_metrics.motifs.profile import MotifProfile
from dnabench_metrics.motifs.spacing import MotifSpacing
from dnabench_metrics.records import motifs as records


@pytest.fixture
def remembering(make_context):
    """A context that remembers, and the list of (name, set) that were worked out."""
    remembered, computed = {}, []

    def remember(name, sequences, compute):
        key = (name, sequences.digest)
        if key not in remembered:
            computed.append(key)
            remembered[key] = compute(sequences)
            remembered[key].setflags(write=False)
        return remembered[key]

    return make_context(remember_with=remember), computed


@pytest.fixture
def sides(human):
    return {"generated": SequenceSet(human[:300]), "reference": SequenceSet(human[300:700])}


def test_three_metrics_share_one_scan_of_each_side(remembering, sides):
    context, computed = remembering
    for metric in (
        MotifKL(records.MotifKLOptions(bin_width=4)),
        MotifFrequency(records.MotifFrequencyOptions()),
        MotifCooccurrence(records.MotifCooccurrenceOptions()),
    ):
        metric.score(**sides, context=context)
    assert len(computed) == 2


def test_other_cut_offs_bins_and_motifs_are_told_apart(remembering, sides, real_data):
    context, computed = remembering
    path = str(real_data / "motifs" / "JASPAR2018_CORE_nematodes.meme")
    for options in (("epd", 1e-4), ("epd", 1e-3), (path, 1e-4), (path, 1e-3)):
        name, p_value = options
        MotifFrequency(records.MotifFrequencyOptions(name, p_value)).score(**sides, context=context)
    # The carried motifs have cut-offs of their own.
    assert len(computed) == 2 * 3
    for width in (4, 8, 8):
        MotifProfile(records.MotifProfileOptions(bin_width=width)).score(**sides, context=context)
    assert len(computed) == 2 * 5


def test_remembering_changes_no_score(remembering, make_context, sides):
    context, _ = remembering
    for metric in (
        MotifKL(records.MotifKLOptions()),
        MotifProfile(records.MotifProfileOptions()),
        MotifFrequency(records.MotifFrequencyOptions()),
        MotifCooccurrence(records.MotifCooccurrenceOptions()),
        MotifSpacing(records.MotifSpacingOptions()),
    ):
        for _ in range(2):
            score = metric.score(**sides, context=context)
        plain = metric.score(**sides, context=make_context())
        assert (score.value, score.ci_low, score.ci_high) == (plain.value, plain.ci_low, plain.ci_high)


def test_digests_follow_the_motifs(tmp_path):
    path = tmp_path / "some.pfm"
    digests = set()
    for text in ("9 0\n0 9\n0 0\n0 0\n", "9 0\n0 8\n0 1\n0 0\n"):
        path.write_text("".join(f">{name}\n{text}" for name in "abc"))
        for p_value in (0.01, 0.1):
            digests.add(MotifFrequency(records.MotifFrequencyOptions(str(path), p_value)).digest())
    assert len(digests) == 4
    assert MotifKL(records.MotifKLOptions()).digest() == MotifSpacing(records.MotifSpacingOptions()).digest()
    assert np.unique([len(digest) for digest in digests]).tolist() == [64]
