"""Bad input: exit 2, one line that says what, where and what would be right, and nothing written."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch


def said(ended) -> str:
    """The only line on stderr of a command that ended with exit code 2."""
    assert ended.code == 2
    assert ended.out == ""
    lines = ended.err.strip().splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("dnabench: ")
    assert list(Path.cwd().iterdir()) == []
    return lines[0]


RUN = ("run", "--generator", "markov", "--metrics", "mmd@kmer")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("run",), "Missing option '--generator'"),
        (("run", "--generator", "markvo"), "no generator named 'markvo'; did you mean markov"),
        (("run", "--generator", ","), "names no generator"),
        (("run", "--generator", "markov", "--metrics", "mdm"), "no metric named 'mdm'; did you mean mmd"),
        (("run", "--generator", "markov", "--metrics", "mmd@kmre"), "no embedder named 'kmre'; did you mean kmer"),
        ((*RUN, "--suite", "promoters-sim-v2"), "no suite named 'promoters-sim-v2'; did you mean promoters-sim-v1"),
        (
            (*RUN, "--dataset", "promoter-sim"),
            "no dataset, stored set or file named 'promoter-sim'; did you mean promoters-sim",
        ),
        ((*RUN, "--dataset", "absent.fa"), "absent.fa: no such file"),
        ((*RUN, "--seeds", "2-0"), "--seeds 2-0: '2-0' is neither"),
        ((*RUN, "--seeds", ""), "--seeds : '' is neither"),
        ((*RUN, "--no-plugin", "dnabench-gna"), "no plugin named 'dnabench-gna' to allow or leave out; did you mean"),
        (("run", "--generator", "all,markvo"), "no generator named 'markvo'"),
        ((*RUN, "--seeds", "a"), "--seeds a: 'a' is neither"),
        ((*RUN, "--samples", "many"), "Invalid value for '--samples': 'many'"),
        ((*RUN, "--samples", "0"), "Invalid value for '--samples': 0"),
        ((*RUN, "--preset", "fast"), "'fast' is not one of 'quick', 'standard', 'paper'"),
        ((*RUN, "--set", "markov.order"), "--set markov.order: not of the form NAME.OPTION=VALUE"),
        ((*RUN, "--config", "absent.toml"), "absent.toml: cannot be read: No such file"),
        ((*RUN, "--device", "tpu"), "--device tpu: it takes auto, cpu, cuda or cuda:N"),
        (("score", "a.fa", "--reference", "b.fa", "--metrics", "mmmd"), "no metric named 'mmmd'"),
        (("score", "a.fa", "--reference", "b.fa"), "b.fa: no such file"),
        (("sample", "nowhere", "--n", "3", "-o", "x.fa"), "nowhere: no trained model here"),
        (("show", "markvo"), "no plugin or suite named 'markvo'; did you mean markov"),
        (("rnu",), "No such command 'rnu'"),
    ],
)
def test_names_and_values(dnabench, arguments, message):
    assert message in said(dnabench(*arguments))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--set", "markov.oder=3"), "markov has no option 'oder'; did you mean order"),
        (("--set", "markvo.order=3"), "no plugin named 'markvo'; did you mean markov"),
        (("--set", "gan.learning_rate=inf", "-g", "gan"), "gan.learning_rate is 'inf', which is not of type number"),
        (("--set", "markov.order=three"), "option markov.order is 'three', which is not of type whole number"),
        (("--set", "markov.order=9"), "option markov.order is 9; it must be at most 8"),
        (("--set", "gan.batch=3"), "options of gan are set, but gan takes no part here"),
        (("--samples", "300"), "--samples 300: the control holdout has only 70 held-out sequences"),
        (("--metrics", "motif-kl", "--set", "motif-kl.motifs=absent.meme"), "absent.meme: "),
        (("--length", "65"), "64 bases, fewer than --length 65"),
        (("--metrics", "motif-kl@kmer"), "metric motif-kl works on sequences"),
        (
            ("--metrics", "fred@kmer"),
            "70 generated sequences are too few: fred@kmer needs more than the 256 dimensions",
        ),
    ],
)
def test_what_does_not_fit_the_data(dnabench, promoters, options, message):
    assert message in said(dnabench(*RUN, "--dataset", promoters, *options))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "bad.fa: the file is empty"),
        ("sequence\nACGT\n", "bad.fa: not FASTA"),
        (">a\nACGT\n>b\nACXT\n", "bad.fa, line 4: record 'b' (number 2), column 3: letter 'X'"),
        (
            ">a\nACGT\n>b\nACG\n",
            "bad.fa, line 3: record 'b' (number 2) has 3 bases, but 'a' has 4; --length L would crop",
        ),
        (">a\nACGT\n", "1 sequences in 1 groups of relatives (shared 50-mers) are too few to split"),
    ],
)
def test_files(dnabench, tmp_path, text, message):
    path = tmp_path / "bad.fa"
    path.write_text(text)
    assert message in said(dnabench(*RUN, "--dataset", path))


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device here")
def test_cuda_without_cuda(dnabench, promoters):
    message = said(dnabench(*RUN, "--dataset", promoters, "--device", "cuda"))
    assert "--device cuda: no CUDA device is available here" in message


def test_toml_that_is_none_and_toml_without_tables(dnabench, tmp_path):
    config = tmp_path / "options.toml"
    config.write_text("[markov\n")
    assert "not TOML" in said(dnabench(*RUN, "--config", config))
    config.write_text("[gan]\n")
    assert "options of gan are set, but gan takes no part" in said(dnabench(*RUN, "--config", config))
    config.write_text("order = 3\n")
    assert "'order' is no table" in said(dnabench(*RUN, "--config", config))


def test_output_that_cannot_be_written(dnabench, promoters, tmp_path):
    run = (*RUN, "--dataset", promoters, "--out")
    (tmp_path / "file").write_text("precious")
    assert "is a file; --out takes a directory" in said(dnabench(*run, tmp_path / "file"))
    assert "cannot be written" in said(dnabench(*run, tmp_path / "file" / "run"))
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.tex").write_text("precious")
    assert "is not empty and not a run" in said(dnabench(*run, tmp_path / "full"))
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["thesis.tex"]
    assert (tmp_path / "file").read_text() == "precious"
    store = ("--store", tmp_path / "file" / "store")
    assert "the store cannot be written" in said(dnabench(*run, tmp_path / "new", *store))
    assert not (tmp_path / "new").exists()


def test_scored_files_must_have_the_references_length(dnabench, promoters, tmp_path):
    (tmp_path / "short.fa").write_text(">a\nACGT\n>b\nACGT\n")
    ended = dnabench("score", tmp_path / "short.fa", "--reference", promoters, "--metrics", "mmd@kmer")
    assert "sequences have 4 bases, those of" in said(ended)
    assert "--length 4 would crop both" in ended.err


def test_a_score_takes_no_options_of_strangers(dnabench, promoters):
    ended = dnabench("score", promoters, "--reference", promoters, "--metrics", "mmd@kmer", "--set", "swd.seed=1")
    assert "options of swd are set, but swd takes no part here" in said(ended)


def test_a_damaged_model(dnabench, tmp_path):
    sample = ("sample", tmp_path, "--n", "3", "-o", "x.fa")
    (tmp_path / "dnabench.json").write_text("{}")
    assert "no trained model here" in said(dnabench(*sample))
    about = {"generator": "markov", "version": 1, "options": {}, "length": 8, "dataset_sha256": "0"}
    (tmp_path / "dnabench.json").write_text(json.dumps(about))
    assert "markov cannot load it: FileNotFoundError" in said(dnabench(*sample))


def test_debug_adds_a_traceback_and_keeps_the_exit_code(dnabench):
    ended = dnabench("run", "--generator", "markvo", "--debug")
    assert ended.code == 2
    assert "Traceback" in ended.err
