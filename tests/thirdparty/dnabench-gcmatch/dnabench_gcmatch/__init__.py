"""A package outside dnabench that brings a generator, a metric and an embedder."""

from dataclasses import dataclass

from dnabench import EmbedderSpec, GeneratorSpec, MetricSpec, hookimpl, option


@dataclass(frozen=True)
class GCMatchedOptions:
    """Options of ``gc-matched``."""

    jitter: float = option(0.0, "standard deviation added to each drawn GC fraction", minimum=0, maximum=0.5)


@hookimpl
def dnabench_generators():
    yield GeneratorSpec(
        name="gc-matched",
        target="dnabench_gcmatch.plugin:GCMatched",
        summary="random bases with the GC fraction of a real sequence",
        kind="baseline",
        options=GCMatchedOptions,
    )


@hookimpl
def dnabench_metrics():
    yield MetricSpec(
        name="cpg",
        target="dnabench_gcmatch.plugin:CpG",
        summary="absolute difference of the CpG frequencies",
        direction="lower",
    )


@hookimpl
def dnabench_embedders():
    yield EmbedderSpec(
        name="bases", target="dnabench_gcmatch.plugin:Bases", summary="frequencies of C, G and T", dimension=3
    )
