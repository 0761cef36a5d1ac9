"""How far two sets of predictions are apart: Kolmogorov-Smirnov distances, and mean profiles; with every influence."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from dnabench_metrics.compiled import compiled
from dnabench_metrics.features import Z95, Estimate, standard_error

#: Tracks that are sorted at once.
CHUNK = 512
#: Fewest tracks over which a correlation is told: two always correlate by 1 or -1.
FEWEST_TRACKS = 3


class Distances(NamedTuple):
    """Kolmogorov-Smirnov distances by track, and how every sequence moves their mean.

    Attributes:
        by_track: float64, shape ``(tracks,)``, 0 to 1.
        misplaced_generated: the share of tracks on which a sequence lies on the other side's side of the point where
            the distance is reached; float64, shape ``(n,)``. The mean distance is 1 less the means of these shares of
            both sides, so that they are its influences but for the sign.
        misplaced_reference: the same, shape ``(m,)``.
    """

    by_track: np.ndarray
    misplaced_generated: np.ndarray
    misplaced_reference: np.ndarray


def ks_distances(*, generated: np.ndarray, reference: np.ndarray) -> Distances:
    """``sup_y |F_g(y) - F_r(y)|`` on every track, F the empirical distribution functions.

    Where the supremum is reached at one point y*, the distance is ``s (F_g(y*) - F_r(y*))`` with a sign s, and a
    generated sequence has the influence ``s 1[x <= y*]`` on it, a real one ``-s 1[x <= y*]``, up to constants
    (Raghavachari 1973, Ann Stat 1:67: the limit is normal where the distributions differ). For s = 1 these are 1 less,
    and less, whether it is misplaced: a generated sequence above y*, a real one up to y*.

    Args:
        generated: finite, float, shape ``(n, tracks)``.
        reference: the same dtype, shape ``(m, tracks)``.
    """
    n, m, tracks = len(generated), len(reference), generated.shape[1]
    by_track = np.empty(tracks)
    misplaced_g, misplaced_r = np.zeros(n, np.int64), np.zeros(m, np.int64)
    for start in range(0, tracks, CHUNK):
        chunk = slice(start, start + CHUNK)
        gaps, at = _largest_gaps(_sorted_tracks(generated[:, chunk]), _sorted_tracks(reference[:, chunk]))
        by_track[chunk] = np.abs(gaps) / (n * m)
        generated_below = gaps >= 0
        misplaced_g += np.count_nonzero((generated[:, chunk] <= at) != generated_below, axis=1)
        misplaced_r += np.count_nonzero((reference[:, chunk] <= at) == generated_below, axis=1)
    return Distances(by_track, misplaced_g / tracks, misplaced_r / tracks)


def distance_interval(distances: Distances) -> tuple[float, float]:
    """The 95 % interval of the mean distance over draws of both sides, within 0 to 1.

    The normal one or, end by end, the wider one of Newcombe (1998, Stat Med 17:873, method 10) for a difference of two
    proportions: near complete separation hardly a sequence is misplaced, which says little of how many might be.
    """
    sides = (distances.misplaced_generated, distances.misplaced_reference)
    value = float(distances.by_track.mean())
    margin = Z95 * standard_error(*sides)
    ends = [_wilson(side) for side in sides]
    below = math.hypot(*(upper - side.mean() for side, (_, upper) in zip(sides, ends, strict=True)))
    above = math.hypot(*(side.mean() - lower for side, (lower, _) in zip(sides, ends, strict=True)))
    return max(0.0, value - max(margin, below)), min(1.0, value + max(margin, above))


def _wilson(shares: np.ndarray) -> tuple[float, float]:
    """Wilson's interval (1927, J Am Stat Assoc 22:209) of the mean p of shares between 0 and 1.

    Where tracks do not go together, shares vary less than the p (1 - p) of what is either 0 or 1, as if there were
    more of them: the design effect (Kish 1965, Survey Sampling, section 8.2), here with one more sequence's worth of
    tracks that do go together, without which it would rest on next to nothing near p = 0.
    """
    n, p = len(shares), float(shares.mean())
    effect = min(1.0, (n * float(shares.var(ddof=1)) + 1) / (n * p * (1 - p) + 1))
    z2 = Z95**2 * effect / n
    centre, reach = p + z2 / 2, math.sqrt(z2 * p * (1 - p) + z2**2 / 4)
    return (centre - reach) / (1 + z2), (centre + reach) / (1 + z2)


def _sorted_tracks(values: np.ndarray) -> np.ndarray:
    """Shape ``(n, tracks)`` to ``(tracks, n)``, every row ascending."""
    rows = np.ascontiguousarray(values.T)
    rows.sort(axis=1)
    return rows


@compiled
def _largest_gaps(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The largest ``n m |F_x - F_y|`` by row, with its sign, and the lowest value at which it is reached.

    Args:
        x: ascending rows, shape ``(tracks, n)``.
        y: the same, of the same dtype, shape ``(tracks, m)``.

    Returns int64 and the dtype of the arguments, shape ``(tracks,)``.
    """
    tracks, n = x.shape
    m = y.shape[1]
    gaps, at = np.zeros(tracks, np.int64), np.empty(tracks, x.dtype)
    for track in range(tracks):
        i, j = 0, 0
        at[track] = x[track, 0]
        while i < n and j < m:  # once a side is used up, the gap can only shrink
            value = min(x[track, i], y[track, j])
            while i < n and x[track, i] == value:
                i += 1
            while j < m and y[track, j] == value:
                j += 1
            gap = i * m - j * n
            if abs(gap) > abs(gaps[track]):
                gaps[track], at[track] = gap, value
    return gaps, at


def expected_ks(n: int, m: int) -> float:
    """What the distance of two samples of one continuous distribution is on average, for large ``n`` and ``m``.

    ``sqrt(pi / 2) ln 2 sqrt(1/n + 1/m)``: the mean of Kolmogorov's distribution (Marsaglia, Tsang and Wang 2003,
    J Stat Softw 8:18).
    """
    return math.sqrt(math.pi / 2) * math.log(2) * math.sqrt(1 / n + 1 / m)


def mean_profile(predictions: np.ndarray) -> np.ndarray:
    """The mean over sequences: float64, shape ``(tracks,)``, the same to the last bit in whatever order they come."""
    profile = np.empty(predictions.shape[1])
    for start in range(0, len(profile), CHUNK):
        chunk = slice(start, start + CHUNK)
        profile[chunk] = _sorted_tracks(predictions[:, chunk]).mean(1, dtype=np.float64)
    return profile


def squared_error(
    profile_g: np.ndarray, profile_r: np.ndarray, *, generated: np.ndarray, reference: np.ndarray
) -> Estimate:
    """Mean over tracks of the squared difference of the mean profiles, and its standard error."""
    difference = profile_g - profile_r
    slope = 2 * difference / len(difference)
    return Estimate(float(np.mean(difference**2)), standard_error(generated @ slope, reference @ slope))


def correlation(
    profile_g: np.ndarray, profile_r: np.ndarray, *, generated: np.ndarray, reference: np.ndarray
) -> Estimate | None:
    """Pearson's r of the mean profiles over tracks, and its standard error.

    None for fewer than three tracks, and where a profile is the same on all tracks but for float32's rounding. With
    standardised profiles z the derivative of r by a mean on the generated side is ``(z_r - r z_g) / (tracks sd_g)``.
    """
    tracks = len(profile_g)
    if tracks < FEWEST_TRACKS:
        return None
    spread_g, spread_r = profile_g.std(), profile_r.std()
    for spread, profile in ((spread_g, profile_g), (spread_r, profile_r)):
        if spread <= np.finfo(np.float32).eps * np.abs(profile).max():
            return None
    z_g, z_r = (profile_g - profile_g.mean()) / spread_g, (profile_r - profile_r.mean()) / spread_r
    r = float(np.clip(np.mean(z_g * z_r), -1, 1))
    slope_g, slope_r = (z_r - r * z_g) / (tracks * spread_g), (z_g - r * z_r) / (tracks * spread_r)
    return Estimate(r, standard_error(generated @ slope_g, reference @ slope_r))
