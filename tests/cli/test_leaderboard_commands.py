"""``dnabench leaderboard``: its commands, by hand-made and by the published facts."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest

from dnabench.leaderboard import published

CHECKOUT = Path(__file__).parents[2] / "leaderboards"
SUITE = "promoters256-hs"


@pytest.fixture
def real(tmp_path):
    """A copy of the published leaderboards."""
    return Path(shutil.copytree(CHECKOUT, tmp_path / "real"))


def fact(generator, seed, metric, value, half=0.01, **other):
    return {
        "suite": "own", "dataset": "d", "dataset_sha256": "a" * 64, "split": "groups-50mer-80:10:10", "slice": "all",
        "generator": generator, "generator_version": 1, "options": "{}", "seed": seed, "metric": metric,
        "metric_version": 1, "embedder": "", "embedder_sha256": "", "direction": "lower", "value": value,
        "ci_low": round(value - half, 9), "ci_high": round(value + half, 9), "floor": 0.1, "n_generated": 60,
        "n_reference": 60, "status": "done", "error": "", **other,
    }  # fmt: skip


def board(path, scores, kinds=None, **other):
    """Publish ``{generator: {metric: value}}``, the same at two seeds."""
    for name, values in scores.items():
        up = {"my_up": {"direction": "higher", "floor": 2.0}}
        rows = [fact(name, seed, m, v, **up.get(m, {}), **other) for seed in (0, 1) for m, v in
                sorted(values.items())]  # fmt: skip
        published.publish_facts(path, "own", rows, {name: (kinds or {}).get(name, "model")})
    return path


def test_check_of_the_published_leaderboards(dnabench):
    ended = dnabench("leaderboard", "check", CHECKOUT)
    assert (ended.code, ended.err) == (0, "")
    assert all(line.endswith("; agrees with its facts") for line in ended.out.splitlines())


def test_check_names_file_and_first_difference_and_build_mends_it(dnabench, real):
    path = real / f"{SUITE}.csv"
    good = path.read_bytes()
    lines = path.read_text().splitlines(keepends=True)
    first = next(i for i, line in enumerate(lines) if ",gan," in line)
    lines[first] = lines[first].replace(",gan,2,model,", ",gan,2,baseline,").replace("0.879", "0.1")
    path.write_text("".join(lines))
    ended = dnabench("leaderboard", "check", real, "--format", "json")
    assert ended.code == 1
    assert f"{path}: line {first + 1}, column c2st: '0.1" in ended.err
    assert [row["agrees"] for row in json.loads(ended.out)] == [True, False]
    path.write_text("".join(lines).replace(",gan,2,baseline,", ",gan,2,model,"))
    assert dnabench("leaderboard", "build", real).code == 0
    assert path.read_bytes() == good
    path.unlink()
    ended = dnabench("leaderboard", "check", real)
    assert ended.code == 1
    assert f"{path}: is missing" in ended.err
    assert dnabench("leaderboard", "build", real).code == 0
    assert path.read_bytes() == good  # kinds are those of the installed plugins


def test_damage_is_bad_input(dnabench, real):
    (real / SUITE / "gan.csv").write_bytes(b"\xff")
    for command in (("check", real), ("build", real), ("show", real), ("export", real / f"{SUITE}.csv", "--to", "md"),
                    ("diff", real, CHECKOUT), ("merge", real, CHECKOUT, "--out", real.parent / "out")):  # fmt: skip
        ended = dnabench("leaderboard", *command)
        assert (ended.code, ended.out) == (2, "")
        (line,) = ended.err.splitlines()
        assert line.startswith(f"dnabench: {real / SUITE / 'gan.csv'}: line 1: byte 0xff is not UTF-8")


def test_merge_on_the_command_line(dnabench, tmp_path):
    a, b = board(tmp_path / "a", {"alpha": {"gc": 0.5}}), board(tmp_path / "b", {"beta": {"gc": 0.6}})
    assert dnabench("leaderboard", "merge", a, b, "--out", tmp_path / "c").code == 0
    assert dnabench("leaderboard", "check", tmp_path / "c").code == 0
    clash = board(tmp_path / "d", {"alpha": {"gc": 0.55}})
    ended = dnabench("leaderboard", "merge", a, clash, "--out", tmp_path / "e")
    assert ended.code == 2
    assert "has value 0.5 for alpha seed 0, slice all, gc, but" in ended.err
    assert not (tmp_path / "e").exists()


def test_show_prints_tables_and_json_what_they_rest_on(dnabench):
    ended = dnabench("leaderboard", "show", CHECKOUT / f"{SUITE}.csv", "--format", "csv")
    assert ended.out == (CHECKOUT / f"{SUITE}.csv").read_text()
    assert SUITE in dnabench("leaderboard", "show", CHECKOUT / f"{SUITE}.csv").out
    (shown,) = json.loads(dnabench("leaderboard", "show", CHECKOUT / f"{SUITE}.csv", "--format", "json").out)
    assert {metric["metric"]: metric["family"] for metric in shown["metrics"]} == {
        "fred": "functional", "c2st": "sequence", "kmer-js": "sequence", "novelty": "sequence",
        "motif-kl": "compositional", "motif-profile": "compositional",
    }  # fmt: skip
    first = shown["generators"][0]
    assert first["mean_rank"]["ci_low"] <= first["mean_rank"]["value"] <= first["mean_rank"]["ci_high"]
    assert len(shown["facts"]) == sum(len(path.read_text().splitlines()) - 1 for path in (CHECKOUT / SUITE).iterdir())


def test_show_of_a_run_has_the_pareto_front(dnabench, promoters, tmp_path):
    ended = dnabench("run", "-g", "markov,position", "--dataset", promoters, "-m", "gc,kmer-js", "--seeds", "0,1",
                     "--out", tmp_path / "run")  # fmt: skip
    assert ended.code == 0, ended.err
    table = dnabench("leaderboard", "show", tmp_path / "run", "--format", "csv").out
    assert table == (tmp_path / "run" / "leaderboard.csv").read_text()
    assert "pareto" not in table  # times are not what two runs have in common
    (shown,) = json.loads(dnabench("leaderboard", "show", tmp_path / "run", "--format", "json").out)
    ranked = [row for row in shown["generators"] if row["rank"] is not None]
    assert all(row["seconds_per_sequence"] > 0 for row in ranked)
    best = min(ranked, key=lambda row: (row["mean_rank"]["value"], row["seconds_per_sequence"]))
    assert best["pareto"] is True
    assert dnabench("leaderboard", "export", tmp_path / "run", "--to", "md").code == 0
    header, first, *_ = (tmp_path / "run" / "results.csv").read_text().splitlines(keepends=True)
    for spoilt, message in (
        (header, "results.csv: holds nothing of "),
        (header + first.replace(",{},", ",none,"), "results.csv: line 2: options is 'none'; it takes a JSON object"),
    ):
        (tmp_path / "run" / "results.csv").write_text(spoilt)
        ended = dnabench("leaderboard", "show", tmp_path / "run", "--format", "json")
        assert (ended.code, message in " ".join(ended.err.split())) == (2, True)
    (tmp_path / "run" / "results.csv").unlink()
    ended = dnabench("leaderboard", "show", tmp_path / "run")
    assert (ended.code, "the run has not ended" in ended.err) == (2, True)


def test_diff_says_what_moved_and_whether_beyond_the_intervals(dnabench, tmp_path):
    before = board(tmp_path / "a", {"gone": {"gc": 0.9}, "kept": {"gc": 0.5}, "moved": {"gc": 0.8}})
    after = board(tmp_path / "b", {"kept": {"gc": 0.505}, "moved": {"gc": 0.3}, "new": {"gc": 0.7}})
    ended = dnabench("leaderboard", "diff", before, after, "--format", "csv")
    assert ended.code == 0
    rows = {(row["what"], row["generator"]): row for row in csv.DictReader(ended.out.splitlines())}
    assert rows["added", "new"]["after"] == "3"
    assert rows["removed", "gone"]["before"] == "3"
    assert (rows["rank", "moved"]["before"], rows["rank", "moved"]["after"], rows["rank", "moved"]["better"]) == (
        "2", "1", "",
    )  # fmt: skip
    assert (rows["score", "moved"]["change"], rows["score", "moved"]["beyond"]) == ("-0.5", "true")
    assert (rows["score", "kept"]["change"], rows["score", "kept"]["beyond"]) == ("0.005", "false")
    assert rows["score", "kept"]["better"] == "false"
    assert ("field", "") in rows
    assert dnabench("leaderboard", "diff", before, before).out == "the same\n"
    other = board(tmp_path / "c", {"kept": {"gc": 0.5}}, n_generated=50)
    assert "n_generated 60" in dnabench("leaderboard", "diff", before, other).out


def test_diff_in_one_field_says_better_and_worse_and_sees_all_columns(dnabench, tmp_path):
    before = board(tmp_path / "a", {"one": {"gc": 0.5}, "two": {"gc": 0.8}, "real": {"gc": 0.1}}, {"real": "control"})
    after = board(tmp_path / "b", {"one": {"gc": 0.9}, "two": {"gc": 0.8}, "real": {"gc": 0.1}}, {"real": "control"})
    out = dnabench("leaderboard", "diff", before, after, "--format", "csv").out
    rows = {(row["what"], row["generator"]): row for row in csv.DictReader(out.splitlines())}
    assert (rows["rank", "one"]["better"], rows["rank", "two"]["better"]) == ("false", "true")
    assert ("field", "") not in rows
    wider = fact("two", 0, "gc", 0.8, half=0.05), fact("two", 1, "gc", 0.8, half=0.05)
    published.publish_facts(after, "own", list(wider), {"two": "baseline"})
    out = dnabench("leaderboard", "diff", before, after, "--format", "csv").out
    rows = {(row["what"], row["generator"]): row for row in csv.DictReader(out.splitlines())}
    assert (rows["kind", "two"]["before"], rows["kind", "two"]["after"]) == ("model", "baseline")
    assert (rows["interval", "two"]["before"], rows["interval", "two"]["after"]) == ("0.79..0.81", "0.75..0.85")


@pytest.fixture
def marked(tmp_path):
    """Best and second in both directions, a tie, a control that is better than all, an unranked one, an underscore."""
    scores = {
        "first": {"gc": 0.2, "my_up": 0.9},
        "near": {"gc": 0.205, "my_up": 0.5},
        "third": {"gc": 0.7, "my_up": 0.6},
        "real": {"gc": 0.01, "my_up": 1.0},
        "lacking": {"gc": 0.05},
    }
    board(tmp_path / "b", scores, {"real": "control"})
    return tmp_path / "b" / "own.csv"


def cells(line, separator):
    return [cell.strip() for cell in line.strip(separator).split(separator)]


def test_markdown_marks_best_second_and_ties_but_no_controls(dnabench, marked):
    out = dnabench("leaderboard", "export", marked, "--to", "md").out
    lines = [line for line in out.splitlines() if line.startswith("|")]
    assert len({len(line) for line in lines}) == 1
    rows = {cells(line, "|")[1]: cells(line, "|") for line in lines[2:]}
    assert cells(lines[0], "|")[4:6] == ["gc ↓", "my\\_up ↑"]
    assert rows["first"][4:6] == ["**0.200 ± 0.010**", "**0.900 ± 0.010**"]
    assert rows["near"][4:6] == ["*0.205 ± 0.010* ≈", "0.500 ± 0.010"]
    assert rows["third"][4:6] == ["0.700 ± 0.010", "*0.600 ± 0.010*"]
    assert rows["real"][4:6] == ["0.010 ± 0.010", "1.000 ± 0.010"]
    assert (rows["lacking"][0], rows["lacking"][5], rows["lacking"][7]) == ("", "–", "incomplete")


def test_latex_is_escaped_and_balanced(dnabench, marked):
    out = dnabench("leaderboard", "export", marked, "--to", "latex").out
    assert r"my\_up $\uparrow$" in out
    assert r"$\mathbf{0.200} \pm \mathbf{0.010}$" in out
    assert r"$\underline{0.205 \pm 0.010}^{\approx}$" in out
    rows = [line for line in out.splitlines() if line.endswith(r"\\")]
    (real,) = (line for line in rows if line.startswith(" & real "))
    assert "0.010" in real
    assert "circ" not in real  # of controls nobody says where they stand
    assert {line.count("&") for line in rows} == {4}
    for begin in ("table", "tabular"):
        assert out.count(rf"\begin{{{begin}}}") == out.count(rf"\end{{{begin}}}") == 1
    assert out.count("{") == out.count("}")
    assert out.isascii()


class Page(HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.rows, self.strong = [], [], []

    def handle_starttag(self, tag, attributes):
        if tag not in ("meta",):
            self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.rows and {"td", "th"} & set(self.open):
            self.rows[-1][-1] += data
            if "strong" in self.open:
                self.strong.append((self.rows[-1][1], data))


def test_html_is_a_whole_table(dnabench, marked):
    out = dnabench("leaderboard", "export", marked, "--to", "html").out
    page = Page()
    page.feed(out)
    assert not page.open
    assert {len(row) for row in page.rows} == {8}
    assert page.strong == [("first", "0.200 ± 0.010"), ("first", "0.900 ± 0.010")]
    assert 'scope="row"' in out
    assert "http" not in out.replace("<!doctype html>", "")


@pytest.mark.parametrize("to", ["html", "latex", "md"])
def test_hostile_text_is_escaped(dnabench, tmp_path, to):
    board(tmp_path / "b", {"alpha": {"gc": 0.5, "<script>x|&_$": 0.1}}, dataset="<b>&%{}")
    out = dnabench("leaderboard", "export", tmp_path / "b" / "own.csv", "--to", to).out
    hostile = {"html": "<script>", "latex": "&_$", "md": "script>x|"}[to]
    assert hostile not in out
    assert {"html": "&lt;script&gt;x|&amp;_$", "latex": r"\textless{}script\textgreater{}x\textbar{}\&\_\$",
            "md": r"\<script\>x\|\&\_$"}[to] in out  # fmt: skip


@pytest.mark.slow
def test_latex_compiles(dnabench, marked, tmp_path):
    if shutil.which("pdflatex") is None:
        pytest.skip("no pdflatex on this machine")
    board(tmp_path / "hostile", {"alpha": {"gc_%": 0.5, r"<x>|&_$#\^~{": 1e-9}}, dataset=r"<b>&%{}\input")
    tables = [
        dnabench("leaderboard", "export", path, "--to", "latex").out
        for path in (marked, tmp_path / "hostile" / "own.csv", CHECKOUT / f"{SUITE}.csv")
    ]
    body = "\n".join([r"\documentclass{article}\usepackage{booktabs,graphicx}", r"\begin{document}", *tables])
    (tmp_path / "paper.tex").write_text(body + "\n" + r"\end{document}")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "paper.tex"]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout[-2000:]


def test_the_readme_holds_the_table_of_human_promoters(dnabench):
    out = dnabench("leaderboard", "export", CHECKOUT / f"{SUITE}.csv", "--to", "md").out
    assert out in (CHECKOUT.parent / "README.md").read_text(encoding="utf-8")


def test_json_holds_the_facts_numbers(dnabench):
    shown = json.loads(dnabench("leaderboard", "export", CHECKOUT / f"{SUITE}.csv", "--to", "json").out)
    gan = [row for row in shown["facts"] if row["generator"] == "gan" and row["metric"] == "fred"]
    with (CHECKOUT / SUITE / "gan.csv").open(newline="") as file:
        wanted = [float(row["value"]) for row in csv.DictReader(file) if row["metric"] == "fred"]
    assert [row["value"] for row in gan] == wanted
    row = next(row for row in shown["generators"] if row["generator"] == "gan")
    assert row["scores"]["fred"]["value"] == pytest.approx(sum(wanted) / 3)
    assert row["options"]["iterations"] == 1300
