"""``epd-gendna`` from a host with the layout of the published one."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from dnabench import UserError
from dnabench.options import build
from dnabench_promoters.epd import gendna
from dnabench_promoters.epd.gendna import PUBLISHED, EpdGenDna, Published
from dnabench_promoters.options import EpdGenDnaOptions

FOLDER = "datasets/Zehui127127/latent-dna-diffusion/resolve/ab85ce9a7e29bac5a7fe823f2ed5b2b64b60c8eb"
HUMAN, MACAQUE, MOUSE, RAT = (
    "Homo sapiens (Human).",
    "Macaca mulatta (rhesus macaque).",
    "Mus musculus (Mouse).",
    "Rattus Norvegicus (rat).",
)
FLY = "Drosophila melanogaster (Fruit fly)."


def dna(n, seed):
    return "".join(np.random.default_rng(seed).choice(list("ACGT"), n))


def table(rows):
    return "Sequence,species\n" + "".join(f"{sequence},{species}\n" for sequence, species in rows)


def faulty_table(length):
    """Of thirteen rows four are of no use, and two repeat an earlier sequence."""
    a, b, c, d, e, f, g = (dna(length, seed) for seed in range(7))
    return table(
        [
            (a, HUMAN),
            (b, MOUSE),
            (a, FLY),  # repeats the human one, under another species
            (c.lower(), RAT),
            (d[:-1] + "N", HUMAN),  # no pure ACGT
            (d[:-1], HUMAN),  # too short
            (d + "A", HUMAN),  # too long
            (d[:-1] + "-", HUMAN),  # no DNA
            (d, MACAQUE),
            (e, FLY),
            (c, RAT),  # repeats the lower-case one
            (f, HUMAN),
            (g, FLY),
        ]
    )


@pytest.fixture
def fetch(host, fetcher):
    def fetch(**options):
        options = {"url": f"{host.url}/{FOLDER}", "verify": False, **options}
        return list(EpdGenDna(build(EpdGenDnaOptions, "epd-gendna", options)).fetch(fetcher=fetcher))

    return fetch


@pytest.fixture
def published(host, monkeypatch):
    """The 2048 bp file, scaled down and known with all that is known of the real one."""
    content = faulty_table(2048)
    host.put(f"{FOLDER}/sequence.csv", content)
    counts = dict(zip(PUBLISHED[1].counts, (13, 4, 2, 7, 5), strict=True))
    known = Published("sequence.csv", 2048, counts, hashlib.sha256(content.encode()).hexdigest())
    monkeypatch.setattr(gendna, "PUBLISHED", (PUBLISHED[0], known))
    return known


def test_what_is_known_of_the_published_files():
    short, long = PUBLISHED
    assert list(long.counts.values()) == [159_123, 2_166, 554, 156_403, 61_236]
    assert 159_123 - 2_166 - 554 == 156_403
    assert (short.sha256, short.counts) == (None, {"rows": 159_123})
    assert EpdGenDnaOptions().url == f"https://huggingface.co/{FOLDER}"


@pytest.mark.parametrize(
    ("length", "names"),
    [("both", [256, 2048]), ("256", [256]), ("2048", [2048])],
)
def test_sets(fetch, host, length, names):
    host.put(f"{FOLDER}/sequence.csv", faulty_table(2048))
    host.put(f"{FOLDER}/sequence_central_256.csv", faulty_table(256))
    sets = fetch(length=length)
    assert [(one.name, one.sequences.length) for one in sets] == [(f"epd-gendna-{n}", n) for n in names]
    files = {256: "sequence_central_256.csv", 2048: "sequence.csv"}
    assert host.asked == [f"/{FOLDER}/{files[n]}" for n in names]


def test_cleaning(fetch, host, fetcher):
    content = faulty_table(256)
    host.put(f"{FOLDER}/sequence_central_256.csv", content)
    (made,) = fetch(length="256")
    assert made.sequences.strings() == [dna(256, seed) for seed in range(7)]
    assert made.sequences.labels["species"].tolist() == ["hs", "mm", "rn", "rm", "dm", "hs", "dm"]
    assert list(made.sequences.labels) == ["species"]
    assert {reason: n for reason, n in made.dropped.items() if n} == {
        "faulty": 1,
        "with N": 1,
        "wrong length": 2,
        "repeated": 2,
    }
    assert made.about["species"] == {"dm": 2, "hs": 2, "mm": 1, "rm": 1, "rn": 1}
    assert made.about["rows"] == 13
    assert made.about["file_sha256"] == hashlib.sha256(content.encode()).hexdigest()
    assert made.about["verified"] == "nothing"
    assert fetcher.warnings == []


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("Apis mellifera (Honey bee).", "am"),
        ("Arabidopsis thaliana (Mouse-ear cress).", "at"),
        ("Caenorhabditis elegans.", "ce"),
        ("Canis familiaris (dog).", "cf"),
        ("Canis lupus familiaris (Dog).", "cf"),
        ("Drosophila melanogaster (Fruit fly).", "dm"),
        ("Danio rerio (Zebrafish).", "dr"),
        ("Gallus gallus (Chicken).", "gg"),
        ("Homo sapiens (Human).", "hs"),
        ("MUS MUSCULUS", "mm"),
        ("Plasmodium falciparum (isolate 3D7).", "pf"),
        ("Macaca mulatta (rhesus macaque).", "rm"),
        ("Rattus Norvegicus (rat).", "rn"),
        ("Saccharomyces cerevisiae (Baker's yeast).", "sc"),
        ("Schizosaccharomyces pombe (Fission yeast).", "sp"),
        ("Zea mays (Maize).", "zm"),
    ],
)
def test_species(fetch, host, fetcher, written, code):
    host.put(f"{FOLDER}/sequence_central_256.csv", table([(dna(256, 0), written)]))
    (made,) = fetch(length="256")
    assert made.sequences.labels["species"].tolist() == [code]
    assert fetcher.warnings == []


def test_an_unknown_species_is_kept_and_warned_of(fetch, host, fetcher):
    rows = [(dna(256, 0), "Mus spretus (Algerian mouse)."), (dna(256, 1), HUMAN), (dna(256, 2), "")]
    host.put(f"{FOLDER}/sequence_central_256.csv", table(rows))
    (made,) = fetch(length="256")
    assert made.sequences.labels["species"].tolist() == ["Mus_spretus_(Algerian_mouse).", "hs", ""]
    (warning,) = fetcher.warnings
    assert "2 names of species unknown to EPD, kept as they are: '', 'Mus_spretus_(Algerian_mouse).'" in warning


def test_verified(fetch, fetcher, published):
    (made,) = fetch(length="2048", verify=True)
    assert made.about["verified"] == "sha256 and counts"
    assert made.about["file_sha256"] == published.sha256
    assert fetcher.warnings == []


@pytest.mark.parametrize("what", PUBLISHED[1].counts)
def test_a_count_that_differs(fetch, published, monkeypatch, what):
    found = published.counts[what]
    counts = published.counts | {what: found + 1}
    monkeypatch.setattr(gendna, "PUBLISHED", (published._replace(counts=counts),))
    message = (
        rf"sequence\.csv: not the published file: {found} {what} \({found + 1} were expected\); --set epd-gendna\.v"
    )
    with pytest.raises(UserError, match=message):
        fetch(length="2048", verify=True)
    (made,) = fetch(length="2048", verify=False)
    assert len(made.sequences) == 7


def test_another_file_in_its_place(fetch, host, fetcher, published):
    content = faulty_table(2048) + table([(dna(2048, 9), FLY)]).partition("\n")[2]
    host.put(f"{FOLDER}/sequence.csv", content)
    found = hashlib.sha256(content.encode()).hexdigest()
    with pytest.raises(UserError, match=f"its sha256 is {found}, {published.sha256} was expected"):
        fetch(length="2048", verify=True)
    assert list((fetcher.root / "downloads").iterdir()) == []


def test_of_the_short_file_a_number_of_rows_alone_is_known(fetch, host, fetcher, monkeypatch):
    host.put(f"{FOLDER}/sequence_central_256.csv", faulty_table(256))
    (made,) = fetch(length="256", verify=True)
    (warning,) = fetcher.warnings
    assert warning.endswith("sequence_central_256.csv: not the published file: 13 rows (159,123 were expected)")
    assert made.about["verified"] == "number of rows; no sha256 of this file is published"
    fetcher.warnings.clear()
    monkeypatch.setattr(gendna, "PUBLISHED", (PUBLISHED[0]._replace(counts={"rows": 13}),))
    fetch(length="256", verify=True)
    assert fetcher.warnings == []


def test_another_address_is_another_file(fetch, host):
    host.put(f"{FOLDER}/sequence_central_256.csv", table([(dna(256, 0), HUMAN)]))
    host.put("main/sequence_central_256.csv", table([(dna(256, 1), FLY)]))
    fetch(length="256")
    (made,) = fetch(length="256", url=f"{host.url}/main/")
    assert made.sequences.labels["species"].tolist() == ["dm"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("<!DOCTYPE html>\n<title>Log in</title>\n", "no column of sequences .*; remove the file to download it again"),
        ("Sequence,organism\nACGT,human\n", "no sequence of 256 bp is left"),
        (f"Sequence,organism\n{'A' * 256},human\n", "no column 'species'; besides the sequences it has organism"),
        (f"Sequence\n{'A' * 256}\n", "no column 'species'; besides the sequences it has none"),
    ],
)
def test_a_file_that_is_something_else(fetch, host, content, message):
    host.put(f"{FOLDER}/sequence_central_256.csv", content)
    with pytest.raises(UserError, match=rf"sequence_central_256\.csv: {message}"):
        fetch(length="256")


def test_a_file_that_is_not_there(fetch, host):
    with pytest.raises(UserError, match=f"^{host.url}/{FOLDER}/sequence.csv: the server answers 404"):
        fetch(length="2048")


def test_a_length_that_is_not_published(fetch):
    with pytest.raises(UserError, match=r"epd-gendna\.length is '512'; it takes one of both, 256, 2048"):
        fetch(length="512")
