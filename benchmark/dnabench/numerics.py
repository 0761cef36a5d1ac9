"""Where and how torch is to compute."""

from __future__ import annotations

import os
import random
import re
from collections.abc import Iterator
from contextlib import contextmanager

from dnabench.errors import UserError


def make_deterministic() -> None:
    """Ask torch for deterministic algorithms; what has none warns instead of failing."""
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    import torch

    # As torch.use_deterministic_algorithms, which also asks the compiler, and imports it for that: most of a second.
    torch.set_deterministic_debug_mode("warn")
    torch.backends.cudnn.benchmark = False


@contextmanager
def deterministic() -> Iterator[None]:
    """As :func:`make_deterministic`, for a while; then torch's settings and all global generators are as before.

    The environment variable stays: cuBLAS may have read it by then.
    """
    import numpy as np
    import torch

    mode, benchmark = torch.get_deterministic_debug_mode(), torch.backends.cudnn.benchmark
    states = random.getstate(), np.random.get_state()
    started: bool = torch.cuda.is_initialized()  # type: ignore[no-untyped-call]
    make_deterministic()
    try:
        with torch.random.fork_rng(devices=range(torch.cuda.device_count()) if started else ()):
            yield
    finally:
        if not started:  # those of GPUs have their first seed from torch.manual_seed: again from that of before
            torch.cuda.manual_seed_all(torch.initial_seed())
        torch.set_deterministic_debug_mode(mode)
        torch.backends.cudnn.benchmark = benchmark
        random.setstate(states[0])
        np.random.set_state(states[1])


def choose_device(text: str, cuda_devices: int | None = None) -> str:
    """The device ``text`` stands for; UserError when it is not there.

    ``cuda_devices``: how many there are; by default torch is asked.
    """
    check_device(text)
    if text == "cpu":
        return text
    if cuda_devices is None:
        import torch

        cuda_devices = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if text == "auto":
        return "cuda" if cuda_devices else "cpu"
    if not cuda_devices:
        raise UserError(f"--device {text}: no CUDA device is available here; --device cpu works everywhere")
    index = text.partition(":")[2]
    if index and int(index) >= cuda_devices:
        raise UserError(f"--device {text}: only {cuda_devices} CUDA devices are here, counted from 0")
    return text


def check_device(text: str) -> None:
    """UserError for what can be no device."""
    if not re.fullmatch(r"auto|cpu|cuda(:\d+)?", text):
        raise UserError(f"--device {text}: it takes auto, cpu, cuda or cuda:N")
