"""What the commands about data print."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from dnabench.cli import render

_LENGTHS = 5


def print_stored(about: dict[str, Any], *, was_here: bool, format: str) -> None:
    """A set that is kept now."""
    if format == "json":
        render.print_json({**about, "was_here": was_here})
        return
    left_out = ", ".join(f"{count:,} {reason}" for reason, count in about.get("dropped", {}).items() if count)
    click.echo(f"{about['name']}: {about['n']:,} sequences of {about['length']} bp, sha256 {about['sha256']}")
    click.echo(f"  left out: {left_out or 'none'}")
    click.echo(f"  {'was here already, the same' if was_here else 'stored'}; --dataset {about['name']} takes it")


def print_file(about: dict[str, Any], *, was_here: bool, format: str) -> None:
    """A file that is kept now; on stderr, what takes it."""
    if format == "json":
        render.print_json({**about, "was_here": was_here})
    else:
        click.echo(f"{about['name']}: {about['bytes']:,} bytes, sha256 {about['sha256']}")
        click.echo(f"  {'was here already, the same' if was_here else 'stored'}: {about['path']}")
    for use in about["uses"]:
        click.echo(f"{about['name']} is taken by {use}", err=True)


def print_split(about: dict[str, Any], directory: Path, format: str) -> None:
    """A split that was written."""
    if format == "json":
        render.print_json({"directory": str(directory), **about})
        return
    click.echo(f"{directory}: {about['name']}, {about['length']} bp, sha256 {about['sha256']}")
    _print_split(about)


def print_info(about: dict[str, Any], format: str) -> None:
    """What ``data info`` found."""
    if format == "json":
        render.print_json(about)
        return
    click.echo(f"{about['name']}: {about['n']:,} sequences")
    for title, text in _lines(about):
        click.echo(f"  {title:12}{text}")
    if "split" in about:
        _print_split(about["split"])
    elif len(about["lengths"]) > 1:
        click.echo("  sequences of several lengths: --length L shows what a set of the central L bp would be")


def _lines(about: dict[str, Any]) -> list[tuple[str, str]]:
    letters = about["letters"]
    found = [("lengths", _lengths(about["lengths"]))]
    if about.get("faulty"):
        found.append(("faulty", f"{about['faulty']:,} records left out"))
    found.append(("letters", ", ".join(f"{letter} {count:,}" for letter, count in letters.items() if count)))
    if about["gc"] is not None:
        found.append(("GC", f"{about['gc']:.4f}"))
    if "sha256" in about:
        groups = about["groups"]
        reverse = about["reverse_complements"]
        found += [
            ("with N", f"{about['with_n']:,} sequences"),
            ("duplicates", f"{about['duplicates']:,}, and {reverse:,} reverse complements of others"),
            (
                "relatives",
                f"{groups['n']:,} groups by shared {groups['k']}-mers, {groups['several']:,} of several sequences, "
                f"the largest of {groups['largest']:,}",
            ),
            ("sha256", about["sha256"]),
        ]
        found += [(f"{column}", _label(label)) for column, label in about["labels"].items()]
    return found


def _lengths(lengths: dict[int, int]) -> str:
    if len(lengths) == 1:
        return f"{next(iter(lengths))} bp"
    common_first = sorted(lengths, key=lambda length: -lengths[length])[:_LENGTHS]
    shown = ", ".join(f"{length} bp ({lengths[length]:,})" for length in common_first)
    return f"{min(lengths)} to {max(lengths)} bp, {len(lengths)} lengths; most frequent {shown}"


def _label(label: dict[str, Any]) -> str:
    counts = ", ".join(f"{value or '(empty)'} {count:,}" for value, count in label["counts"].items())
    more = label["values"] - len(label["counts"])
    return f"{counts}{f', and {more:,} more values' if more else ''}"


def _print_split(about: dict[str, Any]) -> None:
    sizes = ", ".join(f"{name} {n:,}" for name, n in about["n"].items())
    click.echo(f"  split {about['protocol']}: {sizes}")
    for name, leaks in about["leaks"].items():
        click.echo(
            f"  {name} against train: {leaks['duplicates']:,} duplicates, {leaks['reverse_complements']:,} reverse "
            f"complements, {leaks['relatives']:,} ({leaks['relative_share']:.2%}) with a relative at or above "
            f"{leaks['share']:.0%} shared {leaks['k']}-mers, {leaks['any_shared']:,} sharing any"
        )
