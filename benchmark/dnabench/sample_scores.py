"""Scores of given samples against a reference, and beside them those of real and of uniform random sequences."""

from __future__ import annotations

import sys
import traceback
import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from dnabench import keys
from dnabench.data.floors import DRAWS, RealPair, real_halves, real_pairs
from dnabench.data.parts import draw
from dnabench.errors import UserError
from dnabench.identity import sees_training
from dnabench.leaderboard.facts import score_rows
from dnabench.leaderboard.scale import at_floor, is_blind, normalised
from dnabench.numerics import deterministic
from dnabench.planning.metrics import check_metric, check_training
from dnabench.scoring import Scorer, mean_record
from dnabench.seeds import rng
from dnabench.sequences import SequenceSet
from dnabench.suites import SplitRule

if TYPE_CHECKING:
    from dnabench.leaderboard.facts import Row
    from dnabench.plan import PlannedMetric
    from dnabench.plugins import Catalog
    from dnabench.store import Store


def score_samples(
    catalog: Catalog,
    samples: Mapping[str, SequenceSet],
    metrics: Sequence[PlannedMetric],
    *,
    real: SequenceSet,
    training: SequenceSet | None,
    dataset: str,
    device: str,
    store: Store,
    debug: bool = False,
) -> list[Row]:
    """The rows of every sample and metric, samples by name; see :meth:`SampleScorer.rows`.

    The floor is real against real, the mean of three draws: training and reference sequences where there are
    ``training``, else one half of ``real`` against the other. UserError, before anything is scored, when lengths differ
    or there are too few sequences for a metric.
    """
    import torch

    sets = dict(samples) if training is None else {**samples, "the training sequences": training}
    for name, sequences in sets.items():
        if sequences.length != real.length:
            raise UserError(
                f"{name}: sequences have {sequences.length} bases, those of {dataset} have {real.length}; "
                f"crop both to {min(sequences.length, real.length)}"
            )
    for metric in metrics:
        check_training(catalog, metric, len(training) if training else None)
        for sequences in samples.values():
            check_metric(catalog, metric, len(sequences), len(real), real.length)
    scorer = Scorer(
        catalog,
        store,
        device=device,
        threads=torch.get_num_threads(),
        core=keys.package_digest("dnabench"),
        train=training,
        progress=lambda *_: None,
    )
    one = SampleScorer(catalog, scorer, real=real, training=training, dataset=dataset, debug=debug)
    with deterministic():
        scorer.digests(metrics, real.length)
        return [row for name in sorted(samples) for metric in metrics for row in one.rows(metric, name, samples[name])]


class SampleScorer:
    """Scores sets of sequences against all of ``real``."""

    def __init__(
        self,
        catalog: Catalog,
        scorer: Scorer,
        *,
        real: SequenceSet,
        training: SequenceSet | None,
        dataset: str,
        debug: bool,
    ) -> None:
        self._catalog = catalog
        self._scorer = scorer
        self._real = real
        self._training = training
        self._dataset = dataset
        self._debug = debug
        self._pairs: dict[tuple[int, bool], list[RealPair]] = {}

    def rows(self, metric: PlannedMetric, name: str, generated: SequenceSet) -> list[Row]:
        """The rows of ``results.csv`` and, under ``flags``, whether the score is at the floor or the metric blind.

        Whatever the metric raises on the sample itself makes a failed row, a UserError passes through. Flags and the
        normalised row are given only where the floor was made at the sizes of the score.
        """
        common: dict[str, Any] = {
            "suite": "custom",
            "dataset": self._dataset,
            "dataset_sha256": self._real.digest,
            "slice": "all",
            "generator": name,
            "options": "{}",
            "seed": 0,
            "n_generated": len(generated),
            "n_reference": len(self._real),
            "status": "done",
            "flags": "",
        }
        try:
            record = self._score(metric, generated, self._real)
        except UserError:
            raise
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a stranger's metric may raise anything
            if self._debug:
                traceback.print_exc(file=sys.stderr)
            text = " ".join(f"{type(error).__name__}: {error}".split())
            return list(score_rows(metric, {}, {}, common | {"status": "failed", "error": text}))
        floor = self._floor(metric, len(generated))
        rows = list(score_rows(metric, record, floor, common))
        sizes = (floor.get("n_generated"), floor.get("n_reference"))
        if sizes != (len(generated), len(self._real)):
            return rows
        useless = self._useless(metric, generated)
        flags = {
            "at floor": at_floor(record["ci_low"], record["ci_high"], floor["value"], metric.direction),
            "blind": is_blind(rows[0], useless),
        }
        rows[0]["flags"] = ", ".join(flag for flag, applies in flags.items() if applies)
        scaled = normalised(rows[0], useless)
        return [*rows, scaled | {"flags": ""}] if scaled else rows

    def _score(
        self, metric: PlannedMetric, generated: SequenceSet, reference: SequenceSet, **more: Any
    ) -> dict[str, Any]:
        found = self._scorer.score(
            metric, generated=generated, reference=reference, dataset=self._real.digest, repeat=0, **more
        )
        return found[0]

    def _floor(self, metric: PlannedMetric, n: int) -> dict[str, Any]:
        """The mean score record of real sequences, in place of ``n`` generated ones, against real ones.

        Draws that the metric refuses for their size are left out; empty where it refuses all.
        """
        # A metric or an embedder that knows the training sequences would find these among them.
        records = []
        for pair in self._real_pairs(n, use_training=not sees_training(self._catalog, metric)):
            try:
                first, second = pair.sides
                check_metric(self._catalog, metric, len(first), len(second), self._real.length)
                records.append(self._score(metric, *pair.sides, wholes=pair.origins()))
            except UserError:
                continue
            except (Exception, SystemExit) as error:  # noqa: BLE001 - it scored the sample itself
                _warn(f"{metric.label} has no floor: on real sequences it raised {type(error).__name__}: {error}")
                return {}
        return mean_record(records) if records else {}

    def _useless(self, metric: PlannedMetric, generated: SequenceSet) -> dict[str, Any]:
        """The score record of as many uniform random sequences, with the same labels; empty where there is none."""
        draws = rng("uniform", repeat=0, dataset=self._real.digest)
        codes = draws.integers(4, size=generated.codes.shape, dtype=np.uint8)
        try:
            return self._score(metric, SequenceSet(codes, labels=generated.labels, copy=False), self._real)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - it scored the sample itself
            _warn(f"{metric.label} is not normalised: on random sequences it raised {type(error).__name__}: {error}")
            return {}

    def _real_pairs(self, n: int, *, use_training: bool) -> list[RealPair]:
        # Grouping relatives takes a while: once for all files and metrics that ask for the same.
        if (n, use_training) not in self._pairs:
            self._pairs[n, use_training] = list(self._draw(n, use_training=use_training))
        return self._pairs[n, use_training]

    def _draw(self, n: int, *, use_training: bool) -> Iterator[RealPair]:
        """``n`` training sequences and the reference; where these do not serve, halves of the reference."""
        real, training = self._real, self._training
        seeded = rng("floor", repeat=0, dataset=real.digest)
        if use_training and training is not None and len(training) >= n:
            drawn = draw(training, n, role="floor", repeat=0, dataset=real.digest)
            return real_pairs(drawn, real, draws=DRAWS, k=SplitRule.k, rng=seeded)
        sizes = f"{min(n, len(real) // 2)} against {-(-len(real) // 2)}"
        way_out = f"--train with {n} or more gives the right sizes"
        if not use_training:
            way_out = "metrics that know the training sequences cannot have it from these"
        _warn(
            f"the floor is between halves of the reference, {sizes} sequences: too high where a metric falls with n; "
            f"{way_out}"
        )
        return real_halves(real, n, draws=DRAWS, k=SplitRule.k, rng=seeded)


def _warn(text: str) -> None:
    warnings.warn(" ".join(text.split()), stacklevel=2)
