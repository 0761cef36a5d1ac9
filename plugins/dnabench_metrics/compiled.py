"""Compiled loops, kept on disk where there is a place for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba


def compiled(function: Callable[..., Any]) -> Any:
    """``function`` compiled by numba at its first call, and read from numba's cache from then on.

    The cache is beside the source or in the user's cache directory. Where neither can be written, as in a container
    with a read-only root, numba refuses to keep one: then every process compiles anew.
    """
    try:
        return numba.njit(cache=True)(function)
    except RuntimeError:
        return numba.njit(function)
