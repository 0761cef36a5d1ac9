"""dnabench plugin: an LSTM language model of DNA. Nothing heavy is imported here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dnabench import GeneratorSpec, hookimpl
from dnabench_lstm.options import PRESETS, LstmOptions

if TYPE_CHECKING:
    from collections.abc import Iterator


@hookimpl
def dnabench_generators() -> Iterator[GeneratorSpec]:
    """The generator ``lstm``."""
    yield GeneratorSpec(
        name="lstm",
        target="dnabench_lstm.model:Lstm",
        summary="autoregressive language model: a two-layer LSTM that draws one base after the other",
        options=LstmOptions,
        citation="Hochreiter & Schmidhuber 1997, Neural Comput 9:1735-1780; "
        "A Compact LSTM Matches Diffusion and Flow Matching Across DNA Design Tasks",
        devices=("cpu", "cuda"),
        uses_labels=True,
        label_option="condition",
        devices_option="devices",
        presets=PRESETS,
    )
