"""`sei` and `mpra-dragonn`: the last convolutional features of an oracle as embeddings."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from dnabench_metrics.oracles.inference import predict
from dnabench_metrics.oracles.mpra_dragonn import ConvModel, load_mpra_dragonn
from dnabench_metrics.oracles.sei import SeiTrunk, load_sei_trunk

if TYPE_CHECKING:
    import numpy as np

    from dnabench import Context, SequenceSet
    from dnabench_metrics.oracles.inference import Network
    from dnabench_metrics.records.oracles import MPRADragoNNOptions, SeiOptions


class SeiFeatures:
    """The last feature maps of Sei, mean over their 256 positions: 960 features (S-FID's, with `fred`).

    Definition:
        The mean over positions of the sum that the splines read, which the released code of DiscDiff takes
        (github.com/Zehui127/Latent-DNA-Diffusion, src/utils/external/sei.py); padding and strands are not told.
        Sequences stand in the middle of 4,096 bp, the rest of which is unknown, 0.25 in every channel; of longer ones
        the middle is read. Fréchet needs more than 960 sequences a side, and 9,600 for a stable value.
    Source:
        Chen et al. 2022, Nat Genet 54:940. S-FID: Li et al. 2024, arXiv 2402.06079.
    """

    def __init__(self, options: SeiOptions) -> None:
        self.options = options
        self._network = load_sei_trunk(options, plugin="sei")

    def digest(self) -> str:
        """sha256 over that of the weights and the options."""
        return _digest("sei", self._network, self.options)

    def embed(self, sequences: SequenceSet, *, context: Context) -> np.ndarray:
        """float32, shape ``(n, 960)``."""
        module = self._network.module
        assert isinstance(module, SeiTrunk)
        return predict(self._network, sequences, strands=self.options.strands, context=context, forward=module.features)


class MPRADragoNNFeatures:
    """The last feature maps of MPRA-DragoNN, mean over their 133 positions: 120 features.

    Definition:
        The penultimate layer itself has 15,960 values, 120 at each position: Fréchet would need more sequences than
        that. Longer sequences are cropped to 145 bp, shorter ones padded with 0.25 on both sides.
    Source:
        Movva et al. 2019, PLoS ONE 14:e0218073.
    """

    def __init__(self, options: MPRADragoNNOptions) -> None:
        self.options = options
        self._network = load_mpra_dragonn(options, plugin="mpra-dragonn")

    def digest(self) -> str:
        """sha256 over that of the weights and the options."""
        return _digest("mpra-dragonn", self._network, self.options)

    def embed(self, sequences: SequenceSet, *, context: Context) -> np.ndarray:
        """float32, shape ``(n, 120)``."""
        module = self._network.module
        assert isinstance(module, ConvModel)
        return predict(self._network, sequences, strands=self.options.strands, context=context, forward=module.features)


def _digest(name: str, network: Network, options: SeiOptions | MPRADragoNNOptions) -> str:
    return hashlib.sha256(f"{name} {network.sha256} {options.strands} {network.window}".encode()).hexdigest()
