"""Records of plugins that keep their promises but for one, for the tests to install."""

from dataclasses import dataclass

from dnabench import DatasetSpec, EmbedderSpec, GeneratorSpec, MetricSpec, hookimpl, option


@dataclass(frozen=True)
class Options:
    batch: int = option(8, "sequences at once", minimum=1)


@dataclass(frozen=True)
class CrookedOptions:
    batch: int = option(8.5, "not a whole number", minimum=1)


GENERATORS = {
    "good": {"batch_option": "batch"},
    "crooked-default": {"options": CrookedOptions},
    "no-load": {},
    "dies": {},
    "rounds-up": {},
    "wide-codes": {},
    "five-letters": {},
    "hash-seeded": {},
    "own-seed": {},
    "global-seed": {},
    "moves": {},
    "litters": {},
    "prints": {},
    "pickles": {},
    "loses": {},
    "restarts-wrong": {},
    "chokes": {},
    "hoards": {},
    "clings": {},
    "batchwise": {"batch_option": "batch"},
    "bare": {"uses_labels": True},
    "dreams": {"devices": ("cpu", "abacus")},
}
METRICS = {
    "good-score": {"batch_option": "batch"},
    "upside-down": {"direction": "higher"},
    "unmoved": {},
    "pairwise": {},
    "nan-of-one": {},
    "too-sure": {},
    "vague": {},
    "remembers": {},
    "batch-means": {"batch_option": "batch"},
}
EMBEDDERS = {
    "good-vectors": {},
    "double": {},
    "narrow": {"dimension": 5},
    "drops-out": {},
    "normalises": {},
    "sorts": {},
    "hollow": {},
    "forgets-weights": {"needs_training": True},
}
DATASETS = ("good-set", "raw-array", "no-t", "drawn-anew", "half-labelled")


def target(name, module="faulty_dna_others"):
    return f"{module}:{''.join(word.title() for word in name.split('-'))}"


@hookimpl
def dnabench_generators():
    for name, more in GENERATORS.items():
        record = {"name": name, "target": target(name, "faulty_dna_generators"), "summary": name, "options": Options}
        yield GeneratorSpec(**record | more)


@hookimpl
def dnabench_metrics():
    for name, more in METRICS.items():
        record = {"name": name, "target": target(name), "summary": name, "options": Options, "direction": "lower"}
        yield MetricSpec(**record | more)


@hookimpl
def dnabench_embedders():
    for name, more in EMBEDDERS.items():
        yield EmbedderSpec(**{"name": name, "target": target(name), "summary": name, "dimension": 4, **more})


@hookimpl
def dnabench_datasets():
    for name in DATASETS:
        yield DatasetSpec(name=name, target=target(name), summary=name)
