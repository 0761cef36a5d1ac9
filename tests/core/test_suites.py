from __future__ import annotations

import pytest

from dnabench import UserError, suites
from dnabench.plugins import construct, load_catalog

# The 15 species of EPD that the paper trains on, and its four mammals (arXiv 2402.06079, section 4).
SPECIES = ["am", "at", "ce", "cf", "dm", "dr", "gg", "hs", "mm", "pf", "rm", "rn", "sc", "sp", "zm"]
MAMMALS = ["hs", "mm", "rm", "rn"]


@pytest.mark.parametrize(
    ("name", "length", "species", "dataset"),
    [
        ("epd15-256-v1", 256, SPECIES, "epd-gendna-256"),
        ("mammals-256-v1", 256, MAMMALS, "epd-gendna-256"),
        ("mammals-2048-v1", 2048, MAMMALS, "epd-gendna-2048"),
    ],
)
def test_the_suites_of_published_promoters(name, length, species, dataset):
    suite = suites.load(name)
    assert (suite.length, list(suite.dataset.species), suite.dataset.name) == (length, species, dataset)
    assert suite.split.protocol == "groups-50mer-80:10:10"
    assert suite.controls.names == ("holdout", "bootstrap", "dinucleotide-shuffle", "random")
    assert "species" in suite.slices


def test_the_default_suite_pins_the_very_sequences(make_context):
    suite = suites.load(suites.DEFAULT)
    spec = load_catalog([]).dataset(suite.dataset.name).spec
    sequences = construct(spec, spec.options(**suite.dataset.options)).load(context=make_context())
    assert sequences.digest == suite.dataset.sha256


OWN = """
summary = "mine"
length = 64
samples = 50
metrics = ["mmd@kmer"]
seeds = [0]
slices = ["species"]
[dataset]
path = "mine.fa"
[split]
method = "random"
fractions = [0.5, 0.25, 0.25]
"""


def test_a_suite_of_ones_own(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(OWN)
    suite = suites.load(str(path))
    assert (suite.name, suite.length, suite.samples, suite.seeds) == ("mine", 64, 50, (0,))
    assert suite.dataset.path == tmp_path / "mine.fa"
    assert suite.split.protocol == "random-50:25:25"
    assert suite.controls.names == ("holdout", "bootstrap", "dinucleotide-shuffle", "random")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("samples = 50", "", "'samples' is missing"),
        ("samples = 50", "samples = 1", "samples is at least 2"),
        ("samples = 50", "samples = true", "samples = True is not a whole number"),
        ("samples = 50", 'samples = "50"', "samples = '50' is not a whole number"),
        ("samples = 50", "samples = 50\nsample = 3", "no key is called 'sample'; did you mean samples"),
        ("seeds = [0]", "seeds = []", "seeds are whole numbers from 0, at least one"),
        ("seeds = [0]", "seeds = [-1]", "seeds are whole numbers from 0, at least one"),
        ("seeds = [0]", "seeds = 0", "seeds = 0 is not a list of whole numbers"),
        ('["mmd@kmer"]', "[]", "metrics names at least one metric"),
        ('path = "mine.fa"', "", "[dataset] names a set (name) or a file (path), one of the two"),
        ('path = "mine.fa"', 'path = "a"\nname = "b"', "[dataset] names a set (name) or a file (path), one of the two"),
        ('"random"', '"chromosomes"', "[split] method is one of groups, random"),
        ("[0.5, 0.25, 0.25]", "[0.5, 0.25]", "[split] fractions are three positive numbers that sum to 1"),
        ("[0.5, 0.25, 0.25]", "[0.5, 0.25, 0.3]", "[split] fractions are three positive numbers that sum to 1"),
        ("[split]", "[split]\nseed = 1", "[split]: no key is called 'seed'"),
        ("[split]", "[splits]", "no key is called 'splits'; did you mean split"),
        ("[split]", "[split", "not TOML"),
        ("length = 64", "length = 0", "length is at least 1"),
        ('"mine.fa"', '"mine.fa"\noptions = { n = 3 }', "[dataset] options are those of a name, not of a path"),
    ],
)
def test_what_is_wrong_with_a_suite_is_said(tmp_path, old, new, message):
    path = tmp_path / "mine.toml"
    path.write_text(OWN.replace(old, new))
    with pytest.raises(UserError) as error:
        suites.load(str(path))
    assert message in str(error.value)
    assert str(path) in str(error.value)


def test_an_unknown_suite_and_a_name_that_is_taken(tmp_path):
    with pytest.raises(UserError, match="no suite named 'epd15-256'; did you mean epd15-256-v1"):
        suites.load("epd15-256")
    with pytest.raises(UserError, match="absent.toml: cannot be read: No such file"):
        suites.load(str(tmp_path / "absent.toml"))
    with pytest.raises(UserError, match="mammals-256-v1 is a name of dnabench's own; give your suite another"):
        suites.load(str(tmp_path / "mammals-256-v1.toml"))
    with pytest.raises(UserError, match="custom is a name of dnabench's own"):
        suites.load(str(tmp_path / "custom.toml"))
