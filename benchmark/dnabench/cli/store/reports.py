"""What the commands about the store print."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dnabench.housekeeping import PRUNABLE

if TYPE_CHECKING:
    from dnabench.housekeeping import Pruned

SIZE_COLUMNS = ("kind", "entries", "bytes", "oldest", "newest")
PRUNED_COLUMNS = ("kind", "entries", "bytes")


def size_text(size: float) -> str:
    """Bytes as people read them, by powers of 1,000, as ``--max-size`` takes them: ``1.2 GB``."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "bytes" or size >= 99.5 else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:,.1f} TB"


def print_size(root: Path, rows: Sequence[Mapping[str, Any]], format: str) -> None:
    """What the store holds, the total last."""
    rows = [{**row, "oldest": _time(row["oldest"]), "newest": _time(row["newest"])} for row in rows]
    if format == "json":
        _print_json({"store": str(root), "kinds": rows[:-1], "total": rows[-1]})
        return
    if format == "table":
        click.echo(root)
        rows = [row for row in rows if row["entries"] or row["bytes"] or row["kind"] == "total"]
    _print(rows, SIZE_COLUMNS, format)


def print_pruned(root: Path, pruned: Pruned, *, dry_run: bool, format: str) -> None:
    """What was removed, or would be."""
    found: dict[str, dict[str, Any]] = {}
    for item in (item for unit in pruned.removed for item in unit.items):
        row = found.setdefault(item.kind, {"kind": item.kind, "entries": 0, "bytes": 0})
        row["entries"] += item.whole
        row["bytes"] += item.bytes
    rows = [found[kind] for kind in PRUNABLE if kind in found]
    total = {"entries": sum(row["entries"] for row in rows), "bytes": sum(row["bytes"] for row in rows)}
    if format == "json":
        about = {"store": str(root), "dry_run": dry_run, "removed": rows, "total": total}
        _print_json(about | {"in_use": len(pruned.spared), "refused": pruned.refused, "left_bytes": pruned.left})
        return
    if format == "table":
        done = "would go" if dry_run else "removed"
        click.echo(f"{root}: {total['entries']:,} entries, {size_text(total['bytes'])} {done}")
        if not rows:
            return
    _print(rows, PRUNED_COLUMNS, format)


def _print_json(value: Any) -> None:
    """As dnabench.cli.render has it, without rich, whose import takes longer than all else here."""
    click.echo(json.dumps(value, indent=1))


def _print(rows: Sequence[Mapping[str, Any]], columns: Sequence[str], format: str) -> None:
    if format == "csv":
        from dnabench.leaderboard.facts import to_csv

        click.echo(to_csv(rows, columns), nl=False)
        return
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from dnabench.cli.render import print_table

    table = Table(box=box.SIMPLE_HEAD)
    for name in columns:
        table.add_column("size" if name == "bytes" else name, justify="left" if name == "kind" else "right")
    for row in rows:
        if row["kind"] == "total":
            table.add_section()
        shown = {**row, "bytes": size_text(row["bytes"]), "entries": f"{row['entries']:,}"}
        shown |= {name: (row.get(name) or "")[:16].replace("T", " ") for name in ("oldest", "newest")}
        table.add_row(*(Text(shown[name]) for name in columns))
    print_table(table)


def _time(seconds: float | None) -> str | None:
    """A time as events have it."""
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
