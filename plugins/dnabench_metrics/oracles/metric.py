"""`oracle`: how a model's predictions for generated sequences are distributed beside those for real ones."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from dnabench import Score, UserError
from dnabench_metrics.features import Z95, require_samples
from dnabench_metrics.oracles.agreement import (
    correlation,
    distance_interval,
    expected_ks,
    ks_distances,
    mean_profile,
    squared_error,
)
from dnabench_metrics.oracles.along import predict_along, sequences_along, window_starts
from dnabench_metrics.oracles.inference import predict
from dnabench_metrics.oracles.models import load_oracle, track_names
from dnabench_metrics.oracles.sei import assays_of
from dnabench_metrics.oracles.tables import Tables, joined

if TYPE_CHECKING:
    import pandas as pd

    from dnabench import Context, SequenceSet
    from dnabench_metrics.features import Estimate
    from dnabench_metrics.oracles.agreement import Distances
    from dnabench_metrics.records.oracles import OracleOptions


class OracleAgreement:
    """Mean over tracks of the Kolmogorov-Smirnov distance between predictions for both sides, 0 to 1; lower is better.

    Definition:
        KS_j = sup_y |F_j(y) - G_j(y)|, where F_j and G_j are the empirical distribution functions of a model's
        predictions on track j (an assay, a chromatin profile) for the generated and the real sequences; the value is
        the mean of KS_j over all tracks. Ties count as in scipy.stats.ks_2samp.
        Models: `mpra-dragonn` reads 145 bp and answers with the activities in 12 reporter assays (HepG2 and K562,
        minimal and SV40 promoter, two replicates each and both pooled); `sei` reads 4,096 bp and answers with the
        probabilities of 21,907 chromatin profiles; `dnabench data fetch mpra-dragonn` and `sei` bring their weights.
        `torchscript:FILE` is a model of your own, float32 (n, 4, length) in the order A C G T to (n, tracks). N is
        0.25 in each channel. Longer sequences are cropped to their middle (`mpra-dragonn`: or to a window), shorter
        ones padded with 0.25 on both sides; a TorchScript model gets them as they are, unless an integer attribute or
        buffer `dnabench_length` of the module says how many bp it reads. With `strands=both` predictions for a sequence
        and its reverse complement are averaged.
        `mse` is the mean over tracks of (f_j - g_j)^2, f and g the profiles of mean predictions, in the model's unit
        squared. `pearson` is the correlation of f and g over tracks; there is no such part for fewer than three tracks,
        or where a profile is the same on all tracks. `expected-floor` is sqrt(pi/2) ln 2 sqrt(1/n + 1/m), the mean of
        KS_j between n and m draws from one continuous distribution; it has no interval.
    Interval:
        Normal, from every sequence's influence on the mean of the KS_j (or on `mse` and `pearson`), tracks taken
        together; clipped to 0..1. Where the sides differ the standard error is 0.9 to 1.3 of the spread and 86-100 % of
        the intervals hold the mean over replicates (1 to 100 correlated tracks, n from 250 to 2,000). Where they do
        not it is 1.4 to 1.8 of the spread: too wide, and holds 91-100 %. It is one of the value at these sample sizes,
        floor included. Near 1 the normal ends are too near, as hardly a sequence lies on the other side's side of a
        track; there the ends are those of Newcombe's interval for a difference of two proportions, where these are
        further. With true distances from 0.8 to 0.995 and 20 to 500 a side 91 to 100 % hold the mean over replicates.
        Complete separation, 1, is 0.90 to 1 with 50 a side.
    Floor:
        Real against real gives `expected-floor` on average: 0.055, 0.039, 0.027, 0.017 at 500, 1,000, 2,000, 5,000 a
        side. Tracks go together, so that averaging them takes away little noise: at 2,000 human promoters a side
        the 12 tracks of `mpra-dragonn` have a standard deviation of 0.005.
    Sees:
        Sequence features that the model reads. `mpra-dragonn`, middle 145 bp of 2,000 human promoters a side: real
        0.04, 3 % of the bases mutated 0.08, 10 % 0.18, 30 % 0.37, order-5 Markov chain 0.24, dinucleotide shuffle 0.32,
        uniform random 0.36.
    Misses:
        Whatever the model does not read, such as the orientation of promoters (`mpra-dragonn`: reverse complements
        score as real ones do), their diversity, and the joint distribution of tracks. Predictions far from what a
        model was trained on mean little: a generator of DNA unlike any genome is out of its domain, and of the
        distance no more is to be believed than that it is large. GC content drives predictions (correlation of 0.4
        with most tracks of `mpra-dragonn` on human promoters), so that a wrong GC content shows as a wrong activity:
        see `gc`. Both published models know human cells alone.
    Cost:
        Predictions for each sequence alone, remembered; one thread: `mpra-dragonn` 1 ms a sequence, `sei` 2 s (over an
        hour for 2,000). Distances sort, O(tracks n log n): 1 ms for 12 tracks and 3 s for 21,907 at 2,000 a side,
        interval included; `sei` keeps 88 KB a sequence. A run's plots predict windows along at most 128 sequences a
        side, which read at most half as many bases again: 0.4 s for `mpra-dragonn` and 256 bp.
    Plots:
        `details`, and with them the report, hold at most a few hundred rows for each generator: quantiles (5, 25, 50,
        75 and 95 %) of the predictions for the sequences of either side by track, mean predictions by track, and, where
        sequences are longer than what the model reads, mean predictions of windows of that length, evenly spread along
        them, at the place of their middle base. The windows are those of as many real as generated sequences, evenly
        spread over each set. Of more than 24 tracks the quantiles and windows are of those with the largest KS_j, of
        more than 400 the means are of 400 evenly spread over the order of KS_j. The profiles of `sei` have names where
        the file target.names of github.com/FunctionLab/sei-framework lies beside sei.pth, and then also quantiles by
        assay, of all its profiles together, for the 24 assays with the most. Scores do not depend on any of this.
    Source:
        KS of predicted activities: D3, Sarkar et al. 2024, bioRxiv 2024.05.23.595630. Chromatin profiles: DiscDiff, Li
        et al. 2023, arXiv 2310.06150, whose released code has no such comparison. Models: Chen et al. 2022, Nat Genet
        54:940; Movva et al. 2019, PLoS ONE 14:e0218073. Mean of Kolmogorov's distribution: Marsaglia, Tsang and Wang
        2003, J Stat Softw 8:18.
    """

    def __init__(self, options: OracleOptions) -> None:
        self.options = options
        self._network = load_oracle(options)

    def digest(self) -> str:
        """sha256 of the model's file."""
        return self._network.sha256

    def score(self, *, generated: SequenceSet, reference: SequenceSet, context: Context) -> Score:
        """See the class. ``details`` are made where they are for plots, and hold views, a few hundred rows in all.

        The spread of both sides' predictions by track, for Sei by assay as well; where the model reads fewer bases than
        the sequences have, mean predictions of windows along the sequence; the mean predictions by track.

        UserError when a side holds fewer than two sequences or the model cannot answer for them.
        """
        require_samples(generated, side="generated", metric="oracle")
        require_samples(reference, side="reference", metric="oracle")
        x, y = self._predictions(generated, context), self._predictions(reference, context)
        if x.shape[1] != y.shape[1]:
            raise UserError(
                f"oracle: {self._network.name} answers with {x.shape[1]} tracks for generated and {y.shape[1]} for "
                f"reference sequences"
            )
        distances = ks_distances(generated=x, reference=y)
        low, high = distance_interval(distances)
        profile_g, profile_r = mean_profile(x), mean_profile(y)
        parts = {
            "expected-floor": Score(value=expected_ks(len(x), len(y)), direction="none"),
            "mse": _score(squared_error(profile_g, profile_r, generated=x, reference=y), 0, None),
        }
        pearson = correlation(profile_g, profile_r, generated=x, reference=y)
        if pearson is not None:
            parts["pearson"] = replace(_score(pearson, -1, 1), direction="higher")
        return Score(
            value=float(distances.by_track.mean()),
            ci_low=low,
            ci_high=high,
            parts=parts,
            details=self._details(generated, reference, x, y, distances, context) if context.for_plots else None,
        )

    def _details(
        self,
        generated: SequenceSet,
        reference: SequenceSet,
        x: np.ndarray,
        y: np.ndarray,
        distances: Distances,
        context: Context,
    ) -> pd.DataFrame:
        names = track_names(self.options, x.shape[1])
        network = self._network
        tables = Tables(generated=x, reference=y, distances=distances, tracks=names, quantity=network.predicts)
        views = [tables.by_track()]
        if assays := assays_of(names):
            views.insert(0, tables.by_assay(assays))
        views.append(tables.means(generated=mean_profile(x), reference=mean_profile(y)))
        if generated.length == reference.length and len(starts := window_starts(network, generated.length)):
            n = sequences_along(network, starts, generated.length, min(len(generated), len(reference)))
            sides = {"generated": generated, "reference": reference}
            along = {name: self._along(side, n, starts, context) for name, side in sides.items()}
            assert network.length is not None
            views.append(tables.along(**along, centres=starts + network.length // 2, window=network.length))
        return joined(views)

    def _predictions(self, sequences: SequenceSet, context: Context) -> np.ndarray:
        """float32, shape ``(n, tracks)``; remembered."""
        strands = self.options.strands
        return context.per_sequence(
            self._name, sequences, lambda whole: predict(self._network, whole, strands=strands, context=context)
        )

    def _along(self, sequences: SequenceSet, n: int, starts: np.ndarray, context: Context) -> np.ndarray:
        """float32, shape ``(n, windows, tracks)``, of ``n`` of the sequences, evenly spread; remembered."""
        rows = np.linspace(0, len(sequences) - 1, n).round().astype(np.int64)
        return context.per_sequence(
            f"{self._name} along {starts.tolist()}",
            sequences.take(rows),
            lambda few: predict_along(self._network, few, starts, strands=self.options.strands, context=context),
        )

    @property
    def _name(self) -> str:
        # A model of the user's own has the path for a name, which can come to hold another model.
        options = self.options
        return f"oracle {options.model} {self._network.sha256} {options.strands} {options.window}"


def _score(estimate: Estimate, low: float, high: float | None) -> Score:
    reach = Z95 * estimate.standard_error
    top = estimate.value + reach
    return Score(
        value=estimate.value,
        ci_low=max(low, estimate.value - reach),
        ci_high=top if high is None else min(high, top),
    )
