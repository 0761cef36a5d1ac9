"""``composition``, ``position`` and ``markov`` with a table for each value of a label."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from dnabench import SequenceSet, UserError
from dnabench_baselines.frequencies import Composition, Position, composition, position
from dnabench_baselines.markov import Markov, markov
from dnabench_baselines.options import FrequencyOptions, MarkovOptions

CHAIN = {"order": 1, "pseudocount": 0.0}
NEW = {
    "composition": lambda by: composition(FrequencyOptions(by=by)),
    "position": lambda by: position(FrequencyOptions(by=by)),
    "markov": lambda by: markov(MarkovOptions(by=by, **CHAIN)),
}
WITHOUT_LABELS = {"composition": Composition, "position": Position, "markov": lambda: Markov(MarkovOptions(**CHAIN))}
EVERY = pytest.mark.parametrize("name", NEW)


def labelled(sequences, values):
    labels = pd.DataFrame({"row": range(len(values)), "species": values})
    return SequenceSet.from_strings(sequences, labels=labels)


def independent_bases(gc, n, seed):
    """``n`` sequences of 40 bp as text."""
    at = (1 - gc) / 2
    codes = np.random.default_rng(seed).choice(4, size=(n, 40), p=[at, gc / 2, gc / 2, at])
    return SequenceSet(codes.astype(np.uint8)).strings()


# In mixed order, 200 sequences of x, 100 of y and 25 without a label.
TRAIN = labelled(
    independent_bases(0.9, 200, seed=0) + independent_bases(0.1, 100, seed=1) + independent_bases(0.5, 25, seed=2),
    ["x"] * 200 + ["y"] * 100 + [""] * 25,
).take(np.random.default_rng(3).permutation(325))


def of(value, sequences):
    return sequences.take((sequences.labels["species"] == value).to_numpy())


def asked(values):
    """Labels to ask for, with an index such as rows that were taken from elsewhere bring along."""
    return pd.DataFrame({"row": "-", "species": values}, index=np.arange(len(values)) // 2)


def assert_learnt(sample, train):
    """The GC of the sample is that of its training sequences, within the error of both.

    A chain's is not exactly that of its training sequences: the bases that end them have no successor to count. Of the
    25 without a label they are enough to move it from 0.494 to 0.503, the chain's own.
    """
    trained, sampled = (np.isin(sequences.codes, [1, 2]) for sequences in (train, sample))
    variance = trained.mean() * (1 - trained.mean()) * (1 / trained.size + 1 / sampled.size)
    assert sampled.mean() == pytest.approx(trained.mean(), abs=4 * variance**0.5)


@pytest.fixture
def fit(make_context):
    def fitted(generator, train=TRAIN):
        generator.fit(train, context=make_context(length=train.length))
        return generator

    return fitted


@EVERY
def test_every_row_is_of_the_label_asked_for(fit, make_context, name):
    values = np.array(["y", "x", "", "x", "y"] * 100)
    sample = fit(NEW[name]("species")).sample(500, context=make_context(length=40, labels=asked(values)))
    assert sample.labels.columns.tolist() == ["species"]
    assert sample.labels["species"].tolist() == values.tolist()
    for value in ("x", "y", ""):
        assert_learnt(of(value, sample), of(value, TRAIN))
    # Of 40 bases with a GC of 0.9 or 0.1, half is 8 standard deviations away.
    rich = np.isin(sample.codes, [1, 2]).mean(1) > 0.5
    assert rich[values == "x"].all()
    assert not rich[values == "y"].any()


@EVERY
@pytest.mark.parametrize("value", ["x", "y", ""])
def test_one_label_alone_is_the_model_of_its_sequences_alone(fit, make_context, name, value):
    conditional, alone = fit(NEW[name]("species")), fit(WITHOUT_LABELS[name](), of(value, TRAIN))
    sample = conditional.sample(30, context=make_context(seed=5, length=40, labels=asked([value] * 30)))
    assert np.array_equal(sample.codes, alone.sample(30, context=make_context(seed=5, length=40)))


@EVERY
def test_without_a_label_option_there_is_one_table(fit, make_context, tmp_path, name):
    one, alone = fit(NEW[name]("")), fit(WITHOUT_LABELS[name]())
    sample = one.sample(30, context=make_context(seed=5, length=40, labels=asked(["x"] * 30)))
    assert isinstance(sample, np.ndarray)
    assert np.array_equal(sample, alone.sample(30, context=make_context(seed=5, length=40)))
    one.save(tmp_path)
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["model.safetensors"]


def test_chains_of_labels_with_the_same_composition(fit, make_context):
    train = labelled(["ACGACGACGACG", "AGCAGCAGCAGC"], ["forwards", "backwards"])
    values = ["forwards", "backwards", "backwards", "forwards"] * 50
    sample = fit(NEW["markov"]("species"), train).sample(200, context=make_context(length=6, labels=asked(values)))
    assert set(of("forwards", sample).strings()) == {"ACGACG", "CGACGA", "GACGAC"}
    assert set(of("backwards", sample).strings()) == {"AGCAGC", "GCAGCA", "CAGCAG"}


@EVERY
def test_labels_nobody_asked_for_are_as_frequent_as_in_training(fit, make_context, name):
    n = 20_000
    sample = fit(NEW[name]("species")).sample(n, context=make_context(length=40))
    assert sample.labels.columns.tolist() == ["species"]
    for value, count in {"x": 200, "y": 100, "": 25}.items():
        share = count / 325
        drawn = of(value, sample)
        assert len(drawn) / n == pytest.approx(share, abs=4 * (share * (1 - share) / n) ** 0.5)
        assert_learnt(drawn, of(value, TRAIN))
    again = sample.labels["species"].to_numpy()
    assert (again[1:] != again[:-1]).mean() > 0.4  # 0.52 in random order, next to nothing when grouped


@EVERY
def test_sequences_of_a_label_do_not_depend_on_the_order_of_the_rows(fit, make_context, name):
    generator = fit(NEW[name]("species"))
    one, other = (
        generator.sample(40, context=make_context(seed=5, length=40, labels=asked(values)))
        for values in (["x", "y"] * 20, ["y"] * 20 + ["x"] * 20)
    )
    for value in ("x", "y"):
        assert np.array_equal(of(value, one).codes, of(value, other).codes)


@EVERY
def test_a_loaded_generator_samples_the_same(fit, make_context, tmp_path, name):
    values = ["../up", "", "Sus_scrofa", "größer/kleiner", "a=b"]
    train = labelled([text * 4 for text in ("ACGT", "AACC", "GGTT", "AGAG", "CTCT")] * 3, values * 2 + values[:1] * 5)
    generator, loaded = fit(NEW[name]("species"), train), NEW[name]("species")
    directory = tmp_path / "model"
    directory.mkdir()
    generator.save(directory)
    assert {path.suffix for path in directory.rglob("*") if path.is_file()} == {".safetensors", ".json"}
    assert not (tmp_path / "up").exists()
    loaded.load(directory)
    for labels in (None, asked(values * 10)):
        before, after = (
            each.sample(50, context=make_context(seed=5, length=16, labels=labels)) for each in (generator, loaded)
        )
        assert before.digest == after.digest
        assert before.labels.equals(after.labels)


def test_species_of_real_promoters_keep_their_profiles(real_promoters, make_context):
    n = 2500
    maize, yeast = real_promoters("zm").take(np.arange(n)), real_promoters("sc").take(np.arange(n))
    train = SequenceSet(np.concatenate([maize.codes, yeast.codes]), labels=pd.concat([maize.labels, yeast.labels]))
    train = train.take(np.random.default_rng(1).permutation(2 * n))
    generator = NEW["position"]("species")
    generator.fit(train, context=make_context())
    sample = generator.sample(2 * n, context=make_context(labels=train.labels))
    assert sample.labels["species"].equals(train.labels["species"])

    profiles = {}
    for value, real in {"zm": maize, "sc": yeast}.items():
        sampled = of(value, sample)
        for base in range(4):
            difference = (sampled.codes == base).mean(0) - (real.codes == base).mean(0)
            assert np.abs(difference).max() < 5 * 0.5 / n**0.5
        profiles[value] = 1 - np.isin(sampled.codes, [1, 2]).mean(0)
    # The statement above is not about two species that look alike: the GC differs by 0.15, and maize, of which nearly
    # all are TATA promoters, has a TATA box 29 bp before the TSS (index 205), where yeast has none.
    assert profiles["sc"].mean() > profiles["zm"].mean() + 0.1
    assert 172 <= profiles["zm"][:200].argmax() <= 180
    assert profiles["zm"][176] > 0.9
    assert profiles["sc"][176] < 0.75


@EVERY
def test_a_missing_column_names_those_there_are(fit, make_context, name):
    with pytest.raises(
        UserError, match="'tissue' is a label that the training sequences do not have; they have: row, sp"
    ):
        fit(NEW[name]("tissue"))
    with pytest.raises(UserError, match="they have: none$"):
        fit(NEW[name]("tissue"), SequenceSet(TRAIN.codes))
    labels = asked(["x"])[["row"]]
    with pytest.raises(UserError, match="'species' is a label that the labels asked for do not have; they have: row$"):
        fit(NEW[name]("species")).sample(1, context=make_context(length=40, labels=labels))


@EVERY
def test_a_value_never_seen_names_those_there_are(fit, make_context, name):
    context = make_context(length=40, labels=asked(["x", "z", "y"]))
    with pytest.raises(UserError, match="no training sequence has species='z'; known: '', 'x', 'y'$"):
        fit(NEW[name]("species")).sample(3, context=context)


def test_many_known_values_are_cut_short(fit, make_context):
    train = labelled(["ACGT"] * 12, [f"s{i:02}" for i in range(12)])
    with pytest.raises(UserError, match=r"known: 's00', .*, 's09', and 2 more$"):
        fit(NEW["composition"]("species"), train).sample(1, context=make_context(length=4, labels=asked(["s12"])))


@EVERY
def test_a_value_with_nothing_to_learn_from_is_named(fit, name):
    with pytest.raises(UserError, match=r"^species='y': .*(no A, C, G or T|no training sequence)"):
        fit(NEW[name]("species"), labelled(["ACGT", "NNNN"], ["x", "y"]))


@EVERY
def test_no_sequences_are_the_users_error(fit, name):
    with pytest.raises(UserError, match="no training sequences"):
        fit(NEW[name]("species"), TRAIN.take(np.arange(0)))


def test_a_table_for_every_combination_of_two_columns(fit, make_context, tmp_path):
    """Composition A, C, G or T by the combination; one of the four combinations never occurs."""
    kinds = [("x", "1", "A"), ("x", "2", "C"), ("y", "1", "G")]
    labels = pd.DataFrame([kind[:2] for kind in kinds] * 10, columns=["species", "class"])
    train = SequenceSet.from_strings([kind[2] * 8 for kind in kinds] * 10, labels=labels)
    model = fit(composition(FrequencyOptions(by="species,class")), train)
    model.save(tmp_path)
    restored = composition(FrequencyOptions(by="species,class"))
    restored.load(tmp_path)
    for each in (model, restored):
        sample = each.sample(3, context=make_context(length=4, labels=labels.iloc[[2, 0, 1]]))
        assert sample.strings() == ["GGGG", "AAAA", "CCCC"]
        pd.testing.assert_frame_equal(sample.labels, labels.iloc[[2, 0, 1]].reset_index(drop=True), check_dtype=False)
    with pytest.raises(UserError, match="no training sequence has species='y', class='2' together"):
        model.sample(1, context=make_context(length=4, labels=pd.DataFrame({"species": ["y"], "class": ["2"]})))
