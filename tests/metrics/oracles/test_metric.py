"""`oracle` as a whole: with a model whose answers can be counted, on real promoters, and from the command line."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy import stats

from dnabench import Score, SequenceSet, UserError
from dnabench_metrics.oracles.metric import OracleAgreement
from dnabench_metrics.oracles.mpra_dragonn import TRACKS
from dnabench_metrics.records.oracles import OracleOptions
from dnabench_metrics.stand_ins import mutated

from .conftest import random_sequences

if TYPE_CHECKING:
    import pandas as pd


def scripted(path, **options) -> OracleAgreement:
    return OracleAgreement(OracleOptions(model=f"torchscript:{path}", **options))


def shares(sequences: SequenceSet) -> np.ndarray:
    return np.stack([(sequences.codes == base).mean(1) for base in range(4)], axis=1)


def means(score: Score) -> pd.DataFrame:
    """The rows of ``details`` on the mean predictions by track."""
    return score.details[score.details["view"].str.startswith("Mean predictions by track")]


def test_every_number_of_the_score_by_scipy(base_shares, make_context):
    generated, reference = random_sequences(90, 40, seed=1, gc=0.6), random_sequences(130, 40, seed=2)
    score = scripted(base_shares).score(generated=generated, reference=reference, context=make_context(length=40))
    x, y = shares(generated), shares(reference)
    ks = [stats.ks_2samp(x[:, i], y[:, i]).statistic for i in range(4)]
    assert score.value == pytest.approx(np.mean(ks), abs=1e-12)
    assert score.ci_low < score.value < score.ci_high
    assert score.parts["mse"].value == pytest.approx(np.mean((x.mean(0) - y.mean(0)) ** 2), rel=1e-5)
    assert score.parts["pearson"].value == pytest.approx(stats.pearsonr(x.mean(0), y.mean(0)).statistic, abs=1e-5)
    assert score.parts["expected-floor"].value == pytest.approx(0.8687 * np.sqrt(1 / 90 + 1 / 130), rel=1e-4)
    assert list(score.details) == ["view", "quantity", "track", "quantile", "ks", "generated", "reference"]
    told = means(score)
    assert told["track"].tolist() == ["0", "1", "2", "3"]
    np.testing.assert_allclose(told["ks"], ks, atol=1e-12)
    np.testing.assert_allclose(told["generated"], x.mean(0), atol=1e-6)
    np.testing.assert_allclose(told["reference"], y.mean(0), atol=1e-6)


def test_with_both_strands_complementary_bases_share_a_distribution(base_shares, make_context):
    generated, reference = random_sequences(50, 30, seed=1, gc=0.7), random_sequences(50, 30, seed=2)
    score = scripted(base_shares, strands="both").score(
        generated=generated, reference=reference, context=make_context(length=30)
    )
    ks = means(score)["ks"].tolist()
    assert ks[0] == pytest.approx(ks[3])
    assert ks[1] == pytest.approx(ks[2])
    assert ks[0] > 0.5


def test_order_does_not_show_and_sides_change_nothing_but_their_names(base_shares, make_context):
    generated, reference = random_sequences(70, 40, seed=3, gc=0.55), random_sequences(60, 40, seed=4)
    metric, context, rng = scripted(base_shares), make_context(length=40), np.random.default_rng(0)
    plain = metric.score(generated=generated, reference=reference, context=context)
    shuffled = metric.score(
        generated=generated.take(rng.permutation(70)), reference=reference.take(rng.permutation(60)), context=context
    )
    swapped = metric.score(generated=reference, reference=generated, context=context)
    for other in (shuffled, swapped):
        assert other.value == plain.value
        for name, part in plain.parts.items():
            assert other.parts[name].value == pytest.approx(part.value, rel=1e-9)
        # The supremum may be reached at several points, of which the lowest counts on either side.
        assert other.ci_low == pytest.approx(plain.ci_low, rel=1e-5)
    assert swapped.details["generated"].tolist() == plain.details["reference"].tolist()


def test_one_track_has_no_correlation(script, make_context):
    from torch import nn

    class Adenine(nn.Module):
        def forward(self, x):
            return x[:, :1].mean(2)

    score = scripted(script(Adenine())).score(
        generated=random_sequences(20, 30, seed=1), reference=random_sequences(20, 30, seed=2), context=make_context()
    )
    assert sorted(score.parts) == ["expected-floor", "mse"]


def test_complete_separation_is_1(base_shares, make_context):
    score = scripted(base_shares).score(
        generated=SequenceSet(np.zeros((5, 8), np.uint8)),
        reference=SequenceSet(np.full((6, 8), 3, np.uint8)),
        context=make_context(length=8),
    )
    assert score.value == 0.5  # no G and no C on either side
    assert means(score)["ks"].tolist() == [1, 0, 0, 1]
    assert score.ci_low < 0.5 < score.ci_high


def test_an_interval_at_complete_separation_has_a_width(script, make_context):
    from torch import nn

    class Adenine(nn.Module):
        def forward(self, x):
            return x[:, :1].mean(2)

    score = scripted(script(Adenine())).score(
        generated=SequenceSet(np.zeros((50, 8), np.uint8)),
        reference=SequenceSet(np.full((50, 8), 3, np.uint8)),
        context=make_context(length=8),
    )
    # Wilson's upper end of 0 in 50, z^2 / (50 + z^2), on both sides.
    assert (score.value, score.ci_high) == (1, 1)
    assert score.ci_low == pytest.approx(1 - 2**0.5 * 3.841459 / 53.841459, abs=1e-6)


def test_predictions_are_asked_for_once_by_a_name_that_holds_model_and_options(base_shares, keras_file, make_context):
    names, sequences = [], random_sequences(6, 145)

    def remember(name, wanted, compute):
        names.append(name)
        return compute(wanted)

    context = make_context(remember_with=remember)
    metrics = [
        scripted(base_shares),
        scripted(base_shares, strands="both"),
        *(OracleAgreement(OracleOptions(weights=str(keras_file), window=window)) for window in (None, 0)),
    ]
    for metric in metrics:
        metric.score(generated=sequences, reference=sequences, context=context)
        assert metric.digest() in names[-1]
    assert len(names) == 8
    assert len(set(names)) == 4


def test_too_few_sequences_are_refused(base_shares, make_context):
    with pytest.raises(UserError, match="oracle: 1 generated sequences; it needs at least 2"):
        scripted(base_shares).score(
            generated=random_sequences(1, 30), reference=random_sequences(5, 30), context=make_context()
        )


def test_a_model_whose_tracks_depend_on_the_length_is_refused(script, make_context):
    from torch import nn

    class Bases(nn.Module):
        def forward(self, x):
            return x[:, 0]

    path = script(Bases())
    with pytest.raises(UserError, match=r"model.ts answers with 30 tracks for generated and 40 for reference"):
        scripted(path).score(
            generated=random_sequences(3, 30), reference=random_sequences(3, 40), context=make_context()
        )


def test_real_promoters_move_away_with_every_share_of_mutated_bases(dragonn_file, real_promoters, make_context):
    human, rng = real_promoters("hs"), np.random.default_rng(0)
    reference = human.take(rng.permutation(len(human))[:256])
    known: dict[str, np.ndarray] = {}

    def remember(name, sequences, compute):
        if sequences.digest not in known:
            known[sequences.digest] = compute(sequences)
        return known[sequences.digest]

    metric, context = OracleAgreement(OracleOptions(weights=str(dragonn_file))), make_context(remember_with=remember)
    scores = [
        metric.score(generated=SequenceSet(mutated(reference.codes, share, rng)), reference=reference, context=context)
        for share in (0, 0.01, 0.03, 0.1, 0.3, 1)
    ]
    values = [score.value for score in scores]
    assert values[0] == 0
    assert values[:5] == sorted(values[:5])
    # Where every base is another one, GC-rich promoters have become AT-rich: far, but elsewhere.
    assert values[5] > values[3]
    floor = scores[0].parts["expected-floor"].value
    assert values[1] < floor
    assert scores[4].ci_low > floor
    assert means(scores[0])["track"].tolist() == list(TRACKS)


def test_real_promoters_against_real_ones_are_at_the_expected_floor(dragonn_file, real_promoters, make_context):
    human, rng = real_promoters("hs"), np.random.default_rng(1)
    drawn = human.take(rng.permutation(len(human))[:1024])
    metric = OracleAgreement(OracleOptions(weights=str(dragonn_file)))
    predictions = metric._predictions(drawn, make_context())

    def remembered(name, sequences, compute):
        return predictions[[int(row) for row in sequences.names]]

    rows = [str(i) for i in range(1024)]
    named = SequenceSet(drawn.codes, names=rows)
    values, errors = [], []
    for _ in range(30):
        order = rng.permutation(1024)
        score = metric.score(
            generated=named.take(order[:256]),
            reference=named.take(order[256:512]),
            context=make_context(remember_with=remembered, for_plots=False),
        )
        values.append(score.value)
        errors.append((score.ci_high - score.ci_low) / 2 / 1.96)
    # 12 tracks that go together: the sd of a value is some 0.017, of the mean of 30 some 0.003.
    assert np.mean(values) == pytest.approx(score.parts["expected-floor"].value, rel=0.15)
    assert 1 <= np.mean(errors) / np.std(values, ddof=1) <= 2.5


def rows_of(out: str) -> dict[str, dict[str, str]]:
    return {row["metric"]: row for row in csv.DictReader(io.StringIO(out))}


def test_from_the_command_line(dnabench, tmp_path, keras_file):
    generated, reference = tmp_path / "generated.fa", tmp_path / "reference.fa"
    random_sequences(150, 160, seed=1, gc=0.6).to_fasta(generated)
    random_sequences(140, 160, seed=2).to_fasta(reference)
    arguments = (
        "score",
        generated,
        "--reference",
        reference,
        "--format",
        "csv",
        "--metrics",
        "oracle,fred@mpra-dragonn",
    )
    weights = [f"--set={name}.weights={keras_file}" for name in ("oracle", "mpra-dragonn")]
    done = dnabench(*arguments, *weights)
    assert done.code == 0, done.err
    rows = rows_of(done.out)
    assert {"oracle", "oracle.mse", "oracle.pearson", "oracle.expected-floor", "fred@mpra-dragonn"} <= set(rows)
    assert 0 < float(rows["oracle"]["value"]) <= 1
    assert len(rows["fred@mpra-dragonn"]["embedder_sha256"]) == 64
    both = dnabench(*arguments, *weights, "--set=mpra-dragonn.strands=both")
    assert rows_of(both.out)["fred@mpra-dragonn"]["embedder_sha256"] != rows["fred@mpra-dragonn"]["embedder_sha256"]


def test_missing_weights_end_the_command_with_one_line(dnabench, tmp_path):
    path = tmp_path / "reference.fa"
    random_sequences(20, 160).to_fasta(path)
    done = dnabench("score", path, "--reference", path, "--metrics", "oracle", "--set", "oracle.model=sei")
    assert done.code == 2
    assert "dnabench data fetch sei brings them" in done.err
    assert "--set oracle.weights=PATH" in done.err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"model": "seii"}, "model is 'seii'; it takes mpra-dragonn, sei, or torchscript:FILE"),
        ({"model": "torchscript:"}, "model is 'torchscript:'"),
        ({"model": "torchscript:a.pt", "weights": "b.pt"}, "names its file itself"),
        ({"model": "sei", "window": 3}, "window is for the model mpra-dragonn, not for sei"),
    ],
)
def test_options_that_do_not_go_together_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        OracleOptions(**options)
