"""What a report collects and works out, against numbers found by hand."""

from __future__ import annotations

import dataclasses
import json
import math
import shutil
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from dnabench import SequenceSet, UserError, report
from dnabench.leaderboard.facts import COLUMNS, to_csv
from dnabench.leaderboard.opening import open_boards
from dnabench.leaderboard.table import columns
from dnabench.report.collect import collect
from dnabench.report.figures import write_figures
from dnabench.report.material import Material, entry, spread
from dnabench.report.page import number, sections_of
from dnabench.report.sections import details, head, table
from dnabench.report.sections.sequences import gc_content, information, kmer_frequencies
from dnabench.store import Store

from .conftest import promoters, run


def test_kmer_frequencies_count_windows_without_n():
    found = kmer_frequencies(SequenceSet.from_strings(["AACN", "CAAC"]), 2)
    # AA AC | CA AA AC; the window CN is left out.
    expected = np.zeros(16)
    expected[[0b0000, 0b0001, 0b0100]] = [2 / 5, 2 / 5, 1 / 5]
    np.testing.assert_allclose(found, expected)
    assert kmer_frequencies(SequenceSet.from_strings(["AC"]), 4).sum() == 0


def test_gc_content_is_of_the_known_bases():
    assert gc_content(SequenceSet.from_strings(["GCNN", "ACGT", "NNNN"])).tolist() == [1, 0.5, 0]


def test_information_is_two_bits_less_the_entropy_and_the_correction():
    heights = information(SequenceSet.from_strings(["AA", "AA", "AC", "AC"]))
    correction = 3 / (2 * math.log(2) * 4)
    np.testing.assert_allclose(heights[0], [2 - correction, 0, 0, 0])
    np.testing.assert_allclose(heights[1], [(1 - correction) / 2, (1 - correction) / 2, 0, 0])
    assert information(SequenceSet.from_strings(["A", "C", "G", "T"])).tolist() == [[0, 0, 0, 0]]


def test_thinned_rows_reach_from_end_to_end():
    assert spread(9, 5).tolist() == [0, 2, 4, 6, 8]
    assert spread(3, 5).tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    ("ranges", "length", "site"),
    [
        (["-205..50"] * 2, 256, 205),
        (["-205..50"] * 2, 156, 155),  # cropped by 50 on either side
        (["-205..50"] * 2, 56, None),  # cropped by 100, and the site with them
        (["-205..50", "-204..51"], 256, None),
        (["somewhere"] * 2, 256, None),
        (["100..355"] * 2, 256, None),
    ],
)
def test_the_label_range_says_where_the_tss_is(tmp_path, ranges, length, site):
    plan = SimpleNamespace(seeds=(0,), length=length, slices=(), suite="custom", published=())
    material = Material(tmp_path, plan, Store(tmp_path), {}, None)
    material.real = SequenceSet(np.zeros((2, length), np.uint8), labels=pd.DataFrame({"range": ranges}))
    assert material.tss == site
    assert Material(tmp_path, plan, Store(tmp_path), {}, 3).tss == 3


@pytest.mark.parametrize(("length", "published", "site"), [(256, (), 205), (236, (), 195), (256, ("other", "0"), None)])
def test_a_suite_says_where_the_tss_of_its_own_data_is(tmp_path, length, published, site):
    # process.py: the TSS of promoters-sim is 51 bp before the end.
    plan = SimpleNamespace(seeds=(0,), length=length, slices=(), suite="promoters-sim-v1", published=published)
    material = Material(tmp_path, plan, Store(tmp_path), {}, None)
    material.real = None
    assert material.tss == site


def test_numbers_are_set_with_a_true_minus():
    assert number(-1234.567, 1) == "\N{MINUS SIGN}1,234.6"
    assert number(-0.0004, 3) == "0.000"


def test_a_name_that_is_a_path_leads_nowhere(tmp_path):
    assert entry(tmp_path, "samples", "a") == tmp_path / "samples" / "a"
    with pytest.raises(FileNotFoundError):
        entry(tmp_path, "samples", "../../x")


class TestDetails:
    """Tables of metrics by their columns."""

    def figures(self, tmp_path, text: str, tss: int | None = None) -> list:
        (tmp_path / "details/g/seed1").mkdir(parents=True)
        (tmp_path / "details/g/seed1/m.csv").write_text(text)
        run = SimpleNamespace(
            directory=tmp_path,
            generators=["g"],
            plan=SimpleNamespace(seeds=(0, 1)),
            material=SimpleNamespace(tss=tss),
            kind=lambda _: "model",
        )
        return details.figures(run, "m", 0)

    def panels(self, tmp_path, text: str, tss: int | None = None) -> list:
        found = self.figures(tmp_path, text, tss)
        assert [(figure.id, figure.title) for figure in found] in ([], [("details-0", "What m saw")])
        return list(found[0].choices["g"]) if found else []

    def test_positions_are_curves_in_a_panel_for_each_name(self, tmp_path):
        text = "motif,position,bin,generated,reference\none,0,0-1,1,2\none,2,2-3,3,4\none,,absent,9,9\ntwo,0,0-1,5,6\n"
        one, two = self.panels(tmp_path, text, tss=2)
        assert (one.title, two.title) == ("one", "two")
        real, generated = one.series
        assert (real.role, generated.role) == ("real", "model")
        assert (real.x, real.y) == ([-2, 0], [2, 4])
        assert generated.y == [1, 3]
        assert [(mark.label, mark.at) for mark in one.marks] == [("TSS", 0)]
        assert [series.y for series in two.series] == [[6], [5]]

    def test_rows_without_positions_are_points(self, tmp_path):
        (panel,) = self.panels(tmp_path, "kmer,generated,reference,contribution\nAA,0.1,0.2,1\nNA,0.3,0.3,0\n")
        assert panel.diagonal
        (series,) = panel.series
        assert (series.x, series.y, series.text) == ([0.2, 0.3], [0.1, 0.3], ["AA", "NA"])

    def test_identities_are_a_histogram(self, tmp_path):
        (panel,) = self.panels(tmp_path, "row,train_row,identity\n0,1,1\n1,4,0.75\n2,5,0.752\n")
        (series,) = panel.series
        assert sum(series.y) == 3
        assert series.y[-1] == 1
        assert [y for x, y in zip(series.x, series.y, strict=True) if 0.75 < x < 0.7625] == [2]

    def test_quantiles_are_spreads_of_both_sides(self, tmp_path):
        text = "track,quantity,quantile,ks,generated,reference\n" + "".join(
            f"{track},activity (log2),{level},0.5,{value},{10 * value}\n"
            for track, start in (("a", 1), ("b", 2))
            for value, level in enumerate((0.05, 0.25, 0.5, 0.75, 0.95), start)
        )
        (panel,) = self.panels(tmp_path, text + "c,activity (log2),0.5,0,1,1\n")  # c lacks four of its five
        assert (panel.names, panel.x_title) == (["a", "b"], "activity (log2)")
        real, generated = panel.series
        assert (real.name, real.role, generated.name, generated.role) == ("real", "real", "g", "model")
        assert (generated.low, generated.inner_low, generated.x) == ([1, 2], [2, 3], [3, 4])
        assert (generated.inner_high, generated.high) == ([4, 5], [5, 6])
        assert real.x == [30, 40]
        assert generated.text[0] == "g: median 3; half of the sequences 2 to 4, 90 % 1 to 5"

    def test_views_are_figures_by_the_columns_that_they_fill(self, tmp_path):
        text = (
            "view,quantity,track,quantile,position,ks,generated,reference\n"
            "Means,activity (log2),a,,,0.1,1,2\nMeans,activity (log2),b,,,0.2,3,4\n"
            + "".join(f"Along,activity (log2),t{track},,{5 * track},,{track},9\n" for track in range(7))
        )
        means, along = self.figures(tmp_path, text, tss=5)
        assert [(figure.id, figure.title) for figure in (means, along)] == [
            ("details-0", "Means"),
            ("details2-0", "Along"),
        ]
        (scatter,) = means.choices["g"]
        assert (scatter.x_title, scatter.y_title) == ("real: activity (log2)", "g: activity (log2)")
        assert scatter.series[0].text == ["a", "b"]
        assert means.panels == []
        curves = along.choices["g"]
        assert along.panels == [panel.title for panel in curves] == [f"t{track}" for track in range(7)]
        assert {panel.y_title for panel in curves} == {"activity (log2)"}
        assert [panel.series[1].x for panel in curves] == [[5 * track - 5] for track in range(7)]

    @pytest.mark.parametrize("tracks", [("0", "1", "10"), ("nan", "1", "inf"), ("007", "7", "7.0")])
    def test_names_that_look_like_numbers_are_names(self, tmp_path, tracks):
        text = "view,quantity,track,assay,quantile,position,tracks,ks,generated,reference\n" + "".join(
            f"Spread,z-score,{track},,{level},,,0.5,{level},{place}\n"
            for place, track in enumerate(tracks)
            for level in (0.05, 0.25, 0.5, 0.75, 0.95)
        )
        text += "".join(f"Assay,z-score,,{track},0.5,,3,0.5,1,1\n" for track in tracks)
        text += "".join(f"Means,z-score,{track},,,,,0.1,{place},2\n" for place, track in enumerate(tracks))
        text += "".join(f"Along,z-score,{track},,,{at},,,{at},3\n" for track in tracks for at in (0, 10))
        found = self.figures(tmp_path, text)
        assert [figure.title for figure in found] == ["Spread", "Means", "Along"]  # Assay lacks four of its five
        spread, means, along = (figure.choices["g"] for figure in found)
        assert spread[0].names == list(tracks)
        assert spread[0].series[0].x == [0, 1, 2]
        assert means[0].series[0].text == list(tracks)
        assert [panel.title for panel in along] == list(tracks)
        assert [panel.series[1].y for panel in along] == [[0, 10]] * 3

    def test_pairs_of_names_in_digits_are_curves_of_their_own(self, tmp_path):
        text = "quantity,motif_1,motif_2,distance,bin,generated,reference\n" + "".join(
            f"share,{first},{second},{distance},{distance},{distance},1\n"
            for first, second in ((1, 2), (1, 3), (2, 3))
            for distance in (-5, 5)
        )
        panels = self.panels(tmp_path, text)
        assert [panel.title for panel in panels] == ["1 – 2", "1 – 3", "2 – 3"]
        assert [panel.series[0].x for panel in panels] == [[-5, 5]] * 3

    def test_numbers_beside_what_is_drawn_name_nothing(self, tmp_path):
        (panel,) = self.panels(tmp_path, "generated,reference,kmer,contribution\n0.1,0.2,AA,1\n0.3,0.3,NA,0\n")
        assert panel.series[0].text == ["AA", "NA"]
        assert panel.title == "m by kmer"

    def test_points_that_are_left_out_are_told(self, tmp_path):
        rows = "".join(f"w{number},{number},0\n" for number in range(1000))
        (panel,) = self.panels(tmp_path, f"word,generated,reference\n{rows}")
        assert panel.title == "m by word: the 400 of 1,000 that differ most"
        assert panel.series[0].text == [f"w{number}" for number in range(600, 1000)]

    def test_positions_in_words_are_no_positions(self, tmp_path):
        (panel,) = self.panels(tmp_path, "position,generated,reference\nTATA-box,1,2\n3,3,4\n")
        assert panel.series[0].text == ["TATA-box", "3"]

    def test_spreads_and_curves_on_paper(self, tmp_path):
        text = "view,quantity,track,quantile,position,generated,reference\n" + "".join(
            f"Spread,activity (log2),a,{level},,{level},{2 * level}\nAlong,activity (log2),a,,{level},1,2\n"
            for level in (0.05, 0.25, 0.5, 0.75, 0.95)
        )
        card = SimpleNamespace(metric="m", figures=self.figures(tmp_path, text))
        written = write_figures(SimpleNamespace(cards=[card], others=[]), tmp_path / "paper", "svg")
        assert [path.name for path in written] == ["m-details-g.svg", "m-details2-g.svg"]
        for path in written:
            drawn = path.read_text()
            assert "activity (log2)" in drawn
            assert ">real<" in drawn
            assert ">g<" in drawn

    def test_anything_else_is_not_drawn(self, tmp_path):
        assert self.panels(tmp_path, "side,given,used\ngenerated,3,3\n") == []


@pytest.mark.slow
class TestRuns:
    """Reports of real runs."""

    def test_the_same_run_gives_the_same_bytes(self, small, tmp_path):
        again = report.write(small.directory, Store(small.store), None, output=tmp_path / "again.html")
        other = report.write(small.directory, Store(small.store), None, output=tmp_path / "other.html")
        assert again.read_bytes() == other.read_bytes()

    def test_material_is_what_the_scores_were_made_of(self, small):
        run = collect(small.directory, Store(small.store), None)
        assert run.material.tss == 50
        assert len(run.material.real) == 50
        gc = {row.generator: row.value for row in run.results[(run.results["metric"] == "gc.reference-mean")
              & (run.results["slice"] == "all") & (run.results["seed"] == 0)].itertuples()}  # fmt: skip
        assert gc["position"] == pytest.approx(gc_content(run.material.real).mean())
        vectors = run.material.embedded("mmd@kmer")
        assert set(vectors.generated) == {
            "markov=2",
            "position",
            "bootstrap",
            "holdout",
            "dinucleotide-shuffle",
            "random",
        }
        assert len(vectors.real) == 50

    def test_one_generator_without_controls_labels_and_seeds(self, tmp_path):
        fasta = tmp_path / "plain.fa"
        rows = [row for rows in promoters(1, 120).values() for row in rows]
        fasta.write_text("".join(f">{number}\n{row}\n" for number, row in enumerate(rows)))
        made = run(tmp_path, "-g", "position", "--dataset", str(fasta), "-m", "gc", "--seeds", "0", "--no-controls")
        found = collect(made.directory, Store(made.store), None)
        sections = sections_of(found)
        assert "only ranked generator" in sections.head.verdict
        assert [section.id for section in sections.others] == ["sequences", "cost"]
        assert found.left_out == []
        assert "data-figure" in (made.directory / "report.html").read_text()

    def test_where_no_metric_is_heard_scores_are_not_said_to_be_missing(self, small):
        run = collect(small.directory, Store(small.store), None)
        run.board.__dict__["silent"] = list(run.metrics)
        assert "no metric tells any control from real DNA" in sections_of(run).head.verdict
        groups = {title: [row.generator for row in rows] for _, title, rows in table.build(run).groups}
        assert groups.pop("Controls: never ranked") == ["bootstrap", "dinucleotide-shuffle", "holdout"]
        assert groups == {
            "Not ranked: no metric tells any control from real DNA": ["markov=2", "position", "random"],
            "Not ranked: scores are missing": ["external"],
        }

    @pytest.mark.parametrize(("metrics", "said"), [(1, "1 metric does not"), (3, "3 metrics together do not")])
    def test_a_shared_first_place_is_told(self, small, metrics, said):
        run = collect(small.directory, Store(small.store), None)
        run.board.__dict__["silent"] = run.metrics[metrics:]
        run.ranked = [{"generator": name, "rank": 1, "flags": ""} for name in ("markov=2", "position")]
        verdict = f"markov=2 and position share the first place of 2 ranked generators: {said} tell them apart."
        assert head.build(run).verdict == verdict

    def test_without_its_store_a_report_says_what_it_lacks(self, small, tmp_path):
        run = collect(small.directory, Store(tmp_path), None)
        shown = {section.id for section in sections_of(run).others}
        assert shown == {"slices", "cost"}
        assert len(run.left_out) == 2
        assert all("--store" in reason for reason in run.left_out)

    def test_the_front_of_quality_and_cost(self, small):
        sections = sections_of(collect(small.directory, Store(small.store), None))
        (cost,) = (section for section in sections.others if section.id == "cost")
        (figure,) = (figure for figure in cost.figures if figure.id == "cost-front")
        ((panel,),) = figure.choices.values()
        timings = pd.read_csv(small.directory / "timings.csv").query("cell == 'sample'")
        board = pd.read_csv(small.directory / "leaderboard.csv").dropna(subset="rank").set_index("generator")
        n = int(pd.read_csv(small.directory / "results.csv")["n_generated"].max())
        seconds = timings.groupby("generator")["seconds"].mean() * 1000 / n
        points = {name: (seconds[name], board.loc[name, "mean_rank"]) for name in board.index}
        shown = {series.name: (series.x[0], series.y[0]) for series in panel.series if series.shape == "points"}
        assert shown.keys() == points.keys()
        assert all(shown[name] == pytest.approx(points[name], rel=1e-3) for name in points)

        def beats(one, other) -> bool:  # costs that differ by less than a tenth are the same
            cheaper, as_cheap = one[0] * 1.1 < other[0], one[0] < other[0] * 1.1
            return as_cheap and one[1] <= other[1] and (cheaper or one[1] < other[1])

        front = {point for point in shown.values() if not any(beats(other, point) for other in shown.values())}
        lines = [set(zip(series.x, series.y, strict=True)) for series in panel.series if series.shape == "line"]
        assert lines == ([front] if len(front) > 1 else [])
        for series in panel.series:
            assert [shown[name] for name in series.of] == (
                list(zip(series.x, series.y, strict=True)) if series.shape == "line" else []
            )

    def test_figures_for_papers(self, small, tmp_path):
        sections = sections_of(collect(small.directory, Store(small.store), None))
        (sequences,) = (section for section in sections.others if section.id == "sequences")
        logos = next(figure for figure in sequences.figures if figure.id == "logos")
        logos = dataclasses.replace(logos, choices={"markov=2": logos.choices["markov=2"]})
        card = next(card for card in sections.cards if card.metric == "motif-kl")
        profile = dataclasses.replace(card.figures[1], choices={"position": card.figures[1].choices["position"]})
        few = dataclasses.replace(
            sections,
            cards=[dataclasses.replace(card, figures=[card.figures[0], profile])],
            others=[section for section in sections.others if section.id == "cost"]
            + [dataclasses.replace(sequences, figures=[logos])],
        )
        for name in ("one", "two"):
            write_figures(few, tmp_path / name, "svg")
        first, second = ({path.name: path.read_bytes() for path in (tmp_path / n).iterdir()} for n in ("one", "two"))
        assert first == second
        assert {"motif-kl-scores.svg", "motif-kl-details-position.svg", "logos-markov=2.svg", "cost-bars.svg"} <= set(
            first
        )
        assert b"tata-box" in first["motif-kl-details-position.svg"]

    def test_a_directory_without_a_finished_run_is_refused(self, small, tmp_path):
        with pytest.raises(UserError, match="not the directory of a run"):
            collect(tmp_path, Store(small.store), None)
        (tmp_path / "manifest.json").write_text((small.directory / "manifest.json").read_text())
        with pytest.raises(UserError, match="the run has not ended"):
            collect(tmp_path, Store(small.store), None)
        (tmp_path / "manifest.json").write_text(json.dumps({"plan": {}, "provenance": {}}))
        with pytest.raises(UserError, match="not a manifest of this version"):
            collect(tmp_path, Store(small.store), None)
        with pytest.raises(UserError, match="--tss 60: not a position"):
            collect(small.directory, Store(small.store), None, tss=60)

    @pytest.mark.parametrize(
        ("file", "old", "new", "message"),
        [
            (
                "manifest.json",
                '"packages": {',
                '"packages": 3, "more": {',
                "manifest.json: .*: provenance.packages is 3",
            ),
            ("manifest.json", '"provenance": {', '"provenance": 3, "x": {', "manifest.json: .*: provenance is 3"),
            ("manifest.json", '"length": 60', '"length": "60"', "manifest.json: .*: length is '60'"),
            ("manifest.json", '"plan": {', '"other": {', "manifest.json: .*: it has no 'plan'"),
            ("results.csv", "suite,", "sweet,", "results.csv: column 'suite' missing, column 'sweet' not known"),
            ("results.csv", ",position,", ",pos,", "results.csv: line .*: generator pos is none of the run's"),
            ("results.csv", ",gc,", ",gc@x,", "results.csv: line .*: metric gc@x is none of the run's"),
            ("results.csv", ",all,", ",species=x,", "results.csv: holds nothing of .* seed 0, gc;"),
            ("timings.csv", "cell,", "sell,", "timings.csv: column 'cell' missing, column 'sell' not known"),
            ("timings.csv", ",false,0", ",false,zero", "timings.csv: line .*: seconds is 'zero"),
        ],
    )
    def test_a_damaged_run_is_named_in_a_line(self, small, tmp_path, file, old, new, message):
        for name in ("manifest.json", "results.csv", "timings.csv", "events.jsonl"):
            shutil.copy(small.directory / name, tmp_path)
        text = (tmp_path / file).read_text()
        assert old in text
        (tmp_path / file).write_text(text.replace(old, new))
        with pytest.raises(UserError, match=message):
            report.write(tmp_path, Store(small.store))
        with pytest.raises(UserError, match=message):
            open_boards(tmp_path)
        assert not (tmp_path / "report.html").exists()

    def test_a_board_is_the_same_from_a_runs_files_as_in_the_run(self, small):
        (board,) = open_boards(small.directory)
        assert list(board.directions) == ["gc", "motif-kl", "mmd@kmer", "novelty"]  # as the command line has them
        assert to_csv(board.facts, COLUMNS) == (small.directory / "results.csv").read_text()
        assert to_csv(board.rows, columns(board.directions)) == (small.directory / "leaderboard.csv").read_text()

    def test_events_that_are_none_are_left_out(self, small, tmp_path):
        shutil.copytree(small.directory, tmp_path / "run")
        events = tmp_path / "run" / "events.jsonl"
        lines = events.read_text().splitlines()
        more = [
            json.dumps({"event": "cell-finished", "status": "failed"}),
            "[1]",
            '{"event": "cell-finished", "cell": 3}',
        ]
        events.write_text("\n".join([*more, *lines, lines[-1][:20]]) + "\n")
        run = collect(tmp_path / "run", Store(small.store), None)
        assert run.ended == collect(small.directory, Store(small.store), None).ended
