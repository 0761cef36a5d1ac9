"""Tables in Markdown, on standard output."""

from __future__ import annotations

import math


def show(*cells: object) -> None:
    """A row of a table."""
    print("|", " | ".join(str(cell) for cell in cells), "|", flush=True)  # noqa: T201


def title(text: str, *columns: object) -> None:
    """A line of text and the head of the table under it."""
    print(f"\n{text}\n")  # noqa: T201
    show(*columns)
    show(*["---"] * len(columns))


def decimals(spread: float) -> int:
    """How many decimals show a spread with two digits: 1 to 5, and 2 where there is no spread."""
    return min(max(1 - math.floor(math.log10(spread)), 1), 5) if spread > 0 else 2
