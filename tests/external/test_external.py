"""The generator ``external``: real programs that write FASTA, alone and in a run."""

from __future__ import annotations

import contextlib
import csv
import stat
import sys
from pathlib import Path

import numpy as np
import psutil
import pytest

from dnabench import SequenceSet, UserError
from dnabench_external.model import External
from dnabench_external.options import ExternalOptions

SAMPLE = f"""#!{sys.executable}
import random, sys
n, seed, out, length = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], int(sys.argv[4])
draw = random.Random(seed)
print("sampling")
with open(out, "w") as file:
    for number in range(n):
        file.write(f">s{{number}}\\n" + "".join(draw.choice("ACGT") for _ in range(length)) + "\\n")
"""
# Learns the share of each base; what it writes into {model} is all that sampling has.
TRAIN = f"""#!{sys.executable}
import sys
bases = "".join(line.strip() for line in open(sys.argv[1]) if line[0] != ">")
open(sys.argv[2] + "/shares.txt", "w").write(" ".join(str(bases.count(base)) for base in "ACGT"))
"""
TRAINED = f"""#!{sys.executable}
import random, sys
n, seed, out, length = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], int(sys.argv[4])
draw, shares = random.Random(seed), [int(word) for word in open(sys.argv[5] + "/shares.txt").read().split()]
with open(out, "w") as file:
    for number in range(n):
        file.write(f">s{{number}}\\n" + "".join(draw.choices("ACGT", shares, k=length)) + "\\n")
"""
WORDS = "{n} {seed} {out} {length}"


@pytest.fixture
def script(tmp_path):
    def write(text: str, name: str = "sample.py") -> Path:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return path

    return write


def random_set(n: int = 50, length: int = 32, p: tuple[float, ...] = (0.7, 0.1, 0.1, 0.1)) -> SequenceSet:
    return SequenceSet(np.random.default_rng(1).choice(4, (n, length), p=p).astype(np.uint8))


def test_the_command_gets_what_its_placeholders_stand_for(script, make_context):
    model = External(ExternalOptions(command=f"{script(SAMPLE)} {WORDS}"))
    model.fit(random_set(), context=make_context(length=32))
    one = model.sample(7, context=make_context(length=32, seed=3))
    assert one.codes.shape == (7, 32)
    assert one.digest == model.sample(7, context=make_context(length=32, seed=3)).digest
    assert one.digest != model.sample(7, context=make_context(length=32, seed=4)).digest


def test_what_training_leaves_comes_back_from_a_save(script, make_context, tmp_path):
    train, sample = script(TRAIN, "train.py"), script(TRAINED, "trained.py")
    options = ExternalOptions(command=f"{sample} {WORDS} {{model}}", train=f"{train} {{train}} {{model}}")
    model = External(options)
    model.fit(random_set(500), context=make_context(length=32))
    (tmp_path / "saved").mkdir()
    model.save(tmp_path / "saved")
    restored = External(options)
    restored.load(tmp_path / "saved")
    codes = restored.sample(200, context=make_context(length=32)).codes
    assert (codes == 0).mean() == pytest.approx(0.7, abs=0.03)  # five standard errors of 6,400 bases


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("import sys; sys.exit('no such model')", "external.command ended with exit code 1"),
        ("import os; os.kill(os.getpid(), 9)", "external.command was ended by SIGKILL"),
        ("", "wrote no file sample.fa"),
        (
            "import sys; open(sys.argv[3], 'w').write('>a\\n' + 'A' * 32 + '\\n')",
            "wrote 1 sequences of 32 bp; asked for were 7 of 32 bp",
        ),
        ("import sys; open(sys.argv[3], 'w').write('>a\\nAC!T\\n')", "sample.fa"),
    ],
)
def test_a_command_that_fails_is_answered_in_one_line(script, make_context, text, message):
    model = External(ExternalOptions(command=f"{script(f'#!{sys.executable}' + chr(10) + text)} {WORDS}"))
    model.fit(random_set(), context=make_context(length=32))
    with pytest.raises(UserError, match=message) as caught:
        model.sample(7, context=make_context(length=32))
    assert "\n" not in str(caught.value)


def test_a_program_that_is_none(script, make_context):
    model = External(ExternalOptions(command=f"{script('no first line that says what it is')} {WORDS}"))
    with pytest.raises(UserError, match="external has not been trained"):
        model.sample(1, context=make_context(length=32))
    model.fit(random_set(), context=make_context(length=32))
    with pytest.raises(UserError, match="sample.py cannot be run: Exec format error"):
        model.sample(1, context=make_context(length=32))


def test_a_sample_of_before_is_not_taken_for_one(script, make_context):
    model = External(ExternalOptions(command=f"{script(SAMPLE)} {WORDS}"))
    model.fit(random_set(), context=make_context(length=32))
    context = make_context(length=32)
    model.sample(7, context=context)
    silent = External(ExternalOptions(command=f"true {WORDS}"))
    silent.load(model.model)
    with pytest.raises(UserError, match=r"wrote no file sample\.fa"):
        silent.sample(7, context=context)


def test_training_goes_on_from_what_it_left_and_sampling_changes_nothing(script, make_context, tmp_path):
    count = f"#!{sys.executable}\nimport sys\nopen(sys.argv[1] + '/runs', 'a').write(sys.argv[2])\n"
    spoil = SAMPLE + "open(sys.argv[5] + '/runs', 'w').write('spoiled')\n"
    train = script(count, "a training.py")
    command = f"'{script(spoil)}' {WORDS} {{model}}"
    model = External(ExternalOptions(command=command, train=f"'{train}' {{model}} {{device}} {{train}}"))
    context = make_context(length=32)
    model.fit(random_set(), context=context)
    model.fit(random_set(), context=context)  # as after an interruption: the same scratch
    model.sample(3, context=make_context(length=32))
    (tmp_path / "saved").mkdir()
    model.save(tmp_path / "saved")
    assert (tmp_path / "saved" / "runs").read_text() == "cpucpu"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "has no command; give one"),
        ({"command": "sample {n} {out}"}, r"lacks \{seed\}"),
        ({"command": "sample {n} {seed} {out} {colour}"}, r"\{colour\} is none of \{n\} \{seed\}"),
        ({"command": "sample {n} {seed} {out:d}"}, "a placeholder is a name alone"),
        ({"command": "sample {n!r} {seed} {out}"}, "a placeholder is a name alone"),
        ({"command": "awk '{print}' {n} {seed} {out}"}, r"other braces are doubled: \{\{ \}\}"),
        ({"command": "sample '{n} {seed} {out}"}, "No closing quotation"),
        ({"command": "true {n} {seed} {out}", "train": "learn"}, r"lacks \{train\}"),
        ({"command": "sample {n} {seed} {out}"}, "the program sample is not in /"),
        ({"command": "./{name} {n} {seed} {out}"}, r"has \{name\}: say --generator external=NAME"),
        (
            {"command": "true {n} {seed} {out}", "name": "evo"},
            r"evo is to be external's name, but no command has \{name\}",
        ),
        ({"command": f"{__file__} {{n}} {{seed}} {{out}}"}, r"cannot be executed \(chmod \+x\)"),
        ({"command": "./{name} {n} {seed} {out}", "name": "evo"}, "the program ./evo is not in /"),
    ],
)
def test_commands_that_cannot_work_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        ExternalOptions(**options)


def test_options_know_the_files_that_they_name(script):
    path = script(SAMPLE)
    before = ExternalOptions(command=f"{path} {WORDS}")
    assert len(before.files_sha256) == 64
    assert ExternalOptions(command=before.command, files_sha256=before.files_sha256) == before
    script(SAMPLE + "\n# another")
    assert ExternalOptions(command=before.command).files_sha256 != before.files_sha256
    with pytest.raises(ValueError, match="are not what they were, or not to be found from"):
        ExternalOptions(command=before.command, files_sha256=before.files_sha256)
    train = script(TRAIN, "train.py")
    trained = ExternalOptions(command=before.command, train=f"{train} {{train}}").files_sha256
    script(TRAIN + "\n# another", "train.py")
    assert ExternalOptions(command=before.command, train=f"{train} {{train}}").files_sha256 != trained


def test_a_program_in_a_word_is_no_file():
    assert ExternalOptions(command=f"sh -c '{'true; ' * 1000}' {WORDS}").files_sha256 == ""


def test_a_run_ranks_a_command(dnabench, labelled_fasta, script, tmp_path):
    run = ("run", "--dataset", labelled_fasta, "--metrics", "kmer-js", "--seeds", "0-1", "--samples", "70")
    ended = dnabench(*run, "-g", "external,composition", "--set", f"external.command={script(SAMPLE)} {WORDS}",
                     "--out", tmp_path / "run")  # fmt: skip
    assert ended.code == 0, ended.err
    with (tmp_path / "run" / "results.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["generator"] == "external" and row["metric"] == "kmer-js"]
    assert len(rows) == 2
    assert all(row["status"] == "done" and "files_sha256" in row["options"] for row in rows)
    assert "sampling" not in ended.out  # what the program prints is no result


def test_a_run_compares_two_commands(dnabench, labelled_fasta, script, tmp_path):
    for name, bases in {"poor": "AT", "even": "ACGT"}.items():
        script(SAMPLE.replace('draw.choice("ACGT")', f'draw.choice("{bases}")'), f"{name}.py")
    ended = dnabench("run", "--dataset", labelled_fasta, "--metrics", "gc", "--seeds", "0", "--samples", "70",
                     "-g", "external=poor,external=even", "--set", f"external.command={tmp_path}/{{name}}.py {WORDS}",
                     "--no-controls", "--format", "csv")  # fmt: skip
    assert ended.code == 0, ended.err
    rows = {row["generator"]: row for row in csv.DictReader(ended.out.splitlines()) if row["metric"] == "gc"}
    # The real ones have a GC of 0.2: the distance to one that has none, and to one that has a half.
    assert float(rows["external=poor"]["value"]) == pytest.approx(0.2, abs=0.02)
    assert float(rows["external=even"]["value"]) == pytest.approx(0.3, abs=0.02)
    assert rows["external=poor"]["options"] != rows["external=even"]["options"]


def test_all_leaves_out_what_needs_settings(dnabench, labelled_fasta):
    plan = dnabench("run", "--dataset", labelled_fasta, "--metrics", "gc", "-g", "all", "--dry-run")
    assert plan.code == 0, plan.err
    assert "markov" in plan.out
    assert "external" not in plan.out
    alone = dnabench("run", "--dataset", labelled_fasta, "--metrics", "gc", "-g", "external", "--dry-run")
    assert alone.code == 2
    assert "--set external.command=" in alone.err


@pytest.fixture
def labelled_fasta(tmp_path) -> Path:
    path = tmp_path / "real.fa"
    random_set(800, 64).to_fasta(path)
    return path


def test_a_command_ends_with_its_cell(dnabench, labelled_fasta, script, tmp_path):
    slow = f"#!{sys.executable}\nimport os, sys, time\nopen({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid()))\n"
    path = script(slow + "print('loading', file=sys.stderr, flush=True)\ntime.sleep(600)\n")
    run = ("run", "--dataset", labelled_fasta, "--metrics", "gc", "--seeds", "0", "--samples", "70", "-g", "external")
    ended = dnabench(*run, "--set", f"external.command={path} {WORDS}", "--timeout", "5s", "--out", tmp_path / "run")
    assert ended.code == 1, ended.err
    assert "loading" in ended.err  # what it said before is in the error
    with contextlib.suppress(psutil.NoSuchProcess):
        psutil.Process(int((tmp_path / "pid").read_text())).wait(60)  # raises where it goes on
