"""What the metrics on embeddings share: asking for both sides' features, and normal intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from dnabench import UserError

if TYPE_CHECKING:
    from dnabench import Context, SequenceSet

#: Half the width of a 95 % interval, in standard errors.
Z95 = 1.959963984540054


class Estimate(NamedTuple):
    """A statistic and its standard error."""

    value: float
    standard_error: float


def embed_both(
    generated: SequenceSet, reference: SequenceSet, context: Context, *, metric: str
) -> tuple[np.ndarray, np.ndarray]:
    """Embeddings of both sides by ``context.embedder``: float64, shapes ``(n, d)`` and ``(m, d)``.

    Raises UserError when a side holds fewer than two sequences or all reference embeddings are equal, ValueError when
    the context names no embedder or the embedder answers with the wrong shape or with values that are not finite.
    """
    if context.embedder is None:
        raise ValueError(f"{metric} works on embeddings, but the context names no embedder")
    sides = []
    for side, sequences in (("generated", generated), ("reference", reference)):
        require_samples(sequences, side=side, metric=metric)
        features = np.asarray(context.embed(context.embedder, sequences), np.float64)
        if features.ndim != 2 or len(features) != len(sequences):
            raise ValueError(
                f"embedder {context.embedder} answered with shape {features.shape} for {len(sequences)} sequences"
            )
        if not np.isfinite(features).all():
            raise ValueError(f"embedder {context.embedder}: the {side} embeddings hold values that are not finite")
        sides.append(features)
    if sides[0].shape[1] != sides[1].shape[1]:
        raise ValueError(
            f"embedder {context.embedder} answered with {sides[0].shape[1]} and {sides[1].shape[1]} dimensions"
        )
    if (sides[1] == sides[1][0]).all():
        raise UserError(
            f"{metric}: the {len(reference)} reference sequences all have the same embedding by {context.embedder}; "
            f"it compares distributions and needs at least 2 different ones"
        )
    return sides[0], sides[1]


def require_samples(sequences: SequenceSet, *, side: str, metric: str) -> None:
    """UserError unless ``sequences`` has the two rows that a variance needs."""
    if len(sequences) < 2:
        raise UserError(f"{metric}: {len(sequences)} {side} sequences; it needs at least 2")


def standard_error(generated: np.ndarray, reference: np.ndarray) -> float:
    """Standard error of a statistic of two samples from the influence of every observation on it.

    Both arguments are float, shape ``(n,)`` and ``(m,)``; constants added to a side do not matter. Linear part of the
    functional delta method (van der Vaart 1998, Asymptotic Statistics, ch. 20), which is the infinitesimal jackknife.
    Distances have no linear part where both sides share one distribution: the noise of the estimated influences takes
    its place there, and the standard error comes out too large by about a half, not too small.
    """
    return float(np.sqrt(generated.var(ddof=1) / len(generated) + reference.var(ddof=1) / len(reference)))


def wilson_ends(share: float, n: float) -> tuple[float, float]:
    """The ends of the 95 % score interval of a share of ``n``, within 0 and 1 and around it.

    Wilson 1927, J Am Stat Assoc 22:209. Unlike the normal interval it has a width at 0 and 1 too.
    """
    shrink = 1 + Z95**2 / n
    middle = (share + Z95**2 / (2 * n)) / shrink
    half = Z95 / shrink * np.sqrt(share * (1 - share) / n + Z95**2 / (4 * n**2))
    # At 0 and 1 an end is the share itself; rounding can put it on the wrong side.
    return min(share, max(0.0, float(middle - half))), max(share, min(1.0, float(middle + half)))
