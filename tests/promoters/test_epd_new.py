"""``epdnew``: windows cut from genomes that the tests make, against slices of their text."""

from __future__ import annotations

import gzip
import random
import struct
import zlib

import pytest

from dnabench import UserError
from dnabench.options import build
from dnabench_promoters.epd.epdnew import EpdNew
from dnabench_promoters.epd.lists import read_promoters
from dnabench_promoters.epd.species import SPECIES
from dnabench_promoters.options import EpdNewOptions

HUMAN = "epdnew/H_sapiens/006/Hs_EPDnew_006_hg38.bed"
YEAST = "epdnew/S_cerevisiae/002/Sc_EPDnew_002_sacCer3.bed"


def make_genome(seed, **lengths):
    """Chromosomes of random bases, a third of them lower-case."""
    drawn = random.Random(seed)
    return {name: "".join(drawn.choices("ACGTACGTacgt", k=n)) for name, n in lengths.items()}


def fasta(chromosomes, *, width=60, end="\n"):
    lines = []
    for name, bases in chromosomes.items():
        lines += [f">{name} some assembly", *(bases[i : i + width] for i in range(0, len(bases), width))]
    return (end.join(lines) + end).encode()


def bgzip(content):
    """BGZF: gzip members of at most 64 KiB that tell their size in the extra field BC, and an empty one at the end."""
    blocks = []
    for start in [*range(0, len(content), 5000), len(content)]:
        block = content[start : start + 5000]
        deflate = zlib.compressobj(wbits=-15)
        packed = deflate.compress(block) + deflate.flush()
        head = struct.pack("<4BI2BH2BHH", 31, 139, 8, 4, 0, 0, 255, 6, 66, 67, 2, len(packed) + 25)
        blocks.append(head + packed + struct.pack("<2I", zlib.crc32(block), len(block)))
    return b"".join(blocks)


def bed(promoters):
    """Lines as EPD writes them, of (name, chromosome, TSS counted from 0, strand)."""
    lines = []
    for name, chromosome, tss, strand in promoters:
        up, down = (49, 10) if strand == "+" else (10, 49)
        thick = (tss, tss + 11) if strand == "+" else (tss - 10, tss + 1)
        start = max(tss - up, 0)
        lines.append(f"{chromosome} {start} {tss + down + 1} {name} 900 {strand} {max(thick[0], 0)} {thick[1]}\n")
    return "".join(lines)


def expected(chromosomes, promoter, first, last):
    """The window as text: on the minus strand a slice of the chromosome read backwards."""
    _, chromosome, tss, strand = promoter
    bases = chromosomes[chromosome].upper()
    if strand == "-":
        bases = bases.translate(str.maketrans("ACGT", "TGCA"))[::-1]
        tss = len(bases) - 1 - tss
    return bases[tss + first : tss + last + 1]


def scattered(chromosomes, n, seed=1, margin=300):
    drawn = random.Random(seed)
    places = [(name, drawn.randrange(margin, len(chromosomes[name]) - margin)) for name in [*chromosomes] * n][:n]
    return [(f"GENE{i}_1", chromosome, tss, drawn.choice("+-")) for i, (chromosome, tss) in enumerate(places)]


@pytest.fixture
def chromosomes():
    return make_genome(0, chr1=4000, chr2=2501, chrX=1777)


@pytest.fixture
def genome(tmp_path, chromosomes):
    path = tmp_path / "genomes" / "hg38.fa"
    path.parent.mkdir()
    path.write_bytes(fasta(chromosomes))
    return path


@pytest.fixture
def fetch(host, fetcher, genome):
    """The set from the lists of the host; by default of the human genome."""

    def fetch(**options):
        options = {"url": f"{host.url}/epdnew", "genomes": [f"hs={genome}"], **options}
        (made,) = EpdNew(build(EpdNewOptions, "epdnew", options)).fetch(fetcher=fetcher)
        return made

    return fetch


@pytest.mark.parametrize("first_last", [(-205, 50), (0, 0), (-1, 0), (-10, -3), (3, 20), (-299, 299)])
@pytest.mark.parametrize(
    ("name", "pack"),
    [
        ("hg38.fa", bytes),
        ("hg38.fa.gz", gzip.compress),
        ("hg38.fa.bgz", bgzip),
        ("packed", gzip.compress),
        ("text.gz", bytes),
    ],
)
def test_windows(fetch, host, genome, chromosomes, first_last, name, pack):
    path = genome.with_name(name)
    path.write_bytes(pack(fasta(chromosomes)))
    promoters = scattered(chromosomes, 60)
    host.put(HUMAN, bed(promoters))
    made = fetch(window="{}..{}".format(*first_last), genomes=[f"hs={path}"])
    windows = [expected(chromosomes, promoter, *first_last) for promoter in promoters]
    first = {window: row for row, window in reversed(list(enumerate(windows)))}  # short ones recur
    assert made.sequences.strings() == list(dict.fromkeys(windows))
    assert list(made.sequences.names) == [promoters[first[window]][0] for window in dict.fromkeys(windows)]
    assert set(made.sequences.labels["species"]) == {"hs"}
    assert made.dropped == {"too near an end": 0, "with N": 0, "repeated": 60 - len(first)}


@pytest.mark.parametrize(("width", "end"), [(60, "\r\n"), (50, "\n"), (7, "\n"), (10_000, "\n")])
def test_lines_of_any_length(fetch, host, genome, chromosomes, width, end):
    genome.write_bytes(fasta(chromosomes, width=width, end=end))
    promoters = [(f"G{tss}_1", "chr2", tss, "+-"[tss % 2]) for tss in range(900, 1030)]
    host.put(HUMAN, bed(promoters))
    windows = [expected(chromosomes, promoter, -205, 50) for promoter in promoters]
    assert fetch().sequences.strings() == windows


def test_the_tss_stands_where_the_window_says(fetch, host, genome):
    """EPD's core promoter in the small: TATA-box 30 bp before the TSS, on either strand."""
    site = "C" * 50 + "TATAAA" + "G" * 24 + "A" + "C" * 30
    back = site[::-1].translate(str.maketrans("ACGT", "TGCA"))
    genome.write_bytes(f">chr1\n{'T' * 300}{site}{'T' * 300}\n>chr2\n{'T' * 300}{back}{'T' * 300}\n".encode())
    host.put(HUMAN, bed([("PLUS_1", "chr1", 300 + 80, "+"), ("MINUS_1", "chr2", 300 + len(site) - 1 - 80, "-")]))
    made = fetch(window="-80..30")
    assert made.sequences.strings() == [site]
    assert made.dropped["repeated"] == 1


def test_what_reaches_beyond_an_end_is_dropped_and_counted(fetch, host, chromosomes):
    last = len(chromosomes["chr2"]) - 1
    kept = [
        ("A", "chr2", 205, "+"),
        ("B", "chr2", last - 50, "+"),
        ("C", "chr2", 50, "-"),
        ("D", "chr2", last - 205, "-"),
    ]
    near = [
        ("E", "chr2", 204, "+"),
        ("F", "chr2", last - 49, "+"),
        ("G", "chr2", 49, "-"),
        ("H", "chr2", last - 204, "-"),
    ]
    ends = [("I", "chr2", 0, "+"), ("J", "chr2", last, "-")]
    host.put(HUMAN, bed(kept + near + ends))
    made = fetch()
    assert list(made.sequences.names) == ["A", "B", "C", "D"]
    assert made.sequences.strings() == [expected(chromosomes, promoter, -205, 50) for promoter in kept]
    assert made.dropped == {"too near an end": 6, "with N": 0, "repeated": 0}
    about = made.about["species"]["hs"]
    assert (about["listed"], about["too_near_an_end"], about["kept"]) == (10, 6, 4)


def test_other_letters_are_dropped_and_counted(fetch, host, genome, chromosomes):
    bases = list(chromosomes["chr1"])
    bases[1000], bases[2000], bases[3000] = "N", "n", "R"
    genome.write_bytes(fasta({"chr1": "".join(bases)}))
    places = [999, 1001, 2010, 3000, 3100, 3400]
    host.put(HUMAN, bed([(f"G{tss}_1", "chr1", tss, "+") for tss in places]))
    made = fetch(window="-20..20")
    assert list(made.sequences.names) == ["G3100_1", "G3400_1"]
    assert made.dropped["with N"] == 4


@pytest.mark.parametrize(("listed", "here"), [("chr2", "2"), ("2", "chr2"), ("Chr2", "chr2"), ("chr2", "CHR2")])
def test_chromosomes_with_and_without_chr(fetch, host, genome, chromosomes, listed, here):
    genome.write_bytes(fasta({here: chromosomes["chr2"], "other": chromosomes["chr1"]}))
    host.put(HUMAN, bed([("A", listed, 1000, "-")]))
    assert fetch().sequences.strings() == [expected(chromosomes, ("A", "chr2", 1000, "-"), -205, 50)]


def test_the_very_name_comes_first(fetch, host, genome, chromosomes):
    genome.write_bytes(fasta({"chr2": chromosomes["chr1"], "2": chromosomes["chr2"], "Chr2": chromosomes["chrX"]}))
    host.put(HUMAN, bed([("A", "2", 1000, "+")]))
    assert fetch().sequences.strings() == [expected(chromosomes, ("A", "chr2", 1000, "+"), -205, 50)]


def test_a_genome_that_lacks_a_chromosome(fetch, host, genome):
    host.put(HUMAN, bed([("A", "chr1", 1000, "+"), ("B", "chr7", 1000, "+"), ("C", "chr3", 1000, "+")]))
    with pytest.raises(
        UserError,
        match=rf"^{genome}: no chromosome named 'chr3', 'chr7', with or without 'chr'; it has 'chr1', 'chr2', 'chrX'$",
    ):
        fetch()


def test_many_chromosomes_are_not_all_named(fetch, host, genome):
    genome.write_bytes(b"".join(b">scaffold%d\nACGT\n" % i for i in range(900)))
    host.put(HUMAN, bed([("A", "chr1", 1000, "+")]))
    with pytest.raises(UserError, match=r"it has 'scaffold0', .*, 'scaffold4' and 895 more$"):
        fetch()


def test_a_tss_beyond_the_chromosome_means_another_assembly(fetch, host, genome):
    host.put(HUMAN, bed([("A", "chr2", 2501, "-")]))
    with pytest.raises(
        UserError,
        match=rf"^{genome}: chr2 has 2,501 bases, but A starts at base 2,502 of it: not .* which should be hg38$",
    ):
        fetch()


@pytest.mark.parametrize("order", [("hs", "sc"), ("sc", "hs")])
def test_several_species(fetch, host, genome, tmp_path, chromosomes, order):
    yeast = make_genome(5, chrI=3000)
    (tmp_path / "sacCer3.fa").write_bytes(fasta(yeast))
    human_list, yeast_list = scattered(chromosomes, 9), scattered(yeast, 5)
    host.put(HUMAN, bed(human_list))
    host.put(YEAST, bed(yeast_list))
    files = {"hs": genome, "sc": tmp_path / "sacCer3.fa"}
    made = fetch(genomes=",".join(f"{code}={files[code]}" for code in order), window="-100..27")
    windows = [expected(chromosomes, p, -100, 27) for p in human_list]
    windows += [expected(yeast, p, -100, 27) for p in yeast_list]
    assert made.sequences.strings() == windows
    assert made.sequences.labels["species"].tolist() == ["hs"] * 9 + ["sc"] * 5
    assert made.name == "epdnew"
    assert made.about["window"] == "-100..27"
    assert {code: part["kept"] for code, part in made.about["species"].items()} == {"hs": 9, "sc": 5}
    about = made.about["species"]["sc"]
    assert (about["genome"], about["genome_bytes"]) == ("sacCer3.fa", (tmp_path / "sacCer3.fa").stat().st_size)
    assert (about["list"], about["assembly"]) == ("Sc_EPDnew_002_sacCer3.bed", "sacCer3")


def test_lists_come_from_the_published_places_once(fetch, host, chromosomes):
    host.put(HUMAN, bed(scattered(chromosomes, 3)))
    fetch()
    fetch(window="0..9")
    assert host.asked == [f"/{HUMAN}"]


def test_a_list_of_another_length_is_warned_of(fetch, host, fetcher, genome, chromosomes):
    host.put(HUMAN, bed(scattered(chromosomes, 3)))
    host.put("epdnew/Z_mays/current/Zm_EPDnew.bed", bed(scattered(chromosomes, 2)))
    fetch(genomes=[f"hs={genome}", f"zm={genome}"])
    human, maize = fetcher.warnings
    assert human.endswith("Hs_EPDnew_006_hg38.bed: 3 promoters of hs; 29,598 were expected")
    assert maize.endswith("2 promoters of zm; 17,081 were expected (a number that no source confirms)")


def test_a_list_of_the_right_length_is_not(fetch, host, fetcher, chromosomes, monkeypatch):
    host.put(HUMAN, bed(scattered(chromosomes, 3)))
    monkeypatch.setitem(SPECIES, "hs", SPECIES["hs"]._replace(promoters=3))
    fetch()
    assert fetcher.warnings == []


def test_lists_of_ones_own(fetch, host, tmp_path, chromosomes):
    lists = tmp_path / "lists"
    lists.mkdir()
    with pytest.raises(UserError, match=rf"epdnew.lists is '{lists}', where there is no file Hs_EPDnew\*\.bed"):
        fetch(lists=str(lists))
    (lists / "Hs_EPDnew.bed").write_text(bed(scattered(chromosomes, 3)))
    assert len(fetch(lists=str(lists)).sequences) == 3
    assert host.asked == []
    (lists / "Hs_EPDnew_005_hg19.bed").touch()
    with pytest.raises(UserError, match=r"where there is 2 files Hs_EPDnew\*\.bed; one was expected"):
        fetch(lists=str(lists))


@pytest.mark.parametrize("pack", [bytes, gzip.compress, bgzip])
def test_nothing_appears_beside_the_genome(fetch, host, fetcher, genome, chromosomes, pack):
    genome.write_bytes(pack(fasta(chromosomes)))
    host.put(HUMAN, bed(scattered(chromosomes, 3)))
    fetch()
    assert list(genome.parent.iterdir()) == [genome]
    assert list(fetcher.scratch.iterdir()) == []


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not FASTA: the first line does not start with '>'"),
        (b"chr1\t0\t100\n", "not FASTA: the first line does not start with '>'"),
        (bytes(range(256)), "not FASTA: the first line does not start with '>'"),
        (b">chr1\nACGT\n>chr1\nACGT\n", 'not FASTA that can be indexed: Duplicate key "chr1"'),
        (b">chr1\nACGT\nACGTACGT\nACGT\n", "not FASTA that can be indexed: Line length"),
        (b">chr1\n\xff\xfe\n", "not FASTA that can be indexed: it is not text"),
        (
            gzip.compress(b">chr1\n" + random.Random(0).randbytes(5000), mtime=0)[:3000],
            "the gzip data is damaged or cut short",
        ),
        (gzip.compress(b"no FASTA", mtime=0), "not FASTA: the first line does not start with '>'"),
    ],
)
def test_a_file_that_is_no_genome(fetch, host, fetcher, genome, content, message):
    genome.write_bytes(content)
    host.put(HUMAN, bed([("A", "chr1", 1000, "+")]))
    with pytest.raises(UserError, match=f"^{genome}: {message}"):
        fetch()
    assert list(fetcher.scratch.iterdir()) == []


@pytest.mark.parametrize(
    ("genomes", "message"),
    [
        (
            [],
            "give one or more with --genome CODE=FILE, such as --genome hs=hg38.fa.gz; .*am amel5, at araTha1, ce ce6",
        ),
        (["xx=hg38.fa"], "genome 'xx=hg38.fa': CODE=FILE was expected, CODE one of am, at, ce, cf"),
        (["hg38.fa"], "genome 'hg38.fa': CODE=FILE was expected"),
        (["hs="], "genome 'hs=': CODE=FILE was expected"),
        (["hs=nowhere.fa"], "genome 'hs=nowhere.fa': no such file"),
        (["hs=/"], "genome 'hs=/': no such file"),
        (["hs={genome}", "hs={genome}"], "genome 'hs={genome}': hs has one already, {genome}"),
    ],
)
def test_genomes_that_are_given_wrongly(fetch, host, genome, genomes, message):
    with pytest.raises(UserError, match=message.format(genome=genome)):
        fetch(genomes=[text.format(genome=genome) for text in genomes])
    assert host.asked == []


@pytest.mark.parametrize("window", ["50..-205", "text", "-205", "1-5", "", "-205...50", "-1.5..3", "0..", "-205..5O"])
def test_windows_that_are_none(fetch, host, window):
    with pytest.raises(UserError, match=r"^option epdnew\.window is .*such as -205\.\.50 for 256 bp$"):
        fetch(window=window)
    assert host.asked == []


def test_a_window_that_fits_nowhere(fetch, host, chromosomes):
    host.put(HUMAN, bed(scattered(chromosomes, 3)))
    message = r"window is '-999999999\.\.999999999'; no window of its size is left: 3 too near an end"
    with pytest.raises(UserError, match=message):
        fetch(window="-999999999..999999999")


def test_a_list_that_is_not_there(fetch, host):
    with pytest.raises(UserError, match=f"^{host.url}/{HUMAN}: the server answers 404"):
        fetch()


def test_lines_as_epd_writes_them(tmp_path):
    """The first lines of Hs_EPDnew_006_hg38.bed: each covers 49 bp, the TSS and 10 bp, along its strand."""
    path = tmp_path / "list.bed"
    path.write_text(
        "chr1 959245 959305 NOC2L_1 900 - 959245 959256\n"
        "chr1 960583 960643 KLHL17_1 900 + 960632 960643\n"
        "\n"
        "chr1\t966432\t966492\tPLEKHN1_1\t900\t+\t966481\t966492\n"
    )
    assert read_promoters(path) == [
        ("NOC2L_1", "chr1", 959_255, "-"),
        ("KLHL17_1", "chr1", 960_632, "+"),
        ("PLEKHN1_1", "chr1", 966_481, "+"),
    ]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("chr1 959245 959305 NOC2L_1 900 -", "6 columns; eight were expected: chromosome, start"),
        ("chr1 959245 x NOC2L_1 900 - 959245 959256", "'x' is not a position; a whole number was expected"),
        ("chr1 -5 55 NOC2L_1 900 - -5 6", "'-5' is not a position"),
        ("chr1 959245 959305 NOC2L_1 900 . 959245 959256", r"strand '\.' is neither \+ nor -"),
        ("chr1 959245 959305 NOC2L_1 900 - 959256 959245", r"the thick part 959256\.\.959245 does not lie within 9"),
        ("chr1 959245 959305 NOC2L_1 900 - 959295 959306", r"the thick part 959295\.\.959306 does not lie within 9"),
        ("chr1 959245 959305 NOC2L_1 900 + 959250 959250", r"the thick part 959250\.\.959250 does not lie within 9"),
    ],
)
def test_a_line_that_is_none(tmp_path, line, message):
    path = tmp_path / "list.bed"
    path.write_text(f"# EPDnew\nchr1 960583 960643 KLHL17_1 900 + 960632 960643\n{line}\n")
    with pytest.raises(UserError, match=f"^{path}, line 3: {message}"):
        read_promoters(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "no promoter is listed here"),
        (b"track name=EPDnew\n# nothing\n", "no promoter is listed here"),
        (b"\xff\xfe", "not UTF-8 text"),
        (b"<html>\n", "line 1: 1 columns"),
    ],
)
def test_a_file_that_is_no_list(tmp_path, content, message):
    path = tmp_path / "list.bed"
    path.write_bytes(content)
    with pytest.raises(UserError, match=message):
        read_promoters(path)
    with pytest.raises(UserError, match="cannot be read: No such file"):
        read_promoters(tmp_path / "none.bed")
