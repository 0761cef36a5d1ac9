"""``--python``: generators whose packages would not go together with those of dnabench's own environment."""

from __future__ import annotations

import csv
import json
import subprocess
import sysconfig
import venv
from pathlib import Path
from types import SimpleNamespace

import pytest

from dnabench import UserError
from dnabench.engines.sandbox import Limits
from dnabench.host import DaskHost
from dnabench.plan import PlannedGenerator

pytestmark = pytest.mark.slow  # an interpreter of its own imports torch

PLUGIN = """
from dataclasses import dataclass
from dnabench import GeneratorSpec, hookimpl, option

print("loaded")

@dataclass(frozen=True)
class AfarOptions:
    base: int = option(0, "the base that sequences are made of", minimum=0, maximum=3)

@hookimpl
def dnabench_generators():
    yield GeneratorSpec(name="afar", target="afar_dna_model:Afar", summary="one base", options=AfarOptions,
                        variant="base", presets={"standard": {"base": 2}})
"""
# It needs the second version of a library, whose first the environment of dnabench has.
MODEL = """
import json
import sys
import numpy as np
import quarrel_lib

class Afar:
    def __init__(self, options):
        self.options = options
    def fit(self, train, *, context):
        print("trained in", sys.prefix)
    def sample(self, n, *, context):
        return np.full((n, context.length), quarrel_lib.base_of_version_two(self.options.base), np.uint8)
    def save(self, directory):
        (directory / "model.json").write_text(json.dumps(sys.prefix))
    def load(self, directory):
        assert json.loads((directory / "model.json").read_text()) == sys.prefix
"""


def place(site: Path, name: str, version: str, source: str, entry_point: str = "") -> None:
    """Install a distribution of one module, as pip would; it takes the place of another version."""
    for old in site.glob(f"{name}-*.dist-info"):
        old.rename(old.with_suffix(".gone"))
    info = site / f"{name}-{version}.dist-info"
    info.mkdir(parents=True)
    (site / f"{name}.py").write_text(source)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    if entry_point:
        (info / "entry_points.txt").write_text(f"[dnabench]\n{entry_point} = {name}\n")


class Elsewhere:
    """A virtual environment with everything that the tests run with, and a plugin that they do not."""

    def __init__(self, home: Path) -> None:
        venv.create(home)
        self.python = home / "bin" / "python"
        command = [self.python, "-c", "import sysconfig; print(sysconfig.get_paths()['purelib'])"]
        self.site = Path(subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip())
        outer = sysconfig.get_paths()["purelib"]
        (self.site / "outer.pth").write_text(f"import site; site.addsitedir({outer!r})\n")
        self.quarrel("2.0")
        place(self.site, "afar_dna", "1.3", PLUGIN, "afar-dna")
        (self.site / "afar_dna_model.py").write_text(MODEL)

    def quarrel(self, version: str) -> None:
        place(self.site, "quarrel_lib", version, "def base_of_version_two(base):\n    return base\n")


@pytest.fixture
def elsewhere(tmp_path, monkeypatch) -> Elsewhere:
    ours = tmp_path / "ours"
    place(ours, "quarrel_lib", "1.0", "# no such function yet\n")
    monkeypatch.syspath_prepend(str(ours))
    monkeypatch.setenv("PYTHONPATH", str(ours))
    return Elsewhere(tmp_path / "environment")


def run_arguments(promoters, *more: object) -> list[object]:
    common = ["--dataset", promoters, "--metrics", "gc", "--seeds", "0", "--samples", "40", "--no-controls"]
    return ["run", "--generator", "afar,composition", *common, *more]


def test_its_cells_run_there_and_files_come_back(dnabench, promoters, elsewhere, tmp_path):
    arguments = run_arguments(promoters, "--python", f"afar={elsewhere.python}", "--set", "afar.base=1")
    ended = dnabench(*arguments, "--out", tmp_path / "run", "--format", "csv")
    assert ended.code == 0, ended.err
    assert "loaded" not in ended.out
    rows = {row["generator"]: row for row in csv.DictReader(ended.out.splitlines()) if row["metric"] == "gc"}
    assert rows["afar"]["options"] == '{"base":1}'
    assert {row["status"] for row in rows.values()} == {"done"}
    model = tmp_path / "run" / "models" / "afar" / "seed0"
    assert json.loads((model / "model.json").read_text()) == str(elsewhere.python.parents[1])
    assert json.loads((model / "dnabench.json").read_text())["distribution"] == "afar_dna 1.3"
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text())
    assert manifest["provenance"]["pythons"] == {"afar": str(elsewhere.python)}
    planned = {generator["name"]: generator for generator in manifest["plan"]["generators"]}
    assert planned["afar"]["environment"]["packages"]["quarrel_lib"] == "2.0"
    assert planned["composition"]["environment"] == {}
    assert manifest["provenance"]["packages"]["quarrel_lib"] == "1.0"


def test_variants_and_presets_are_those_of_its_records(dnabench, promoters, elsewhere):
    arguments = run_arguments(promoters, "--python", f"afar={elsewhere.python}", "--preset", "standard")
    ended = dnabench(*arguments, "--generator", "afar=3", "--dry-run", "--format", "json")
    assert ended.code == 0, ended.err
    planned = {generator["name"]: generator for generator in json.loads(ended.out)["plan"]["generators"]}
    assert planned["afar"]["options"] == {"base": 2}
    assert planned["afar=3"]["options"] == {"base": 3}


def test_another_version_of_what_it_needs_is_another_model(dnabench, promoters, elsewhere, tmp_path):
    arguments = run_arguments(promoters, "--python", f"afar={elsewhere.python}")
    assert dnabench(*arguments).code == 0
    dry = [*arguments, "--dry-run", "--format", "json"]
    stored = {cell["id"]: cell["stored"] for cell in json.loads(dnabench(*dry).out)["cells"]}
    assert stored["train/afar/seed0"] is True
    elsewhere.quarrel("2.1")
    cells = {cell["id"]: cell for cell in json.loads(dnabench(*dry).out)["cells"]}
    assert cells["train/afar/seed0"]["changed"] == ["environment.packages.quarrel_lib: 2.0 -> 2.1"]
    assert cells["train/composition/seed0"]["stored"] is True


def test_an_environment_that_changes_under_a_run_is_refused(dnabench, promoters, elsewhere, tmp_path):
    metadata = elsewhere.site / "quarrel_lib-2.0.dist-info" / "METADATA"
    upgrade = f"import pathlib; pathlib.Path({str(metadata)!r}).write_text('Name: quarrel_lib\\nVersion: 3.0\\n')"
    (elsewhere.site / "afar_dna_model.py").write_text(MODEL.replace('print("trained in", sys.prefix)', upgrade))
    ended = dnabench(*run_arguments(promoters, "--python", f"afar={elsewhere.python}", "--format", "csv"))
    rows = {row["generator"]: row for row in csv.DictReader(ended.out.splitlines()) if row["metric"] == "gc"}
    assert ended.code == 1
    assert rows["composition"]["status"] == "done"
    assert "the environment of afar is not what the run began with" in rows["afar"]["error"]


def test_bad_input(dnabench, promoters, elsewhere, tmp_path):
    def error(*more: object) -> str:
        ended = dnabench(*run_arguments(promoters, "--out", tmp_path / "run", *more))
        assert ended.code == 2, ended.err
        (line,) = [line for line in ended.err.splitlines() if line.startswith("dnabench: ")]
        return line

    given = f"afar={elsewhere.python}"
    assert "no generator named 'afar'" in error()
    assert "--python afar: not of the form NAME=/env/bin/python" in error("--python", "afar")
    assert "afar has one Python" in error("--python", given, "--python", given)
    assert "/nowhere: cannot be started: No such file or directory" in error("--python", "afar=/nowhere")
    assert "generator markov takes no part here" in error("--python", given, "--python", f"markov={elsewhere.python}")
    assert "afar has no option 'wrong'" in error("--python", given, "--set", "afar.wrong=1")
    assert "option afar.base is 7; it must be at most 3" in error("--python", given, "--set", "afar.base=7")
    venv.create(tmp_path / "empty")
    line = error("--python", f"afar={tmp_path / 'empty' / 'bin' / 'python'}")
    assert "No module named 'dnabench'); it takes the Python of an environment in which" in line
    (elsewhere.site / "dnabench.py").write_text("")
    assert "it takes the Python of an environment in which this dnabench" in error("--python", given)
    assert not (tmp_path / "run").exists()


def test_what_an_environment_lacks_is_said_before_anything_runs(dnabench, promoters, elsewhere, tmp_path):
    (elsewhere.site / "without.pth").write_text("import sys; sys.modules['scipy'] = None\n")
    arguments = run_arguments(promoters, "--python", f"afar={elsewhere.python}", "--out", tmp_path / "run")
    ended = dnabench(*arguments)
    assert ended.code == 2
    assert "python: scipy is not installed there, which dnabench needs" in ended.err
    assert not (tmp_path / "run").exists()


def test_a_server_that_cannot_import_fails_its_cells_alone(dnabench, promoters, elsewhere):
    (elsewhere.site / "scipy.py").write_text("raise ImportError('built for another NumPy')\n")
    ended = dnabench(*run_arguments(promoters, "--python", f"afar={elsewhere.python}", "--format", "csv"))
    rows = {row["generator"]: row for row in csv.DictReader(ended.out.splitlines()) if row["metric"] == "gc"}
    assert ended.code == 1
    assert rows["composition"]["status"] == "done"
    assert rows["afar"]["error"].endswith("python could not import what cells need; stderr says why")


def test_an_allow_list_is_for_this_environment(dnabench, promoters, elsewhere, monkeypatch):
    monkeypatch.setenv("DNABENCH_PLUGINS", "dnabench-baselines,dnabench-metrics")
    ended = dnabench(*run_arguments(promoters, "--python", f"afar={elsewhere.python}", "--dry-run"))
    assert ended.code == 0, ended.err


def test_workers_of_a_cluster_do_not_have_it():
    planned = PlannedGenerator(
        name="afar", plugin="afar", version=1, kind="model", distribution="afar_dna 1.3", device="cpu", devices=1,
        options={}, environment={"python": "3.11"},
    )  # fmt: skip
    host = DaskHost("dask://127.0.0.1", "cpu", threads=1, limits=Limits())
    with pytest.raises(UserError, match="--python afar: only this machine has that Python; use --engine local"):
        host.check(SimpleNamespace(generators=[planned]))
