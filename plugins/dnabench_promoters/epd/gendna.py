"""The dataset ``epd-gendna``: the promoters that the authors of DiscDiff published.

Counts of ``sequence.csv``: an independent reading of the same revision, with the same rules, published in
github.com/vishal1383/mddm (``dna_anchor_census/data.py``). A row is unfit unless it is 2048 letters of A, C, G and T in
either case. Of rows with one sequence, of whatever species, the first counts and the others are repeated.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from dnabench import FetchedSet, SequenceSet, UserError
from dnabench_promoters.epd.species import code_of
from dnabench_promoters.options import EpdGenDnaOptions

if TYPE_CHECKING:
    from dnabench import Fetcher

MAMMALS = ("hs", "mm", "rm", "rn")


class Published(NamedTuple):
    """What is known of a published file.

    Attributes:
        length: bp of its sequences.
        counts: by what is counted.
        sha256: None where nobody has published it.
    """

    name: str
    length: int
    counts: Mapping[str, int]
    sha256: str | None


PUBLISHED = (
    Published(
        "sequence_central_256.csv",
        256,
        # Its size in bytes fits the rows of the other file; nobody has published a count.
        {"rows": 159_123},
        None,
    ),
    Published(
        "sequence.csv",
        2048,
        {
            "rows": 159_123,
            "rows that are not 2048 bp of A, C, G and T": 2_166,
            "repeated rows": 554,
            "sequences": 156_403,
            "sequences of human, macaque, mouse and rat": 61_236,
        },
        "07677dc1831d38a9867a939aa936b1ef21162cedef5712df2cfe4659e3237fb3",
    ),
)


class EpdGenDna:
    """Promoters of 15 species, label ``species`` (two letters)."""

    def __init__(self, options: EpdGenDnaOptions) -> None:
        self.options = options

    def fetch(self, *, fetcher: Fetcher) -> Iterator[FetchedSet]:
        """The sets ``epd-gendna-256`` and ``epd-gendna-2048``, or one of them.

        UserError when a file is not the published one; where no checksum is known, another number of rows is warned of.
        """
        for published in PUBLISHED:
            if self.options.length in ("both", str(published.length)):
                yield self._fetch(published, fetcher)

    def _fetch(self, published: Published, fetcher: Fetcher) -> FetchedSet:
        url = f"{self.options.url.rstrip('/')}/{published.name}"
        expected = published.sha256 if self.options.verify else None
        path = fetcher.download(url, name=published.name, sha256=expected)
        fetcher.progress(0, 0, f"reading {published.name}")
        try:
            reading = fetcher.read([path])
            rows = len(reading) + len(reading.faults)
            cleaned, dropped = reading.clean(length=published.length, crop=False)
            sequences = _with_codes(cleaned, path, fetcher)
        except UserError as error:  # such as the page of a login in place of the file
            raise UserError(f"{error}; remove the file to download it again") from None
        species = sequences.labels["species"].value_counts().sort_index()
        found = {
            "rows": rows,
            f"rows that are not {published.length} bp of A, C, G and T": rows - dropped["repeated"] - len(sequences),
            "repeated rows": dropped["repeated"],
            "sequences": len(sequences),
            "sequences of human, macaque, mouse and rat": int(species.reindex(MAMMALS, fill_value=0).sum()),
        }
        as_published = self.options.verify and _verify(published, found, path, fetcher)
        with path.open("rb") as stream:
            sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
        return FetchedSet(
            name=f"epd-gendna-{published.length}",
            sequences=sequences,
            dropped=dropped,
            about={
                "url": url,
                "file_sha256": sha256,
                "verified": self._verified(published),
                "rows": rows,
                "species": {str(code): int(n) for code, n in species.items()},
            },
            # Without a checksum only the published address vouches for a file.
            published=as_published and (published.sha256 is not None or self.options.url == EpdGenDnaOptions().url),
        )

    def _verified(self, published: Published) -> str:
        if not self.options.verify:
            return "nothing"
        return "sha256 and counts" if published.sha256 else "number of rows; no sha256 of this file is published"


def _verify(published: Published, found: Mapping[str, int], path: Path, fetcher: Fetcher) -> bool:
    """Whether the counts are those of the file; UserError where they are not, though its checksum is right."""
    other = [
        f"{found[what]:,} {what} ({count:,} were expected)"
        for what, count in published.counts.items()
        if found[what] != count
    ]
    if not other:
        return True
    message = f"{path}: not the published file: {', '.join(other)}"
    if published.sha256 is None:
        fetcher.warn(message)
        return False
    raise UserError(f"{message}; --set epd-gendna.verify=false takes it nevertheless")


def _with_codes(sequences: SequenceSet, path: Path, fetcher: Fetcher) -> SequenceSet:
    """The set with the label ``species`` alone, as two letters; the name itself, and a warning, where it is unknown."""
    labels = sequences.labels
    column = next((column for column in labels if column.lower() == "species"), None)
    if column is None:
        raise UserError(f"{path}: no column 'species'; besides the sequences it has {', '.join(labels) or 'none'}")
    codes = {name: code_of(name) for name in labels[column].unique()}
    unknown = sorted(repr(name) for name, code in codes.items() if code is None)
    if unknown:
        fetcher.warn(
            f"{path}: {len(unknown)} names of species unknown to EPD, kept as they are: {', '.join(unknown[:5])}"
        )
    species = labels[[column]].rename(columns={column: "species"})
    species["species"] = species["species"].map({name: code or name for name, code in codes.items()})
    return SequenceSet(sequences.codes, labels=species, names=sequences.names, copy=False)
