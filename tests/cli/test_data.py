"""``dnabench data``: every command as a user gives it."""

from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dnabench import SequenceSet
from dnabench.data.sets import Sets


def random_sequences(n: int, length: int, seed: int = 0) -> list[str]:
    codes = np.random.default_rng(seed).integers(0, 4, (n, length))
    return ["".join("ACGT"[code] for code in row) for row in codes]


@pytest.fixture
def small(tmp_path) -> Path:
    """Seven good records of 8 bp, one a repetition, one the reverse complement of another, one with N; two faulty."""
    path = tmp_path / "small.fa"
    path.write_text(
        ">a species=hs\nACGTACGA\n>b species=hs\nCCCCCCCC\n>c species=mm\nACGTACGA\n>d species=mm\nTCGTACGT\n"
        ">e species=mm\nACGTNACG\n>f\nAAAAAAAR\n>g\nacgtacgg\n>h\n\n>i\nACGTXCGT\n"
    )
    return path


def test_info_counts_what_is_there(dnabench, small):
    ended = dnabench("data", "info", small, "--format", "json")
    assert ended.code == 0
    about = json.loads(ended.out)
    assert (about["n"], about["faulty"], about["lengths"]) == (7, 2, {"8": 7})
    assert about["ambiguous_read_as_n"] == 1
    letters = "ACGTACGA CCCCCCCC ACGTACGA TCGTACGT ACGTNACG AAAAAAAN ACGTACGG"
    assert about["letters"] == {letter: letters.count(letter) for letter in "ACGTN"}
    known = len(letters.replace(" ", "").replace("N", ""))
    assert about["gc"] == pytest.approx((letters.count("G") + letters.count("C")) / known, abs=1e-6)
    assert (about["with_n"], about["duplicates"], about["reverse_complements"]) == (2, 1, 1)
    assert about["labels"]["species"]["counts"] == {"": 2, "hs": 2, "mm": 3}
    assert "small.fa, line 15: record 'h' (number 8) has no sequence" in ended.err
    assert "small.fa, line 18: record 'i' (number 9), column 5: letter 'X'" in ended.err
    assert "1 IUPAC codes for several bases were read as N" in ended.err


def test_info_for_people(dnabench, labelled):
    ended = dnabench("data", "info", labelled)
    assert ended.code == 0
    assert "labelled.fa: 800 sequences" in ended.out
    assert "species     at 500, gc 300" in ended.out
    assert "split groups-50mer-80:10:10: train 640, validation 80, test 80" in ended.out
    assert "test against train: 0 duplicates, 0 reverse complements, 0 (0.00%) with a relative" in ended.out


def test_info_of_several_lengths_goes_as_far_as_it_can(dnabench, tmp_path):
    path = tmp_path / "mixed.csv"
    path.write_text("Sequence,species\nACGT,hs\nACGTAC,mm\nGGGT,mm\n")
    ended = dnabench("data", "info", path)
    assert ended.code == 0
    assert "4 to 6 bp, 2 lengths; most frequent 4 bp (2), 6 bp (1)" in ended.out
    assert "--length L" in ended.out
    assert "4 bp" in dnabench("data", "info", path, "--length", "4").out


def test_info_says_how_leaky_a_random_split_is(dnabench, tmp_path):
    """Every sequence has a twin that differs in one base, so that 80 % of the test twins are in training."""
    twins = [(text, ("A" if text[0] != "A" else "C") + text[1:]) for text in random_sequences(500, 128)]
    path = tmp_path / "twins.fa"
    path.write_text("".join(f">{i}\n{one}\n>{i}b\n{two}\n" for i, (one, two) in enumerate(twins)))

    def leaks(split: str) -> dict[str, object]:
        ended = dnabench("data", "info", path, "--split", split, "--format", "json")
        return json.loads(ended.out)["split"]["leaks"]["test"]

    assert (leaks("groups")["relatives"], leaks("groups")["any_shared"]) == (0, 0)
    random = leaks("random")
    assert (random["n"], random["duplicates"]) == (100, 0)
    assert 60 <= random["relatives"] == random["any_shared"] <= 95
    assert random["relative_share"] == random["relatives"] / 100


def test_import_cleans_and_a_run_takes_the_set_by_its_name(dnabench, tmp_path):
    texts = random_sequences(600, 64)
    table = pd.DataFrame({"dna": [*texts, texts[0], "N" * 64, "ACGT", "ACGX"], "species": "hs"})
    table.to_csv(tmp_path / "mine.csv", index=False)
    ended = dnabench("data", "import", tmp_path / "mine.csv", "--name", "my-set", "--format", "json")
    assert ended.code == 0
    about = json.loads(ended.out)
    assert (about["n"], about["length"], about["was_here"]) == (600, 64, False)
    assert about["dropped"] == {"faulty": 1, "wrong length": 1, "with N": 1, "repeated": 1}
    assert about["sha256"] == SequenceSet.from_strings(texts, labels=pd.DataFrame({"species": ["hs"] * 600})).digest
    assert "mine.csv, line 605: record 'record 604' (number 604), position 4 of the sequence: letter 'X'" in ended.err
    again = dnabench("data", "import", tmp_path / "mine.csv", "--name", "my-set")
    assert "was here already, the same" in again.out
    run = dnabench("run", "-g", "markov", "-m", "mmd@kmer", "--seeds", "0", "--dataset", "my-set", "--format", "csv",
                   "--no-controls")  # fmt: skip
    assert run.code == 0
    assert f"custom,my-set,{about['sha256']},groups-50mer-80:10:10,all," in run.out
    listed = json.loads(dnabench("data", "list", "--format", "json").out)
    (entry,) = [entry for entry in listed if entry["name"] == "my-set"]
    assert (entry["here"], entry["n"], entry["from"]) == (True, 600, str(tmp_path / "mine.csv"))


def test_import_crops_only_when_asked_to(dnabench, tmp_path):
    path = tmp_path / "x.fa"
    path.write_text(">a\nACGT\n>b\nAACGTT\n>c\nGGGT\n")
    assert "2 sequences of 4 bp" in dnabench("data", "import", path, "--name", "x").out
    cropped = dnabench("data", "import", path, "--name", "y", "--length", "2")
    assert "3 sequences of 2 bp" not in cropped.out
    assert "2 sequences of 2 bp" in cropped.out  # the cores of ACGT and AACGTT are one
    assert "1 repeated" in cropped.out


def test_split_writes_what_a_run_reads_with_the_split_it_has(dnabench, labelled, tmp_path):
    out = tmp_path / "parts"
    ended = dnabench("data", "split", labelled, "--out", out, "--format", "json")
    assert ended.code == 0
    assert sorted(path.name for path in out.iterdir()) == [
        "split.json", "test.fa.gz", "train.fa.gz", "validation.fa.gz",
    ]  # fmt: skip
    about = json.loads(ended.out)
    assert about.pop("directory") == str(out)
    assert json.loads((out / "split.json").read_text()) == about
    parts = {name: SequenceSet.from_fasta(out / f"{name}.fa.gz") for name in ("train", "validation", "test")}
    assert {name: len(part) for name, part in parts.items()} == {"train": 640, "validation": 80, "test": 80}
    written = [
        (*pair,)
        for part in parts.values()
        for pair in zip(part.names, part.strings(), part.labels["species"], strict=True)
    ]
    whole = SequenceSet.from_fasta(labelled)
    assert sorted(written) == sorted(zip(whole.names, whole.strings(), whole.labels["species"], strict=True))
    arguments = ("run", "-g", "markov", "-m", "mmd@kmer", "--seeds", "0", "--no-controls", "--format", "csv",
                 "--dataset")  # fmt: skip
    from_file, from_parts = dnabench(*arguments, labelled), dnabench(*arguments, out)
    assert ",groups-50mer-80:10:10,all,markov," in from_file.out
    assert ",groups-50mer-80:10:10,all,markov," in from_parts.out
    described = dnabench("data", "info", out)
    assert "split groups-50mer-80:10:10: train 640, validation 80, test 80" in described.out
    refused = dnabench(*arguments, out, "--split", "random")
    assert refused.code == 2
    assert "parts: is split already (groups-50mer-80:10:10)" in refused.err
    assert ",groups-50mer-80:10:10,all,markov," in dnabench(*arguments, out, "--length", "60").out
    (out / "train.fa.gz").unlink()
    SequenceSet.from_strings(random_sequences(640, 64)).to_fasta(out / "train.fa.gz")
    assert ",given,all,markov," in dnabench(*arguments, out).out


def test_a_split_is_the_same_in_another_process_and_another_store(labelled, tmp_path):
    def split(name: str) -> list[bytes]:
        command = [sys.executable, "-m", "dnabench", "data", "split", labelled, "--out", tmp_path / name]
        environment = os.environ | {"DNABENCH_STORE": str(tmp_path / f"store-{name}")}
        subprocess.run(command, check=True, capture_output=True, env=environment)
        return [(tmp_path / name / file).read_bytes() for file in ("train.fa.gz", "test.fa.gz", "split.json")]

    assert split("one") == split("two")


def test_a_random_split_is_flagged_in_every_row(dnabench, labelled, tmp_path):
    arguments = ("run", "-g", "markov", "-m", "mmd@kmer", "--seeds", "0", "--dataset", labelled)
    ended = dnabench(*arguments, "--split", "random", "--out", tmp_path / "run")
    assert ended.code == 0
    results = pd.read_csv(tmp_path / "run" / "results.csv")
    board = pd.read_csv(tmp_path / "run" / "leaderboard.csv")
    assert set(results["split"]) == {"random-80:10:10"}
    assert all("random-split" in flags.split(";") for flags in board["flags"])
    assert "random-split: test sequences may have near copies among the training sequences" in ended.out
    assert dnabench("data", "split", labelled, "--split", "random", "--out", tmp_path / "parts").code == 0
    kept = dnabench(*arguments[:-1], tmp_path / "parts", "--length", "60", "--out", tmp_path / "again", "--no-controls")
    assert "random-split" in kept.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("data", "import", "absent.fa", "--name", "x"), "absent.fa: no such file"),
        (("data", "import", "small.fa", "--name", "X y"), "name 'X y' is not lower-case words joined by hyphens"),
        (
            ("data", "import", "small.fa", "--name", "x", "--length", "9"),
            "no sequence of 9 bp is left: 2 faulty, 7 wrong",
        ),
        (("data", "info", "absent.parquet"), "absent.parquet: no such file"),
        (("data", "info", "nothing"), "no dataset, stored set or file named 'nothing'"),
        (("data", "split", "small.fa", "--out", "."), ".: is not empty; choose another --out"),
        (("data", "split", "small.fa", "--out", "new", "--fractions", "80:20"), "--fractions 80:20: three positive"),
        (("data", "split", "good.fa", "--out", "new"), "are too few to split into train, validation and test"),
        (("data", "split", "small.fa", "--out", "new"), "small.fa, line 15: record 'h' (number 8) has no sequence"),
        (("data", "fetch", "promoters-sim"), "dataset promoters-sim is made here and needs no download"),
        (("data", "fetch", "nothing"), "no dataset named 'nothing'"),
        (
            ("data", "fetch", "promoters-sim", "--set", "markov.order=2"),
            "only options of promoters-sim can be set here",
        ),
        (("run", "-g", "markov", "--suite", "epd15-256-v1"), "dnabench data fetch epd-gendna brings them"),
        (("run", "-g", "markov", "--data", ".", "--dataset", "good.fa"), "give one of the two"),
        (("run", "-g", "markov=x"), "option markov.order is 'x'"),
        (("run", "-g", "markov=3", "--set", "markov.order=2"), "markov=3 says what markov.order is"),
        (("run", "-g", "markov,markov=5"), "generators markov and markov=5 are the same with the same options"),
        (("run", "-g", "sim-truth", "--length", "128"), "is for whole sequences of promoters-sim; --length crops them"),
        (
            ("run", "-g", "markov", "-m", "sim-nll", "--dataset", "wide.fa"),
            "sim-nll is for data set promoters-sim alone",
        ),
        (("run", "-g", "markov", "--dataset", ""), "the name of a data set or file is empty"),
        (("run", "-g", "markov", "--dataset", "half"), "half: looks split, but holds test.fa, train.fa"),
        (
            ("run", "-g", "markov", "--dataset", "good.fa", "--dataset", "three"),
            "three: is split into train, validation",
        ),
        (
            ("run", "-g", "markov", "--data", "three"),
            "three: is split already, but suite promoters-sim-v1 splits its data",
        ),
        (("data", "info", "rna.fa"), "rna.fa: no record can be read; the first fault: rna.fa, line 2"),
        (("data", "import", "good.fa", "--name", "epd-gendna-256"), "name 'epd-gendna-256' is that of a data set of"),
        (("data", "import", "good.fa", "--name", "promoters-sim"), "name 'promoters-sim' is that of a data set of"),
        (("run", "-g", "random=x"), "random has no variants"),
        (("run", "-g", "markov=a/b"), "'a/b' is no value of markov.order"),
        (("run", "-g", "markov", "--set", "markov.by=tissue"), "promoters-sim has no label 'tissue'; its labels are"),
    ],
)
def test_bad_input_gets_one_line(dnabench, small, arguments, message):
    Path("small.fa").write_bytes(small.read_bytes())
    Path("good.fa").write_text(">a\nACGT\n>b\nCCGT\n")
    Path("rna.fa").write_text(">a\nACGU\n")
    Path("wide.fa").write_text("".join(f">{i}\n{text}\n" for i, text in enumerate(random_sequences(600, 128))))
    for directory, parts in (("half", ("train", "test")), ("three", ("train", "validation", "test"))):
        Path(directory).mkdir()
        for part in parts:
            (Path(directory) / f"{part}.fa").write_text(">a\nACGT\n")
    before = sorted(Path().iterdir())
    ended = dnabench(*arguments)
    assert ended.code == 2
    assert ended.out == ""
    assert message in ended.err.splitlines()[-1]
    assert sorted(Path().iterdir()) == before


def importing(path: Path, store: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "dnabench", "data", "import", path, "--name", "mine", "--store", store]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def test_a_name_of_published_data_vouches_for_nothing(dnabench, tmp_path):
    """A set that lies where the fetched one would be, but was not fetched, takes the place of the suite's data."""
    labels = pd.DataFrame({"species": ["hs", "mm", "rm", "rn", "dr"] * 200})
    sequences = SequenceSet.from_strings(random_sequences(1000, 256), labels=labels)
    Sets(tmp_path / "store").put("epd-gendna-256", sequences, {"imported": ["x"]})
    run = ("run", "-g", "markov", "-m", "mmd@kmer", "--seeds", "0", "--suite", "mammals-256-v1", "--no-controls")
    ended = dnabench(*run, "--out", tmp_path / "run")
    assert ended.code == 0
    assert "holds 800 sequences" in ended.err  # those of the suite's four species
    assert all(flags.startswith("other-data") for flags in pd.read_csv(tmp_path / "run" / "leaderboard.csv")["flags"])
    Sets(tmp_path / "store").put("epd-gendna-256", sequences, {"imported": ["x"], "published": True}, replace=True)
    fetched = dnabench(*run, "--out", tmp_path / "again")
    assert "not the published" not in fetched.err
    flags = pd.read_csv(tmp_path / "again" / "leaderboard.csv")["flags"].fillna("")
    assert not flags.str.contains("other-data").any()


def test_data_in_place_of_a_suites_are_said_to_be_when_cropped_too(dnabench, tmp_path):
    (tmp_path / "mine.fa").write_text("".join(f">{i}\n{t}\n" for i, t in enumerate(random_sequences(600, 128))))
    ended = dnabench("run", "-g", "markov", "-m", "mmd@kmer", "--seeds", "0", "--data", tmp_path / "mine.fa",
                     "--length", "100", "--no-controls", "--out", tmp_path / "run")  # fmt: skip
    assert ended.code == 2
    assert "slices are by label 'species'; the labels of mine are none" in ended.err
    (tmp_path / "own.toml").write_text(
        f'length = 128\nsamples = 50\nmetrics = ["mmd@kmer"]\nseeds = [0]\n[dataset]\nname = "promoters-sim"\n'
        f'sha256 = "{"0" * 64}"\n'
    )
    ended = dnabench("run", "-g", "markov", "--suite", tmp_path / "own.toml", "--data", tmp_path / "mine.fa",
                     "--length", "100", "--no-controls", "--out", tmp_path / "run")  # fmt: skip
    assert ended.code == 0
    assert "other-data: mine" in ended.out
    assert "not the published promoters-sim (sha256 000000000000...)" in ended.err


def test_a_split_of_ones_own_suite_keeps_its_name_and_drops_other_species(dnabench, labelled, tmp_path):
    assert dnabench("data", "split", labelled, "--out", tmp_path / "parts", "--fractions", "60:20:20").code == 0
    (tmp_path / "own.toml").write_text(
        'samples = 40\nmetrics = ["mmd@kmer"]\nseeds = [0]\n[dataset]\npath = "parts"\nspecies = ["gc"]\n'
    )
    run = ("run", "-g", "bootstrap", "--suite", tmp_path / "own.toml", "--no-controls", "--out", tmp_path / "run")
    assert dnabench(*run).code == 0
    results = pd.read_csv(tmp_path / "run" / "results.csv")
    assert set(zip(results["suite"], results["split"], strict=True)) == {("own", "groups-50mer-60:20:20")}
    drawn = SequenceSet.from_fasta(tmp_path / "run" / "samples" / "bootstrap" / "seed0.fa.gz")
    train = SequenceSet.from_fasta(tmp_path / "parts" / "train.fa.gz")
    of_gc = train.take((train.labels["species"] == "gc").to_numpy())
    assert set(drawn.labels["species"]) == {"gc"}
    assert set(drawn.strings()) <= set(of_gc.strings())


def test_splits_of_several_sets_in_one_store_stay_apart(dnabench, labelled, promoters, tmp_path):
    def train(source: Path, name: str) -> bytes:
        assert dnabench("data", "split", source, "--out", tmp_path / name).code == 0
        return (tmp_path / name / "train.fa.gz").read_bytes()

    one, two = train(labelled, "one"), train(promoters, "two")
    for split in (tmp_path / "store" / "splits").iterdir():
        split.write_bytes(b"damaged")
    assert (train(labelled, "three"), train(promoters, "four")) == (one, two)


WAITING = """
import sys, time
from pathlib import Path
from dnabench.cli import main
from dnabench.data import sets
directory, real = Path(sys.argv[1]), sets.sync
def sync(path):
    (directory / "inside").touch()
    while not (directory / "go").exists():
        time.sleep(0.01)
    real(path)
sets.sync = sync
main(sys.argv[2:])
"""


def test_two_imports_at_once_leave_one_whole_set(tmp_path):
    """The first is held while it writes, so that the second comes in the middle of it."""
    texts = random_sequences(300, 64)
    for name, chosen in (("one", texts), ("two", texts[::-1])):
        (tmp_path / f"{name}.fa").write_text("".join(f">{i}\n{text}\n" for i, text in enumerate(chosen)))
    store = tmp_path / "store"
    arguments = ["data", "import", tmp_path / "one.fa", "--name", "mine", "--store", store]
    first = subprocess.Popen([sys.executable, "-c", WAITING, tmp_path, *arguments], stdout=subprocess.PIPE)
    while not (tmp_path / "inside").exists():
        assert first.poll() is None
        time.sleep(0.01)
    others = [importing(tmp_path / f"{name}.fa", store) for name in ("one", "two")]
    with pytest.raises(subprocess.TimeoutExpired):
        others[0].wait(timeout=3)
    (tmp_path / "go").touch()
    assert "stored; --dataset mine takes it" in first.communicate()[0].decode()
    same, other = (process.communicate() for process in others)
    assert [process.returncode for process in (first, *others)] == [0, 0, 2]
    assert "was here already, the same" in same[0].decode()
    assert "another set named 'mine' is stored" in other[1].decode()
    assert Sets(store).load("mine").strings() == texts


def test_an_import_that_is_stopped_leaves_nothing(tmp_path):
    """The file is a pipe that never ends: the import is stopped while it reads."""
    pipe = tmp_path / "pipe.fa"
    os.mkfifo(pipe)
    process = importing(pipe, tmp_path / "store")
    with pipe.open("wb") as stream:
        stream.write(b">a\nACGT\n")
        stream.flush()
        process.kill()
        process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert not (tmp_path / "store").exists()


def test_gzip_that_is_cut_short_is_named(dnabench, tmp_path):
    path = tmp_path / "cut.fa.gz"
    path.write_bytes(gzip.compress(b">a\nACGT\n" * 1000)[:-20])
    ended = dnabench("data", "info", path)
    assert ended.code == 2
    assert f"{path}: the gzip data is damaged or cut short" in ended.err


def test_the_real_promoters(dnabench, real_data):
    ended = dnabench("data", "info", real_data / "promoters256", "--format", "json")
    about = json.loads(ended.out)
    counts = {"am": 5403, "at": 5325, "ce": 6032, "cf": 4765, "dm": 3650, "dr": 2487, "gg": 5183, "hs": 13247,
              "mm": 2562, "pf": 4866, "rm": 520, "rn": 1443, "sc": 4346, "sp": 4059, "zm": 2636}  # fmt: skip
    assert about["labels"]["species"]["counts"] == counts
    assert (about["n"], about["lengths"], about["letters"]["N"]) == (66524, {"256": 66524}, 0)
    assert about["duplicates"] == 0
    assert about["groups"]["largest"] > 600  # P. falciparum
    assert about["split"]["leaks"]["test"]["duplicates"] == 0
