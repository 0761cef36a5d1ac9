"""Reading a file of motifs in whichever of three formats it is."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from dnabench import UserError
from dnabench_metrics.motifs.jaspar import read_jaspar
from dnabench_metrics.motifs.meme import read_meme
from dnabench_metrics.motifs.transfac import read_transfac

if TYPE_CHECKING:
    from dnabench_metrics.motifs.published import PublishedMatrix


def read_motifs(path: Path) -> list[PublishedMatrix]:
    """Every motif of a MEME, JASPAR or TRANSFAC file; at least one.

    What the file is, its content tells: a line ``MEME version``; a first line that begins with ``>``, or a first line
    of numbers, for JASPAR; a line that begins with ``P0`` or ``PO`` for TRANSFAC. Raises UserError for a missing or
    empty file, one that is none of these, and for what its format does not allow.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise UserError(f"{path}: not a text file; a MEME, JASPAR or TRANSFAC motif file is expected") from None
    first = next((line.strip() for line in lines if line.strip()), None)
    if first is None:
        raise UserError(f"{path}: an empty file; a MEME, JASPAR or TRANSFAC motif file is expected")
    if any(line.startswith("MEME version") for line in lines):
        return read_meme(path, lines)
    if any(re.match(r"P[0O]\s", line) for line in lines):
        return read_transfac(path, lines)
    if first.startswith(">") or re.match(r"([ACGTacgt]\s*)?\[?\s*[-+]?\.?\d", first):
        return read_jaspar(path, lines)
    raise UserError(
        f"{path}: neither MEME (a line 'MEME version'), JASPAR (a line '>NAME' or rows of counts) nor TRANSFAC (a line "
        f"'P0 A C G T')"
    )
