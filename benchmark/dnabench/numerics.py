"""How torch is to compute."""

from __future__ import annotations

import os


def make_deterministic() -> None:
    """Ask torch for deterministic algorithms; what has none warns instead of failing."""
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    import torch

    # As torch.use_deterministic_algorithms, which also asks the compiler, and imports it for that: most of a second.
    torch.set_deterministic_debug_mode("warn")
    torch.backends.cudnn.benchmark = False
