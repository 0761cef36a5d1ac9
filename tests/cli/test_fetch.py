"""``dnabench data fetch`` from a host of this machine with the layout of the published ones."""

from __future__ import annotations

import json

import numpy as np
import pytest

from dnabench import SequenceSet

COMPLEMENT = str.maketrans("ACGT", "TGCA")


def dna(n: int, seed: int) -> str:
    return "".join(np.random.default_rng(seed).choice(list("ACGT"), n))


@pytest.fixture
def csvs(host):
    """600 promoters of three species, as EPD-GenDNA names them, in its two files; one is repeated."""
    names = ["Homo sapiens (Human).", "Mus musculus (Mouse).", "Rattus Norvegicus (rat).", "Macaca mulatta (rhesus)."]
    rows = [(dna(2048, i), names[i % 4]) for i in range(600)]
    rows.append(rows[0])
    for file, cut in (("sequence.csv", slice(None)), ("sequence_central_256.csv", slice(896, 1152))):
        host.put(file, "Sequence,species\n" + "".join(f"{text[cut]},{name}\n" for text, name in rows))
    return [(text[896:1152], {"H": "hs", "M": "mm", "R": "rn"}[name[0]] if "rhesus" not in name else "rm")
            for text, name in rows[:-1]]  # fmt: skip


def test_a_suite_runs_on_what_was_fetched_for_it(dnabench, host, csvs, tmp_path):
    run = ("run", "--suite", "mammals-256-v1", "-g", "markov", "-m", "mmd@kmer", "--seeds", "0", "--format", "csv")
    lacking = dnabench(*run)
    assert lacking.code == 2
    assert "its data, epd-gendna-256, are not here; dnabench data fetch epd-gendna brings them" in lacking.err
    fetch = ("data", "fetch", "epd-gendna", "--set", f"epd-gendna.url={host.url}", "--set", "epd-gendna.verify=false")
    fetched = dnabench(*fetch)
    assert fetched.code == 0
    assert "epd-gendna-256: 600 sequences of 256 bp" in fetched.out
    assert "epd-gendna-2048: 600 sequences of 2048 bp" in fetched.out
    assert "left out: 1 repeated" in fetched.out
    ended = dnabench(*run, "--out", tmp_path / "run")
    assert ended.code == 0
    digest = json.loads(dnabench("data", "info", "epd-gendna-256", "--format", "json").out)["sha256"]
    assert f"mammals-256-v1,epd-gendna-256,{digest},groups-50mer-80:10:10,all,bootstrap" in ended.out
    held_out = SequenceSet.from_fasta(tmp_path / "run" / "samples" / "holdout" / "seed0.fa.gz")
    assert set(zip(held_out.strings(), held_out.labels["species"], strict=True)) <= set(csvs)


def test_what_is_here_is_not_fetched_again(dnabench, host, csvs):
    fetch = ("data", "fetch", "epd-gendna", "--set", f"epd-gendna.url={host.url}", "--set", "epd-gendna.verify=false")
    assert dnabench(*fetch).code == 0
    asked = len(host.asked)
    again = dnabench(*fetch)
    assert len(host.asked) == asked == 2
    assert again.out.count("was here already, the same") == 2


def test_a_file_that_is_not_the_published_one_leaves_nothing_behind(dnabench, host, csvs):
    refused = dnabench(
        "data", "fetch", "epd-gendna", "--set", f"epd-gendna.url={host.url}", "--set", "epd-gendna.length=2048"
    )
    assert refused.code == 2
    assert "not the expected file: its sha256 is" in refused.err.splitlines()[-1]
    listed = json.loads(dnabench("data", "list", "--format", "json").out)
    assert [entry["here"] for entry in listed if entry["name"].startswith("epd-gendna")] == [False, False]


def test_a_file_that_is_not_there_is_one_line(dnabench, host):
    refused = dnabench("data", "fetch", "epd-gendna", "--set", f"epd-gendna.url={host.url}/moved")
    assert refused.code == 2
    assert refused.err.splitlines()[-1] == (
        f"dnabench: {host.url}/moved/sequence_central_256.csv: the server answers 404 File not found"
    )


@pytest.fixture
def genome(tmp_path):
    chromosome = dna(20_000, 1)
    path = tmp_path / "yeast.fa"
    lines = "\n".join(chromosome[i : i + 60] for i in range(0, len(chromosome), 60))
    path.write_text(f">chrI\n{lines}\n")
    return path, chromosome


def test_windows_of_a_genome_are_cut_on_both_strands(dnabench, host, genome, tmp_path):
    path, chromosome = genome
    sites = [(f"P{tss}_1", tss, "+-"[tss % 2]) for tss in range(300, 19_700, 97)]
    lines = []
    for name, tss, strand in [*sites, ("EDGE_1", 40, "+")]:
        start, stop = (tss - 49, tss + 11) if strand == "+" else (tss - 10, tss + 50)
        thick = (tss, tss + 11) if strand == "+" else (tss - 10, tss + 1)
        lines.append(f"chrI {max(start, 0)} {stop} {name} 900 {strand} {thick[0]} {thick[1]}\n")
    host.put("S_cerevisiae/002/Sc_EPDnew_002_sacCer3.bed", "".join(lines))
    fetch = ("data", "fetch", "epdnew", "--genome", f"sc={path}", "--set", f"epdnew.url={host.url}")
    ended = dnabench(*fetch, "--window=-100..27", "--name", "yeast", "--format", "json")
    assert ended.code == 0
    about = json.loads(ended.out)
    assert (about["name"], about["n"], about["length"]) == ("yeast", len(sites), 128)
    assert about["dropped"]["too near an end"] == 1
    expected = {
        chromosome[tss - 100 : tss + 28]
        if strand == "+"
        else chromosome[tss - 27 : tss + 101].translate(COMPLEMENT)[::-1]
        for _, tss, strand in sites
    }
    dnabench("data", "split", "yeast", "--out", tmp_path / "parts")
    parts = [SequenceSet.from_fasta(tmp_path / "parts" / f"{name}.fa.gz") for name in ("train", "validation", "test")]
    assert {text for part in parts for text in part.strings()} == expected
    again = dnabench(*fetch, "--window=-100..27", "--name", "yeast", "--format", "json")
    assert json.loads(again.out)["was_here"]
    other = dnabench(*fetch, "--window=-100..28", "--name", "yeast")
    assert other.code == 2
    assert "another set named 'yeast' is stored" in other.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "give one or more with --genome CODE=FILE"),
        (("--genome", "hs"), "genome 'hs': CODE=FILE was expected"),
        (("--genome", "hs=absent.fa"), "genome 'hs=absent.fa': no such file"),
        (("--genome", "xx=a.fa"), "genome 'xx=a.fa': CODE=FILE was expected, CODE one of am, at"),
        (("--genome", "sc={genome}", "--window", "50..-205"), "option epdnew.window is '50..-205'"),
        (("--name", "My Set"), "name 'My Set' is not lower-case words joined by hyphens"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_fetched(dnabench, host, genome, arguments, message):
    arguments = [text.replace("{genome}", str(genome[0])) for text in arguments]
    refused = dnabench("data", "fetch", "epdnew", "--set", f"epdnew.url={host.url}", *arguments)
    assert refused.code == 2
    assert message in refused.err.splitlines()[-1]
    assert host.asked == []


def test_a_data_set_of_several_sets_keeps_their_names(dnabench):
    refused = dnabench("data", "fetch", "epd-gendna", "--name", "mine")
    assert refused.code == 2
    assert "epd-gendna brings several sets, epd-gendna-256, epd-gendna-2048, with names of their own" in refused.err
