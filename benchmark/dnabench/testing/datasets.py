"""Checks of data sets: one set of sequences, the same for everybody."""

from __future__ import annotations

from functools import cached_property

from dnabench.sequences import SequenceSet
from dnabench.testing.outcomes import Check, SkippedError, broken, promised
from dnabench.testing.subject import Subject

CHECKS: list[Check] = []


class DatasetSubject(Subject):
    """A data set, loaded once."""

    @cached_property
    def sequences(self) -> SequenceSet:
        """What ``load`` returns."""
        return self.load(seed=1)

    def load(self, seed: int) -> SequenceSet:
        """What ``load`` of a new instance returns. SkippedError for one that is downloaded."""
        if self.spec.sets or self.spec.files:
            raise SkippedError(f"it is downloaded: dnabench data fetch {self.spec.name}")
        found: SequenceSet = self.construct().load(context=self.context("load", length=0, seed=seed))
        return found


@promised(CHECKS, needs=("constructed",))
def loads(subject: DatasetSubject) -> None:
    """``load`` returns a SequenceSet with sequences in it."""
    found = subject.sequences
    if not isinstance(found, SequenceSet):
        broken("a SequenceSet", type(found).__name__, "Return SequenceSet(codes, labels=...).")
    if not len(found) or not found.length:
        broken("sequences", f"{len(found)} of {found.length} bp", "Look for a filter that leaves none.")


@promised(CHECKS, needs=("loads",))
def mostly_bases(subject: DatasetSubject) -> None:
    """All four bases occur, and fewer than one letter in ten is N."""
    codes = subject.sequences.codes
    absent = [letter for code, letter in enumerate("ACGT") if not (codes == code).any()]
    if absent:
        broken("A, C, G and T", f"no {', '.join(absent)}", "Codes are A C G T N = 0 1 2 3 4, in this order.")
    share = float((codes == 4).mean())
    if share >= 0.1:
        broken("fewer than 10 % N", f"{share:.0%}", "Drop what was padded, or use SequenceSet.from_fasta.")


@promised(CHECKS, needs=("loads",))
def same_set_every_time(subject: DatasetSubject) -> None:
    """Another instance with the same options loads the same sequences and labels, whatever the context's seed."""
    again = subject.load(seed=2)
    if again.digest != subject.sequences.digest:
        broken(
            "the same set again",
            f"{again.digest[:12]} instead of {subject.sequences.digest[:12]}",
            "Sort what the file system lists, and draw from a seed that is an option.",
        )


@promised(CHECKS, needs=("loads",))
def labels_complete(subject: DatasetSubject) -> None:
    """Every label is known for every sequence, or for none."""
    labels = subject.sequences.labels
    if labels.empty:
        raise SkippedError("it has no labels")
    for column in labels.columns:
        unknown = int((labels[column] == "").sum())
        if unknown:
            broken(
                f"label {column} of all {len(labels)} sequences",
                f"{unknown} without",
                "Write a word such as unknown: slices and conditions are made of what is there.",
            )
