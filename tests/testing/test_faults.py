"""Every planted fault is caught, by the check that is for it and by no other; what is without fault passes."""

from __future__ import annotations

import re

import pytest

from dnabench.testing import Setup, check

FAULTS = {
    # generators
    "crooked-default": ("options_round_trip", "8.5"),
    "no-load": ("constructed", "no load"),
    "dies": ("fits", "the process died with exit code 7"),
    "rounds-up": ("exact_n", r"shape \(1, 64\) of sample\(1\); saw \(4, 64\)"),
    "wide-codes": ("uint8_codes", "ndarray of int64"),
    "five-letters": ("alphabet", r"also \[4\]"),
    "bare": ("labels_carried", "no species"),
    "hash-seeded": ("same_seed_same_sequences", r"let nothing depend on hash\(\)"),
    "own-seed": ("other_seed_other_sequences", "saw the same"),
    "global-seed": ("global_randomness_untouched", "those of numpy.random moved"),
    "moves": ("working_directory_untouched", "fit moved to"),
    "litters": ("working_directory_untouched", "losses.csv"),
    "prints": ("stdout_untouched", "a batch"),
    "pickles": ("no_pickle", "model.bin, by its first bytes"),
    "loses": ("saved_and_loaded", "different ones"),
    "restarts-wrong": ("killed_and_resumed", "saw different ones"),
    "chokes": ("killed_and_resumed", "JSONDecodeError"),
    "hoards": ("memory_released", "MB per draw"),
    "clings": ("memory_released", "something holds it"),
    "batchwise": ("batch_does_not_matter", r"\{'batch': 3\}"),
    "dreams": ("declared_devices_work", "abacus"),
    # metrics
    "upside-down": ("direction_honoured", "the wrong way round"),
    "unmoved": ("direction_honoured", "0, 0, 0, 0 at 0, 5, 20, 50 %"),
    "pairwise": ("order_does_not_matter", "pair no sequences by their places"),
    "nan-of-one": ("few_sequences_refused", "for 1 sequences a side"),
    "too-sure": ("interval_covers_repeats", "saw it in 0, "),
    "vague": ("real_beats_random", "by more than half an interval"),
    "remembers": ("same_input_same_score", "keep nothing from one call of score to the next"),
    "batch-means": ("batch_does_not_matter", "means of batches"),
    # embedders
    "double": ("float32", "saw float64"),
    "narrow": ("dimension_of_record", "expected 5 dimensions, as the record says; saw 4"),
    "drops-out": ("same_sequences_same_vectors", "Switch dropout off"),
    "normalises": ("one_by_one", "no statistics of the batch"),
    "sorts": ("order_does_not_matter", "in the order of the sequences"),
    "hollow": ("embeds", "4 that are not"),
    "forgets-weights": ("saved_and_loaded", "one digest"),
    # data sets
    "raw-array": ("loads", "saw ndarray"),
    "no-t": ("mostly_bases", "no G, T"),
    "drawn-anew": ("same_set_every_time", "the same set again"),
    "half-labelled": ("labels_complete", "25 without"),
}
RECORD = """
from dnabench import GeneratorSpec, hookimpl

@hookimpl
def dnabench_generators():
    yield GeneratorSpec(name="heavy", target="heavy_dna:Model", summary="for a test")
"""


@pytest.mark.usefixtures("faulty")
@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_caught_by_the_check_that_is_for_it(name):
    expected, finding = FAULTS[name]
    (report,) = check(name)
    found = {outcome.check: outcome.why for outcome in report.outcomes if outcome.status == "failed"}
    assert list(found) == [expected], found

    assert re.search(finding, found[expected]), found[expected]
    assert not report.ok


@pytest.mark.usefixtures("faulty")
@pytest.mark.parametrize(
    ("name", "skipped"),
    [
        ("good", {"labels_carried"}),
        ("good-score", set()),
        ("good-vectors", {"batch_does_not_matter", "saved_and_loaded"}),
        ("good-set", set()),
    ],
)
def test_what_is_without_fault_passes(name, skipped):
    (report,) = check(name)
    assert report.ok
    assert report.failed == []
    assert {outcome.check for outcome in report.outcomes if outcome.status == "skipped"} == skipped


@pytest.mark.parametrize(
    ("line", "finding"),
    [
        ("import numpy", "it imports numpy while it is loaded"),
        ("print('hello')", "it prints while it is loaded, 'hello"),
    ],
)
def test_an_entry_point_that_is_heavy_or_prints(install, line, finding):
    install("heavy_dna", f"{line}\n{RECORD}")
    (report,) = check("heavy", setup=Setup(only=("light_import",)))
    (outcome,) = report.outcomes
    assert outcome.status == "failed"
    assert finding in outcome.why
