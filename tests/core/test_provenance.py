from __future__ import annotations

import json
import subprocess
import sys

import pytest
import torch

from dnabench import provenance


def test_the_machine_as_torch_sees_it():
    script = (
        "import json, torch; from dnabench import provenance; torch.set_num_threads(1); "
        "print(json.dumps(provenance.machine()))"
    )
    found = json.loads(subprocess.run([sys.executable, "-c", script], capture_output=True, check=True).stdout)
    assert found["numerics"]["deterministic_algorithms"] is True
    assert found["numerics"]["threads"] == 1
    assert found["cuda"] == torch.version.cuda
    assert len(found["gpus"]) == torch.cuda.device_count()


def test_git_says_what_a_package_was_and_whether_it_was_changed(tmp_path, monkeypatch):
    def git(*words):
        done = subprocess.run(["git", "-C", tmp_path, *words], capture_output=True, text=True, check=True)
        return done.stdout.strip()

    package = tmp_path / "some_package"
    package.mkdir()
    (package / "__init__.py").write_text("raise RuntimeError('imported')")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert provenance.git_state("some_package") is None
    git("init", "-q")
    assert provenance.git_state("some_package") is None  # lies in a work tree, as a virtual environment may
    git("add", ".")
    git("-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "first")
    revision = git("rev-parse", "HEAD")
    assert provenance.git_state("some_package") == {"revision": revision, "dirty": False}
    (package / "__init__.py").write_text("changed")
    assert provenance.git_state("some_package") == {"revision": revision, "dirty": True}
    assert provenance.git_state("no_such_package") is None


def test_a_run_says_host_user_command_and_versions_unless_it_is_anonymous(monkeypatch, tmp_path):
    monkeypatch.setattr(provenance.platform, "node", lambda: "lab-7")
    monkeypatch.setenv("USER", "alice")
    for name in ("LOGNAME", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", "/home/alice")
    monkeypatch.setenv("DNABENCH_STORE", "/scratch/alice/store")
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    monkeypatch.setattr(
        sys, "argv", ["/home/alice/bin/dnabench", "run", "--out", "/scratch/alice-2/alicent", "lab-7:x"]
    )
    known = provenance.collect({"cpus": 2}, {"dnabench": "d" * 64})
    assert (known["host"], known["user"], known["cpus"]) == ("lab-7", "alice", 2)
    assert known["packages"]["torch"] == torch.__version__ or known["packages"]["torch"] in torch.__version__
    assert known["code"] == {"dnabench": "d" * 64}
    assert known["environment"]["CUBLAS_WORKSPACE_CONFIG"] == ":4096:8"
    hidden = provenance.collect({"cpus": 2}, {"dnabench": "d" * 64}, anonymous=True)
    text = json.dumps(hidden)
    assert "lab-7" not in text
    assert "alice" not in text.replace("alicent", "")
    assert hidden["command"] == ["~/bin/dnabench", "run", "--out", "/scratch/--2/alicent", "-:x"]
    assert hidden["environment"]["DNABENCH_STORE"] == "/scratch/-/store"


@pytest.mark.parametrize("name", ["HOME", "PATH", "AWS_SECRET_ACCESS_KEY"])
def test_no_other_variables_are_written_down(name, monkeypatch):
    monkeypatch.setenv(name, "x")
    assert name not in provenance.collect({}, {})["environment"]
