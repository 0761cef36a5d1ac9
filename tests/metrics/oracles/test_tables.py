"""The tables of `oracle` for plots: numbers by NumPy, names, and how many rows there are at most."""

from __future__ import annotations

import numpy as np
import pytest

from dnabench_metrics.oracles.agreement import ks_distances
from dnabench_metrics.oracles.metric import OracleAgreement
from dnabench_metrics.oracles.models import track_names
from dnabench_metrics.oracles.mpra_dragonn import TRACKS
from dnabench_metrics.oracles.sei import assays_of, target_names
from dnabench_metrics.oracles.tables import Tables, joined
from dnabench_metrics.records.oracles import OracleOptions

from .conftest import random_sequences

QUANTILES = [0.05, 0.25, 0.5, 0.75, 0.95]


def tables(x: np.ndarray, y: np.ndarray, names: list[str]) -> Tables:
    distances = ks_distances(generated=x, reference=y)
    return Tables(generated=x, reference=y, distances=distances, tracks=names, quantity="predicted probability")


def drawn(tracks: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Predictions that differ more and more from track to track."""
    rng = np.random.default_rng(seed)
    shift = np.linspace(0, 2, tracks)
    return (
        rng.normal(shift, 1, (60, tracks)).astype(np.float32),
        rng.normal(0, 1, (50, tracks)).astype(np.float32),
    )


def test_spreads_by_track_are_quantiles_by_numpy():
    x, y = drawn(3)
    table = tables(x, y, ["a", "b", "c"]).by_track()
    assert table["track"].tolist() == [name for name in "abc" for _ in range(5)]
    assert table["quantile"].tolist() == QUANTILES * 3
    np.testing.assert_allclose(table["generated"], np.quantile(x, QUANTILES, axis=0).T.ravel(), rtol=1e-6)
    np.testing.assert_allclose(table["reference"], np.quantile(y, QUANTILES, axis=0).T.ravel(), rtol=1e-6)


def test_an_assay_is_all_its_tracks_together():
    x, y = drawn(5)
    table = tables(x, y, list("abcde")).by_assay(["DNase", "H3K4me3", "DNase", "CTCF", "DNase"])
    first = table.iloc[:5]
    assert table["assay"].tolist()[::5] == ["DNase (3)", "CTCF (1)", "H3K4me3 (1)"]
    pooled = x[:, [0, 2, 4]].ravel()
    np.testing.assert_allclose(first["generated"], np.quantile(pooled, QUANTILES), rtol=1e-6)
    ks = ks_distances(generated=x, reference=y).by_track
    np.testing.assert_allclose(first["ks"], ks[[0, 2, 4]].mean())


def test_of_very_many_tracks_a_few_are_told():
    tracks = 3000
    x, y = drawn(tracks)
    names = [f"assay{i % 60} | cells{i} | ID:{i}" for i in range(tracks)]
    made = tables(x, y, names)
    windows = np.zeros((4, 32, tracks), np.float32)
    along = made.along(generated=windows, reference=windows, centres=np.arange(32), window=145)
    means = made.means(generated=x.mean(0), reference=y.mean(0))
    whole = joined([made.by_assay(assays_of(names)), made.by_track(), means, along])
    assert len(whole) == 24 * 5 + 24 * 5 + 400 + 24 * 32
    ks = ks_distances(generated=x, reference=y).by_track
    assert set(along["track"]) == {names[i] for i in np.argsort(-ks, kind="stable")[:24]}
    # The means are those of near and far tracks alike.
    assert means["track"].is_unique
    told = np.sort(means["ks"].to_numpy())
    np.testing.assert_allclose([told[0], told[-1]], [ks.min(), ks.max()])
    assert np.median(told) == pytest.approx(np.median(ks), abs=0.02)
    assert any("24 of 3,000 that differ most" in view for view in whole["view"].unique())
    assert any("24 of 60 with the most tracks" in view for view in whole["view"].unique())


def test_names_of_sei_s_profiles_begin_with_the_assay(tmp_path):
    weights = tmp_path / "sei.pth"
    assert target_names(weights) == []
    (tmp_path / "target.names").write_text("HeLa_Cervix | BTAF1 | ID:1\nArtery | H3K9ac, H3K14ac | ID:1096\n")
    names = target_names(weights)
    assert names == ["BTAF1 | HeLa_Cervix | ID:1", "H3K9ac, H3K14ac | Artery | ID:1096"]
    assert assays_of(names) == ["BTAF1", "H3K9ac, H3K14ac"]
    options = OracleOptions(model="sei", weights=str(weights))
    assert track_names(options, 2) == names
    assert track_names(options, 3) == ["0", "1", "2"]  # the names of another model
    assert assays_of(["0", "1"]) == []
    assert assays_of(TRACKS) == []


def test_views_and_columns_of_a_model_that_reads_a_window(keras_file, make_context):
    score = OracleAgreement(OracleOptions(weights=str(keras_file))).score(
        generated=random_sequences(40, 160, seed=1), reference=random_sequences(40, 160, seed=2), context=make_context()
    )
    assert list(score.details) == [
        "view", "quantity", "track", "quantile", "position", "ks", "generated", "reference",
    ]  # fmt: skip
    counts = score.details["view"].value_counts(sort=False)
    assert counts.tolist() == [12 * 5, 12, 12 * 16]
    assert score.details["quantity"].unique().tolist() == ["predicted activity (z-score of log2 RNA/DNA)"]
