"""``sim-nll``: how probable generated promoters are under the true process, next to how probable real ones are."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from dnabench import Score, UserError
from dnabench_promoters.likelihood import log_likelihood
from dnabench_promoters.process import promoter_process

if TYPE_CHECKING:
    from dnabench import Context, SequenceSet
    from dnabench_promoters.process import Process

N = 4
Z95 = 1.959963984540054  # half the width of a 95 % interval, in standard errors


class TrueLikelihood:
    """Difference of the mean negative log-likelihoods under the process of `promoters-sim`, in nats per base.

    Definition:
        ``|mean of -ln p(g) / length - mean of -ln p(r) / length|`` over generated sequences g and real ones r, p the
        exact probability of a sequence under the process that the data set is drawn from. Sequences that are too
        probable are as far from the truth as those that are too improbable, hence the absolute value; lower is better.
        Sequences with N are refused. On other data, and on that set cropped by ``--length``, it means nothing.
    Interval:
        The normal interval of the difference of two means under the absolute value: value ± 1.96 standard errors, cut
        off at 0. It covers the true absolute difference with 95 % where that is 0 or large, and with up to 97.5 % where
        it is about a standard error.
    Floor:
        Positive, in proportion to 1/sqrt(n).
    Sees:
        Whatever makes sequences less, or more, probable on average: every fault of `sim-broken` but repetition.
    Misses:
        It compares one mean: generators that differ elsewhere can agree in it.
    Cost:
        Linear in n.
    Source:
        The process is defined in this package's `process.py`.
    """

    def score(self, *, generated: SequenceSet, reference: SequenceSet, context: Context) -> Score:  # noqa: ARG002
        """``|mean NLL of generated - mean NLL of reference|`` in nats per base; the means are the parts.

        The difference has the normal interval of two means of independent sequences, and the value the image of that
        interval under the absolute value: value ± 1.96 standard errors, cut off at 0. It covers the true absolute
        difference with 95 % where that is 0 or large, and with up to 97.5 % where it is about a standard error.

        Raises UserError for N, fewer than two sequences on a side, two lengths, and less than 96 bp.
        """
        if generated.length != reference.length:
            raise UserError(
                f"sim-nll: generated sequences of {generated.length} bp cannot be compared with a reference of "
                f"{reference.length} bp"
            )
        process = promoter_process(reference.length)
        nats = {
            "generated": _nats_per_base(process, generated, "generated"),
            "reference": _nats_per_base(process, reference, "reference"),
        }
        means = {side: float(values.mean()) for side, values in nats.items()}
        margins = {side: Z95 * float(values.std(ddof=1)) / len(values) ** 0.5 for side, values in nats.items()}
        value, margin = abs(means["generated"] - means["reference"]), math.hypot(*margins.values())
        parts = {
            side: Score(value=mean, ci_low=mean - margins[side], ci_high=mean + margins[side], direction="none")
            for side, mean in means.items()
        }
        return Score(value=value, ci_low=max(0.0, value - margin), ci_high=value + margin, parts=parts)


def _nats_per_base(process: Process, sequences: SequenceSet, side: str) -> np.ndarray:
    """Negative log-likelihood of each sequence over its length: float64, shape ``(n,)``."""
    if len(sequences) < 2:
        raise UserError(f"sim-nll: {len(sequences)} {side} sequences; it needs at least 2")
    rows, columns = np.nonzero(sequences.codes == N)
    if len(rows):
        raise UserError(
            f"sim-nll: {side} sequence {sequences.names[rows[0]]!r}, column {columns[0] + 1}: N; "
            f"the likelihood is that of A, C, G and T alone"
        )
    return -log_likelihood(process, sequences.codes) / sequences.length
