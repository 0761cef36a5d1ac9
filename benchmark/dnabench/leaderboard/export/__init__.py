"""A board as text for papers and pages: a module for each format, and :mod:`sheet` for what they all show."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dnabench.leaderboard.board import Board

# What --to takes, and the module of each.
FORMATS = {"md": "markdown", "latex": "latex", "json": "structure", "html": "html"}


def text(board: Board, format: str) -> str:
    """The board in one of FORMATS."""
    written: str = import_module(f"{__name__}.{FORMATS[format]}").text(board)
    return written
