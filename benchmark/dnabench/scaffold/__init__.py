"""A new plugin package from templates, for ``dnabench new``: it installs, passes its tests and takes part in a run."""

from __future__ import annotations

import os
import shutil
import tempfile
from importlib.resources import files
from pathlib import Path
from string import Template

import dnabench
from dnabench.errors import UserError
from dnabench.hookspecs import API_VERSION
from dnabench.specs import NAME_PATTERN

KINDS = ("generator", "metric", "embedder", "dataset")
_TRY = {
    "generator": "dnabench run --generator $name,markov --metrics kmer-js,gc",
    "metric": "dnabench run --generator markov,composition --metrics $name",
    "embedder": "dnabench run --generator markov,composition --metrics fred@$name,mmd@$name",
    "dataset": "dnabench run --generator markov,composition --dataset $name --metrics kmer-js,gc",
}
# Template -> where it goes; the last two are those of the kind.
_FILES = {
    "pyproject.toml": "pyproject.toml",
    "README.md": "README.md",
    "tox.ini": "tox.ini",
    "ci.yml": ".github/workflows/test.yml",
    "test_conformance.py": "tests/test_conformance.py",
    "{kind}/__init__.py": "{package}/__init__.py",
    "{kind}/{module}.py": "{package}/{module}.py",
}
_MODULES = {"generator": "model", "metric": "score", "embedder": "encoder", "dataset": "data"}


def create(kind: str, name: str, directory: Path) -> list[Path]:
    """Write the package of a plugin called ``name`` into ``directory``; returns its files, relative to that.

    UserError, and nothing written, when the name is none for a plugin or ``directory`` holds something already.
    """
    if not NAME_PATTERN.fullmatch(name):
        raise UserError(f"{name!r} is no name for a plugin: lower-case words joined by hyphens, such as my-model")
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise UserError(f"{directory}: there already, and not an empty directory; --out takes another")
    words = {
        "kind": kind,
        "name": name,
        "package": f"dnabench_{name.replace('-', '_')}",
        "module": _MODULES[kind],
        "cls": "".join(word.capitalize() for word in name.split("-")),
        "version": dnabench.__version__,
        "api": str(API_VERSION),
    }
    words["try_it"] = Template(_TRY[kind]).substitute(words)
    templates = files("dnabench.scaffold") / "templates"
    written = [Path(target.format(**words)) for target in _FILES.values()]
    try:
        directory.parent.mkdir(parents=True, exist_ok=True)
        unfinished = Path(tempfile.mkdtemp(prefix=".dnabench-new-", dir=directory.parent))
    except OSError as error:
        raise UserError(f"{directory}: cannot be made: {error.strerror}") from None
    try:
        for template, path in zip(_FILES, written, strict=True):
            text = (templates / f"{template.format(**words)}.txt").read_text(encoding="utf-8")
            (unfinished / path).parent.mkdir(parents=True, exist_ok=True)
            (unfinished / path).write_text(Template(text).substitute(words), encoding="utf-8")
        unfinished.chmod(0o777 & ~_umask())
        os.replace(unfinished, directory)  # noqa: PTH105 - Path.replace refuses an empty directory no more than this
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise
    return written


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
