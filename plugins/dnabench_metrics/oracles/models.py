"""Which network an option names."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from dnabench_metrics.oracles import mpra_dragonn, sei
from dnabench_metrics.oracles.mpra_dragonn import load_mpra_dragonn
from dnabench_metrics.oracles.sei import load_sei
from dnabench_metrics.oracles.torchscript import load_torchscript
from dnabench_metrics.records.oracles import TORCHSCRIPT

if TYPE_CHECKING:
    from dnabench_metrics.oracles.inference import Network
    from dnabench_metrics.records.oracles import OracleOptions


def load_oracle(options: OracleOptions) -> Network:
    """The network of ``oracle.model``. UserError where its file is missing or not what it should be."""
    if options.model == "sei":
        return load_sei(options, plugin="oracle")
    if options.model == "mpra-dragonn":
        return load_mpra_dragonn(options, plugin="oracle")
    return load_torchscript(Path(options.model.removeprefix(TORCHSCRIPT)), sha256=options.sha256, plugin="oracle")


def track_names(options: OracleOptions, tracks: int) -> list[str]:
    """Names of a model's outputs, numbers from 0 where it tells none. Sei's are in ``target.names``, if it is there."""
    if options.model == "mpra-dragonn":
        return list(mpra_dragonn.TRACKS)
    named = sei.target_names(Path(options.weights)) if options.model == "sei" else []
    return named if len(named) == tracks else [str(i) for i in range(tracks)]
