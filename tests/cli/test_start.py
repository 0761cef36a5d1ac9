"""Starting is light: nothing heavy is imported before it is used."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

HEAVY = {"torch", "pandas", "sklearn", "ot", "scipy", "numpy", "rich"}

SCRIPT = """
import json, sys
from dnabench.cli import main
try:
    main({arguments!r})
except SystemExit as stop:
    assert not stop.code, stop.code
print(json.dumps(sorted({{name.partition(".")[0] for name in sys.modules}})))
"""


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["list"], ["show", "discdiff"], ["run", "--help"]])
def test_nothing_heavy_is_imported(arguments):
    script = SCRIPT.format(arguments=arguments)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    *output, modules = done.stdout.strip().splitlines()
    assert not HEAVY & set(json.loads(modules))
    assert output


def test_python_m_dnabench_is_the_command():
    done = subprocess.run([sys.executable, "-m", "dnabench", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("dnabench, version ")
