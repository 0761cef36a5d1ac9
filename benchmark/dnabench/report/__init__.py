"""The report of a run: one page that stands alone, and figures for papers.

``collect`` reads what a run left, each module of ``sections`` makes plain data of one subject, ``page`` and ``figures``
show them: in a browser by Plotly, on paper by matplotlib.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from dnabench.errors import UserError
from dnabench.files import atomic_write

if TYPE_CHECKING:
    from dnabench.leaderboard.board import Board
    from dnabench.plugins import Catalog
    from dnabench.store import Store

NAME = "report.html"
FIGURES = "figures"


def write(
    directory: Path,
    store: Store,
    catalog: Catalog | None = None,
    *,
    board: Board | None = None,
    output: Path | None = None,
    tss: int | None = None,
    figures: str | None = None,
) -> Path:
    """Write the page of the run in ``directory``; where it is. The same run directory and store give the same bytes.

    Args:
        store: where the run's cells were kept, for the real sequences and the embeddings.
        catalog: the installed plugins, which say what the metrics measure; None leaves that out.
        board: the run's, where it is known; else read from its tables.
        output: the page's file; None: ``report.html`` in the run directory.
        tss: the index of the transcription start site, from 0; None: as the data say.
        figures: ``pdf``, ``svg`` or ``png``: also write each figure into ``figures/`` beside the page.

    Raises:
        UserError: the directory holds no finished run, or the page cannot be written.
    """
    from dnabench.report.collect import collect
    from dnabench.report.page import render, sections_of

    run = collect(directory, store, catalog, board=board, tss=tss)
    sections = sections_of(run)
    target = output or directory / NAME
    page = render(run, sections)
    if figures is not None:
        from dnabench.report.figures import write_figures

        write_figures(sections, target.parent / FIGURES, figures)
    atomic_write(target, page)
    return target


def write_after_run(directory: Path, store: Store, catalog: Catalog, board: Board) -> None:
    """The page at the end of a run, whose results are safe already: what goes wrong here is a warning."""
    try:
        write(directory, store, catalog, board=board)
    except UserError as error:
        warnings.warn(f"no report was written: {error}", stacklevel=2)
    except Exception as error:  # noqa: BLE001 - see above
        warnings.warn(
            f"no report was written: {type(error).__name__}: {' '.join(str(error).split())}; "
            f"the results are whole, and dnabench report {directory} tries again",
            stacklevel=2,
        )
