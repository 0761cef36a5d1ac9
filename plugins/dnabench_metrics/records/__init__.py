"""The records of this package, a module for each family, with their options. Light: nothing heavy is imported."""

from __future__ import annotations

from dnabench_metrics.records import classifier, distances, embedders, motifs, neighbours, novelty, oracles, sequences

METRICS = (distances, neighbours, classifier, sequences, novelty, motifs, oracles)
EMBEDDERS = (embedders, oracles)
DATASETS = (oracles,)
