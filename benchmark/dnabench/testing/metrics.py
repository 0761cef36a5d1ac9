"""Checks of metrics, on real sequences and on ones that are worse by construction."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from dnabench import options, plugins
from dnabench.errors import UserError
from dnabench.planning.metrics import plan_metrics
from dnabench.protocols import Score
from dnabench.testing import toy
from dnabench.testing.outcomes import Check, SkippedError, broken, promised
from dnabench.testing.subject import Subject

if TYPE_CHECKING:
    from dnabench.plan import PlannedMetric
    from dnabench.sequences import SequenceSet

CHECKS: list[Check] = []

MUTATED = (0.0, 0.05, 0.2, 0.5)
"""Shares of bases that are replaced, or of sequences that are copies where a metric looks for these."""
FEW = (1, 2, 5)
"""Sequences a side that may be too few."""
REPEATS, COVERING = 10, 0.7
"""So many repeats, and the share of intervals that hold their mean, at least: of ten good ones, fewer do so in one of a
thousand cases; of ten that are half as wide, in one of two."""
TRAIN, GENERATED, REFERENCE, OTHERS = 10, 11, 12, 100
"""Seeds of the real sequences."""


class MetricSubject(Subject):
    """A metric with the sets that it compares. For these, it is handed embeddings, each made once."""

    default_sequences = 400

    @cached_property
    def planned(self) -> PlannedMetric:
        """The metric as a run would plan it, with its embedder."""
        return plan_metrics(self.catalog, [self.spec.name], {self.spec.name: self.setup.options})[0]

    @property
    def length(self) -> int:
        """As asked for, but no shorter than the embedder takes; that of its data set, if it has one."""
        if self._its_dataset is not None:
            return self._its_dataset.length
        shortest = self.catalog.embedder(self.planned.embedder).spec.min_length if self.planned.embedder else 1
        return max(self.setup.length, shortest)

    @property
    def fewest(self) -> int:
        """Sequences a side that the record asks for."""
        least: int = self.spec.min_samples
        if self.spec.samples_exceed_dimension and self.planned.embedder:
            return max(least, self.catalog.embedder(self.planned.embedder).spec.dimension + 1)
        return least

    @property
    def n(self) -> int:
        """How many sequences a side holds."""
        return max(self.setup.sequences or self.default_sequences, self.fewest)

    @cached_property
    def train(self) -> SequenceSet:
        """The training sequences."""
        return self.real(self.n, TRAIN)

    @cached_property
    def generated(self) -> SequenceSet:
        """Real sequences, in the place of generated ones."""
        return self.real(self.n, GENERATED)

    @cached_property
    def reference(self) -> SequenceSet:
        """Real sequences."""
        return self.real(self.n, REFERENCE)

    @cached_property
    def worse(self) -> list[Score]:
        """The scores of sets that are worse and worse (:data:`MUTATED`)."""
        return [self.score(self.worsened(self.generated, share), self.reference) for share in MUTATED]

    def worsened(self, sequences: SequenceSet, share: float) -> SequenceSet:
        """Mutated; or, for a metric that compares with the training sequences, with copies of these."""
        if self.spec.needs_train:
            return toy.with_copies(sequences, self.train, share)
        return toy.mutated(sequences, share, seed=1)

    def score(self, generated: SequenceSet, reference: SequenceSet, metric: Any = None) -> Score:
        """What a new instance, or ``metric``, says of them."""
        context = self.context(
            "score",
            length=generated.length,
            train=self.train if self.spec.needs_train else None,
            embedder=self.planned.embedder,
            embed_with=self._embed,
        )
        score = (metric or self.construct()).score(generated=generated, reference=reference, context=context)
        if not isinstance(score, Score):
            broken("a dnabench.Score", repr(score), "Return Score(value=...).")
        return score

    def _embed(self, name: str, sequences: SequenceSet) -> np.ndarray:
        if (name, sequences.digest) not in self._embeddings:
            context = self.context("embed", length=sequences.length)
            vectors: np.ndarray = np.asarray(self._embedder(name).embed(sequences, context=context))
            self._embeddings[name, sequences.digest] = vectors
        return self._embeddings[name, sequences.digest]

    @cached_property
    def _embeddings(self) -> dict[tuple[str, str], np.ndarray]:
        return {}

    @cached_property
    def _embedders(self) -> dict[str, Any]:
        return {}

    def _embedder(self, name: str) -> Any:
        if name not in self._embedders:
            spec = self.catalog.embedder(name).spec
            settings = self.planned.embedder_options if name == self.planned.embedder else {}
            embedder = plugins.construct(spec, options.build(spec.options, spec.name, settings))
            if spec.needs_training:
                embedder.fit(self.train, context=self.context("fit", length=self.length))
                saved = self.new_directory("embedder")
                embedder.save(saved)
                embedder.load(saved)
            self._embedders[name] = embedder
        return self._embedders[name]

    def badness(self, score: Score) -> float:
        """Its value, so that higher is worse."""
        return float(score.value if self.spec.direction == "lower" else -score.value)


def _margin(*scores: Score) -> float:
    """How much scores may differ by chance: the wider half of their intervals; 0 where they have none."""
    halves = [(s.ci_high - s.ci_low) / 2 for s in scores if s.ci_low is not None and s.ci_high is not None]
    return max(halves, default=0.0)


@promised(CHECKS, needs=("constructed",))
def finite_score(subject: MetricSubject) -> None:
    """Real against real sequences have a finite score, within its own interval."""
    try:
        score = subject.score(subject.generated, subject.reference)
    except UserError as error:
        raise SkippedError(f"it does not take the sequences of this check: {error}") from None
    except ValueError as error:  # a Score refuses a NaN
        broken(f"a finite score of {subject.n} real sequences a side", str(error), "Mend it.")
    if score.ci_low is not None and score.ci_high is not None and score.ci_low > score.ci_high:
        broken("ci_low below ci_high", f"{score.ci_low:.6g} and {score.ci_high:.6g}", "Exchange the ends.")


@promised(CHECKS, needs=("finite_score",))
def same_input_same_score(subject: MetricSubject) -> None:
    """An instance gives the same sequences the same score, whatever it scored in between."""
    metric = subject.construct()
    first = subject.score(subject.generated, subject.reference, metric)
    subject.score(subject.worsened(subject.generated, 0.5), subject.real(subject.n, OTHERS), metric)
    again = subject.score(subject.generated, subject.reference, metric)
    if (first.value, first.ci_low, first.ci_high) != (again.value, again.ci_low, again.ci_high):
        broken(
            f"{_text(first)} again",
            _text(again),
            "Draw from context.rng alone, and keep nothing from one call of score to the next.",
        )


@promised(CHECKS, needs=("same_input_same_score",))
def direction_honoured(subject: MetricSubject) -> None:
    """Scores get worse, in the record's direction, as 0, 5, 20 and 50 % of the bases are replaced.

    Of a metric that compares with the training sequences: as that share of the sequences are copies of these.
    """
    what = "copies of training sequences" if subject.spec.needs_train else "bases replaced"
    levels = [subject.badness(score) for score in subject.worse]
    seen = ", ".join(f"{score.value:.4g}" for score in subject.worse)
    if levels[-1] <= levels[0]:
        broken(
            f"a worse ({'higher' if subject.spec.direction == 'lower' else 'lower'}) score with 50 % {what}",
            f"{seen} at 0, 5, 20, 50 %",
            f"If it means well, direction={subject.spec.direction!r} in the record is the wrong way round; if it sees "
            "another fault than this, say so: expect this check to fail.",
        )
    for before, after in zip(subject.worse, subject.worse[1:], strict=False):
        if subject.badness(after) < subject.badness(before) - _margin(before, after):
            broken(
                f"scores that get worse with more {what}, but for their intervals",
                f"{seen} at 0, 5, 20, 50 %",
                "A score that turns back ranks a bad generator before a better one.",
            )


@promised(CHECKS, needs=("direction_honoured",))
def real_beats_random(subject: MetricSubject) -> None:
    """Real against real sequences, the floor, score better than uniform random ones, beyond the intervals.

    Of a metric that compares with the training sequences: better than copies of these.
    """
    bad = (
        toy.with_copies(subject.generated, subject.train, 1.0)
        if subject.spec.needs_train
        else toy.uniform(subject.n, subject.length, seed=2)
    )
    real = subject.score(subject.generated, subject.reference)
    worse = subject.score(bad, subject.reference)
    if subject.badness(worse) - subject.badness(real) <= _margin(real, worse):
        broken(
            "a floor that is better than the score of random sequences by more than half an interval",
            f"{_text(real)} for real ones and {_text(worse)} for random ones",
            "A leaderboard would flag the metric as blind; check its direction, and that it has enough sequences.",
        )


@promised(CHECKS, needs=("same_input_same_score",))
def order_does_not_matter(subject: MetricSubject) -> None:
    """Both sides in another order have the same score."""
    orders = [np.random.default_rng(seed).permutation(subject.n) for seed in (1, 2)]
    plain = subject.score(subject.generated, subject.reference)
    other = subject.score(subject.generated.take(orders[0]), subject.reference.take(orders[1]))
    if not np.isclose(plain.value, other.value, rtol=1e-5, atol=1e-9):
        broken(
            f"{plain.value:.9g} in another order, too",
            f"{other.value:.9g}",
            "Compare sets: pair no sequences by their places, and draw subsets by content.",
        )


@promised(CHECKS, needs=("same_input_same_score",))
def batch_does_not_matter(subject: MetricSubject) -> None:
    """Where the record names a ``batch_option``, the score does not depend on it."""
    changes = subject.other_batch()
    plain = subject.score(subject.generated, subject.reference)
    other = subject.score(subject.generated, subject.reference, subject.construct(**changes))
    if not np.isclose(plain.value, other.value, rtol=1e-5, atol=1e-9):
        broken(
            f"{plain.value:.9g} with {changes}, too",
            f"{other.value:.9g}",
            "Sum over all sequences, not means of batches of different sizes, or leave batch_option out of the record.",
        )


@promised(CHECKS, needs=("finite_score",))
def few_sequences_refused(subject: MetricSubject) -> None:
    """Few sequences a side, as few as the record allows and fewer, have a finite score or a UserError."""
    for n in sorted({*FEW, subject.fewest}):
        sides = subject.generated.take(np.arange(n)), subject.reference.take(np.arange(n))
        try:
            subject.score(*sides)
        except UserError:
            continue
        except Exception as error:  # noqa: BLE001 - whatever too few sequences lead to
            broken(
                f"a finite score or a UserError for {n} sequences a side, where the record asks for {subject.fewest}",
                f"{type(error).__name__}: {error}",
                "Raise a UserError in score that says how many it needs, and min_samples in the record.",
            )


@promised(CHECKS, needs=("same_input_same_score",))
def interval_covers_repeats(subject: MetricSubject) -> None:
    """Over draws of both sets, most intervals hold the mean of all scores."""
    scores = [
        subject.score(
            subject.worsened(subject.real(subject.n, OTHERS + 2 * i), MUTATED[2]),
            subject.real(subject.n, OTHERS + 2 * i + 1),
        )
        for i in range(REPEATS)
    ]
    intervals = [(s.ci_low, s.ci_high) for s in scores if s.ci_low is not None and s.ci_high is not None]
    if not intervals:
        raise SkippedError("it gives no interval")
    mean = float(np.mean([score.value for score in scores]))
    covering = sum(low <= mean <= high for low, high in intervals)
    if covering < COVERING * REPEATS:
        broken(
            f"the mean of {REPEATS} repeats, {mean:.4g}, in at least {COVERING:.0%} of their 95 % intervals",
            f"it in {covering}, such as {_text(scores[0])} and {_text(scores[1])}",
            "An interval is for the draw of both sets, the generated and the reference; bootstrap both.",
        )


def _text(score: Score) -> str:
    return f"{score.value:.6g}" + (
        "" if score.ci_low is None else f" (95 % interval {score.ci_low:.4g} to {score.ci_high:.4g})"
    )
