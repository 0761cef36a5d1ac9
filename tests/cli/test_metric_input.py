"""What a metric cannot use ends in one line, exit 2 and no output: the number and the limit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dnabench import SequenceSet

MEME = "MEME version 4\n\nALPHABET= ACGT\n\nMOTIF wide\nletter-probability matrix: alength= 4 w= {}\n{}"


@pytest.fixture
def files(tmp_path, promoters):
    """Sets of 64 bp, motif files and a file that is no model, by name, in the current directory."""
    real = SequenceSet.from_fasta(promoters)
    for name, rows in (("real", slice(0, 300)), ("few", slice(300, 340)), ("sample", slice(340, 640))):
        SequenceSet(real.codes[rows]).to_fasta(tmp_path / f"{name}.fa")
    SequenceSet(np.zeros((300, 64), np.uint8)).to_fasta(tmp_path / "poly-a.fa")
    SequenceSet(np.full((300, 64), 4, np.uint8)).to_fasta(tmp_path / "unknown.fa")
    SequenceSet(real.codes[:300, :40]).to_fasta(tmp_path / "short.fa")
    (tmp_path / "empty.meme").write_text("")
    (tmp_path / "wide.meme").write_text(MEME.format(70, "0.7 0.1 0.1 0.1\n" * 70))
    (tmp_path / "text.pt").write_text("not a model")
    return tmp_path


def refused(ended, message):
    assert ended.code == 2
    assert ended.out == ""
    (line,) = (line for line in ended.err.splitlines() if not line.startswith("dnabench: warning: "))
    assert message in line


@pytest.mark.parametrize(
    ("sample", "reference", "metric", "settings", "message"),
    [
        ("few", "real", "c2st", (), "40 generated sequences are too few: c2st needs 50"),
        ("few", "real", "fred", (), "40 generated sequences are too few: fred needs more than the 64 dimensions"),
        ("sample", "few", "fred", (), "40 reference sequences are too few"),
        ("few", "real", "coverage", ("coverage.k=40",), "40"),
        ("sample", "poly-a", "mmd", (), "the 300 reference sequences all have the same embedding by ae"),
        ("sample", "poly-a", "precision", (), "the 300 reference sequences all have the same embedding by ae"),
        ("unknown", "real", "gc", (), "300 of 300 generated sequences hold no base but N"),
        ("short", "short", "fred", (), "embedder ae takes sequences from 64 bp; these have 40 bp"),
        ("sample", "real", "motif-kl", ("motif-kl.motifs=empty.meme",), "empty.meme: an empty file"),
        ("sample", "real", "motif-kl", ("motif-kl.motifs=wide.meme",), "motif wide is 70 bp wide and cannot be looked"),
        ("sample", "real", "motif-frequency", ("motif-frequency.motifs=wide.meme",), "needs at least 3"),
        ("sample", "real", "novelty", (), "metric novelty needs training sequences: give them with --train"),
        ("sample", "real", "authenticity", (), "needs training sequences: give them with --train"),
        ("sample", "real", "oracle", (), "no weights given"),
        ("sample", "real", "oracle", ("oracle.weights=text.pt",), "text.pt"),
        ("sample", "real", "oracle", ("oracle.model=torchscript:text.pt",), "text.pt"),
        ("sample", "real", "swd@sei", ("sei.weights=text.pt",), "text.pt"),
        ("sample", "real", "mmd", ("mmd.kernel=cube",), "option mmd.kernel is 'cube'"),
    ],
)
def test_score(dnabench, files, monkeypatch, sample, reference, metric, settings, message):
    monkeypatch.chdir(files)
    assigned = [word for setting in settings for word in ("--set", setting)]
    score = ("score", f"{sample}.fa", "--reference", f"{reference}.fa", "-m", metric, *assigned)
    refused(dnabench(*score), message)


def test_a_run_is_refused_before_anything_is_trained(dnabench, files, promoters):
    run = ("run", "-g", "markov", "--dataset", promoters, "--out", Path.cwd() / "run")
    settings = ("-m", "motif-spacing", "--set", f"motif-spacing.motifs={files / 'wide.meme'}")
    refused(dnabench(*run, *settings), "motif-spacing")
    refused(dnabench(*run, "-m", "motif-kl", "--set", f"motif-kl.motifs={files / 'wide.meme'}"), "motif wide is 70 bp")
    assert not (Path.cwd() / "run").exists()
