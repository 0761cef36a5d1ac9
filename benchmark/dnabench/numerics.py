"""How torch is to compute."""

from __future__ import annotations

import os


def make_deterministic() -> None:
    """Ask torch for deterministic algorithms; what has none warns instead of failing."""
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    import torch

    torch.use_deterministic_algorithms(True, warn_only=True)
    torch.backends.cudnn.benchmark = False
