"""The dataset ``promoters-sim``."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from dnabench_promoters.likelihood import log_likelihood
from dnabench_promoters.process import Process, promoter_process
from dnabench_promoters.sampling import draw, labelled

if TYPE_CHECKING:
    import numpy as np

    from dnabench import Context, SequenceSet
    from dnabench_promoters.options import SimulatorOptions


class PromoterSimulator:
    """Promoters of six simulated species, labels ``species`` and ``class`` (``cpg``, ``nocpg``)."""

    def __init__(self, options: SimulatorOptions) -> None:
        self.options = options

    @cached_property
    def process(self) -> Process:
        """The distribution that the promoters are drawn from; it depends on the length alone."""
        return promoter_process(self.options.length)

    def load(self, *, context: Context) -> SequenceSet:  # noqa: ARG002 - a frozen set takes nothing from the run
        """The whole set, a function of the options alone."""
        return labelled(self.process, draw(self.process, self.options.n, self.options.seed))

    def log_likelihood(self, codes: np.ndarray) -> np.ndarray:
        """Natural log-probability of each sequence under the true process, summed over all that is hidden.

        Args:
            codes: uint8, shape ``(n, options.length)``.

        Returns:
            float64, shape ``(n,)``, in nats.

        Raises:
            ValueError: the length is another, or a sequence holds N.
        """
        return log_likelihood(self.process, codes)
