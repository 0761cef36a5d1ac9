"""What a run was made with: versions, code, hardware, settings that change numbers, and the command."""

from __future__ import annotations

import getpass
import importlib.metadata
import importlib.util
import os
import platform
import re
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

# Variables that change numbers, or where they are computed.
VARIABLES = re.compile(
    r"CUDA_\w+|CUBLAS_\w+|NVIDIA_TF32_OVERRIDE|TORCH_\w+|PYTORCH_\w+|(OMP|MKL|OPENBLAS|NUMEXPR)_\w+|ATEN_CPU_CAPABILITY"
    r"|PYTHONHASHSEED|DNABENCH_\w+"
)


def collect(
    machine: Mapping[str, Any],
    code: Mapping[str, str],
    pythons: Mapping[str, str] = MappingProxyType({}),
    *,
    anonymous: bool = False,
) -> dict[str, Any]:
    """The provenance of a run.

    Args:
        machine: what :func:`machine` said in the kind of process that cells run in.
        code: package -> digest of its files.
        pythons: generator -> the interpreter of its own environment.
        anonymous: leaves out the names of host and user, wherever they stand.
    """
    found = {
        "command": sys.argv,
        "directory": str(Path.cwd()),
        "host": platform.node(),
        "user": _user(),
        "python": platform.python_version(),
        "pythons": dict(pythons),
        "packages": dict(sorted(_distributions())),
        "code": dict(code),
        "git": {name: state for name in code if (state := git_state(name)) is not None},
        "environment": {name: value for name, value in sorted(os.environ.items()) if VARIABLES.fullmatch(name)},
        **machine,
    }
    return anonymised(found) if anonymous else found


def machine() -> dict[str, Any]:
    """Hardware and numeric settings as a cell finds them; asks CUDA, so it is for a process that ends afterwards."""
    import torch

    from dnabench.numerics import make_deterministic

    make_deterministic()
    return {
        "platform": platform.platform(),
        "processor": _processor(),
        "cpus": os.cpu_count(),
        "gpus": [_gpu(index) for index in range(torch.cuda.device_count())],
        "cuda": torch.version.cuda,
        "cudnn": torch.backends.cudnn.version(),  # type: ignore[no-untyped-call]
        "numerics": {
            "threads": torch.get_num_threads(),
            "deterministic_algorithms": torch.are_deterministic_algorithms_enabled(),
            "cudnn_benchmark": torch.backends.cudnn.benchmark,
            "float32_matmul_precision": torch.get_float32_matmul_precision(),
            "cpu_capability": torch.backends.cpu.get_cpu_capability(),
        },
    }


def _gpu(index: int) -> dict[str, Any]:
    import torch

    try:
        about = torch.cuda.get_device_properties(index)
    except RuntimeError as error:  # lost, or another's alone: nothing to a run on the CPU
        return {"error": str(error)}
    return {"name": about.name, "memory": about.total_memory, "capability": f"{about.major}.{about.minor}"}


def git_state(package: str) -> dict[str, Any] | None:
    """Revision and whether tracked files differ from it, of the work tree a package lies in; None where none does."""
    spec = importlib.util.find_spec(package) if package.isidentifier() else None
    if spec is None or spec.origin is None:
        return None
    file = Path(spec.origin)

    def git(*arguments: str) -> str | None:
        try:
            done = subprocess.run(
                ["git", "-C", file.parent, *arguments],  # noqa: S607 - whichever git the user has
                capture_output=True,
                text=True,
                timeout=10,
                check=True,
            )
        except (OSError, subprocess.SubprocessError):
            return None
        return done.stdout.strip()

    # A virtual environment inside a work tree holds packages that are none of it.
    if git("ls-files", "--error-unmatch", file.name) is None:
        return None
    return {"revision": git("rev-parse", "HEAD"), "dirty": bool(git("status", "--porcelain", "--", "."))}


def anonymised(found: Mapping[str, Any]) -> dict[str, Any]:
    """``found`` without the names of host and user; the home directory is ``~`` in paths."""
    host = found["host"]
    names = [re.escape(name) for name in (host, host.partition(".")[0], found["user"]) if name]
    hidden = re.compile(rf"(?<![A-Za-z0-9])({'|'.join(names)})(?![A-Za-z0-9])") if names else None

    def clean(value: Any) -> Any:
        if isinstance(value, str):
            value = value.replace(str(Path.home()), "~") if Path.home() != Path("/") else value
            return hidden.sub("-", value) if hidden else value
        if isinstance(value, Mapping):
            return {name: clean(item) for name, item in value.items()}
        return [clean(item) for item in value] if isinstance(value, (list, tuple)) else value

    return {name: clean(value) for name, value in found.items() if name not in ("host", "user")}


def _distributions() -> Iterable[tuple[str, str]]:
    return {(found.name, found.version) for found in importlib.metadata.distributions() if found.name}


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return ""


def _processor() -> str:
    """The processor's name; empty where the system does not say."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
