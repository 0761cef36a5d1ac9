"""Checks of generators. They judge what a generator did in processes of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dnabench.specs import label_columns
from dnabench.testing.lives import DRAWS, FEW
from dnabench.testing.outcomes import Check, SkippedError, broken, promised
from dnabench.testing.pickles import pickled

if TYPE_CHECKING:
    from dnabench.testing.fresh import Life
    from dnabench.testing.lives import GeneratorSubject

CHECKS: list[Check] = []

LEAK = 1 << 20
"""Bytes per draw that a process may grow by."""


def _went_well(life: Life, step: str, what: str) -> None:
    if (error := life.error(step)) is not None:
        broken(what, error, "Mend it.")


@promised(CHECKS, needs=("constructed",))
def fits(subject: GeneratorSubject) -> None:
    """``fit`` learns from a small set of sequences."""
    _went_well(subject.first, "fit", f"fit to take {subject.n} sequences of {subject.length} bp")


@promised(CHECKS, needs=("fits",))
def samples(subject: GeneratorSubject) -> None:
    """``sample`` returns sequences after ``fit``."""
    _went_well(subject.first, f"sample {subject.drawn}", f"sample to return {subject.drawn} sequences")
    if "exit" in subject.first.steps:
        _went_well(subject.first, "exit", "the process to end well")


@promised(CHECKS, needs=("samples",))
def uint8_codes(subject: GeneratorSubject) -> None:
    """A sample is a SequenceSet, or an array of dtype uint8."""
    drawn = subject.first.steps[f"sample {subject.drawn}"]
    if drawn["dtype"] != "uint8":
        broken("codes of dtype uint8", f"{drawn['type']} of {drawn['dtype']}", "Return codes.astype(np.uint8).")


@promised(CHECKS, needs=("samples",))
def exact_n(subject: GeneratorSubject) -> None:
    """A sample has shape ``(n, length)``, also for n = 1 and for an n that is not a multiple of a batch."""
    for n in (*FEW, subject.drawn):
        _went_well(subject.first, f"sample {n}", f"sample({n}) to return {n} sequences")
        shape = subject.first.steps[f"sample {n}"]["shape"]
        if shape != [n, subject.length]:
            broken(
                f"shape ({n}, {subject.length}) of sample({n})",
                f"({', '.join(map(str, shape))})",
                "Draw whole batches if you like, and return the first n; the length is context.length.",
            )


@promised(CHECKS, needs=("samples",))
def alphabet(subject: GeneratorSubject) -> None:
    """A sample holds A C G T alone, codes 0 to 3, where the training sequences do."""
    found = {code for n in (*FEW, subject.drawn) for code in subject.first.steps[f"sample {n}"].get("codes", ())}
    strange = sorted(code for code in found if code not in range(4))
    if strange:
        broken("the codes 0 to 3, A C G T", f"also {strange}", "Draw from four bases; 4 is N, which no real one has.")


@promised(CHECKS, needs=("samples",))
def labels_carried(subject: GeneratorSubject) -> None:
    """Where the record says so, samples carry labels."""
    spec = subject.spec
    columns: tuple[str, ...] = ()
    if spec.label_option is not None:
        columns = label_columns(str(subject.settings[spec.label_option]))
    elif spec.uses_labels:
        columns = tuple(subject.real(1, 10).labels.columns)
    if not columns:
        raise SkippedError("neither record nor options speak of labels")
    found = subject.first.steps[f"sample {subject.drawn}"]["labels"]
    missing = [column for column in columns if column not in found]
    if missing:
        broken(f"labels {', '.join(columns)}", f"no {', '.join(missing)}", "Return SequenceSet(codes, labels=...).")


@promised(CHECKS, needs=("samples",))
def same_seed_same_sequences(subject: GeneratorSubject) -> None:
    """Two fresh processes that fit and sample with the same seeds draw the same sequences."""
    step = f"sample {subject.drawn}"
    _went_well(subject.second, step, "a second process to do what the first did")
    if subject.first.digest(step) != subject.second.digest(step):
        broken(
            "the same sequences from two processes with the same seeds",
            "different ones",
            "Draw from context.rng and context.torch_generator() alone, and let nothing depend on hash(), the order of "
            "a set, the time, or the process.",
        )


@promised(CHECKS, needs=("same_seed_same_sequences",))
def other_seed_other_sequences(subject: GeneratorSubject) -> None:
    """Another seed of the context draws other sequences."""
    _went_well(subject.first, "other seed", "sample to work with another seed")
    if subject.first.digest("other seed") == subject.first.digest(f"sample {subject.drawn}"):
        broken(
            f"other sequences with another seed ({subject.drawn} of them)",
            "the same",
            "Draw from context.rng, not from a generator with a seed of your own.",
        )


@promised(CHECKS, needs=("samples",))
def global_randomness_untouched(subject: GeneratorSubject) -> None:
    """It neither draws from nor seeds the global generators of random, numpy and torch."""
    for step, facts in subject.first.steps.items():
        if facts.get("randomness"):
            broken(
                f"the global generators as they were before {step}",
                f"those of {', '.join(facts['randomness'])} moved",
                "Draw from context.rng or context.torch_generator(); initialise layers within "
                "dnabench.training.seeded(context.torch_generator()).",
            )


@promised(CHECKS, needs=("samples",))
def working_directory_untouched(subject: GeneratorSubject) -> None:
    """It stays in the working directory, and leaves no files there."""
    for step, facts in subject.first.steps.items():
        if facts.get("cwd"):
            broken("the working directory to stay", f"{step} moved to {facts['cwd']}", "Use absolute paths.")
    left = sorted(path.name for path in subject.first.home.iterdir())
    if left:
        broken("no files in the working directory", ", ".join(left), "Write into context.scratch.")


@promised(CHECKS, needs=("samples",))
def stdout_untouched(subject: GeneratorSubject) -> None:
    """It writes nothing on stdout, where results go."""
    if subject.first.out:
        broken(
            "nothing on stdout",
            repr(subject.first.out[:200]),
            "Report with context.progress(done, total, stage), or write to stderr.",
        )


@promised(CHECKS, needs=("same_seed_same_sequences",))
def saved_and_loaded(subject: GeneratorSubject) -> None:
    """Another instance that loads what was saved draws the same sequences."""
    for step, what in (("save", "save to work"), ("load", "load to work"), ("loaded", "sample to work after load")):
        _went_well(subject.first, step, what)
    if subject.first.digest("loaded") != subject.first.digest(f"sample {subject.drawn}"):
        broken(
            "the same sequences before save and after load",
            "different ones",
            "Save all that sample needs: weights, statistics of the data, label codes; round nothing.",
        )


@promised(CHECKS, needs=("saved_and_loaded",))
def batch_does_not_matter(subject: GeneratorSubject) -> None:
    """Where the record names a ``batch_option``, the sequences do not depend on it."""
    changes = subject.other_batch()
    for step in ("load other batch", "other batch"):
        _went_well(subject.first, step, f"load and sample to work with {changes}")
    if subject.first.digest("other batch") != subject.first.digest("loaded"):
        broken(
            f"the same sequences with {changes}",
            "different ones",
            "Draw the randomness of all n sequences before dividing them, or leave batch_option out of the record.",
        )


@promised(CHECKS, needs=("samples",))
def no_pickle(subject: GeneratorSubject) -> None:
    """What ``save`` writes is no pickle, which could execute anything when it is read."""
    _went_well(subject.first, "save", "save to work")
    files = [path for path in sorted(subject.first.saved.rglob("*")) if path.is_file()]
    for path in files:
        if reason := pickled(path):
            broken(
                "safetensors, JSON and the like",
                f"{path.name}, {reason}",
                "Write safetensors.torch.save_file or .numpy.save_file, np.save(..., allow_pickle=False), or JSON.",
            )
        if path == subject.first.saved / "dnabench.json":
            broken("the name dnabench.json to be left free", "a file of that name", "Choose another name.")


@promised(CHECKS, needs=("same_seed_same_sequences",))
def killed_and_resumed(subject: GeneratorSubject) -> None:
    """A training that is killed and started again, with what it left in ``scratch``, ends as one that never was."""
    if not subject.spec.needs_training:
        raise SkippedError("the record says that it needs no training")
    if not subject.second.steps.get("kill", {}).get("killed"):
        raise SkippedError("its training is over before it can be killed")
    _went_well(subject.second, "resume", "fit to work with what a killed one left in context.scratch")
    _went_well(subject.second, "resumed", "sample to work after that")
    if subject.second.digest("resumed") != subject.first.digest(f"sample {subject.drawn}"):
        broken(
            "the sequences of a training that was not interrupted",
            "different ones",
            "Put all that the next step depends on into the checkpoint: weights, optimiser, step, the generators' "
            "states (see dnabench.training.optimise), and write it with context.checkpoint(name).",
        )


@promised(CHECKS, needs=("samples",))
def declared_devices_work(subject: GeneratorSubject) -> None:
    """It fits and samples on every device of its record."""
    others = [device for device in subject.spec.devices if device != "cpu"]
    if "cpu" not in subject.spec.devices:
        broken("cpu among the devices of the record", str(subject.spec.devices), "A run falls back on the CPU.")
    for device in others:
        if device != "cuda":
            broken("devices cpu and cuda", repr(device), "Correct the record's devices.")
        import torch

        if not torch.cuda.is_available():
            raise SkippedError("no CUDA device is here")
        life, step = subject.on(device), f"sample {subject.drawn}"
        _went_well(life, "fit", f"fit to work on {device}")
        _went_well(life, step, f"sample to work on {device}")
        seen = life.steps[step]["shape"], life.steps[step]["dtype"]
        if seen != ([subject.drawn, subject.length], "uint8"):
            broken(f"uint8 codes of shape ({subject.drawn}, {subject.length}) from {device}", str(seen), "Mend it.")


@promised(CHECKS, needs=("saved_and_loaded",))
def memory_released(subject: GeneratorSubject) -> None:
    """Sampling again and again takes no more memory, and a dropped instance is gone."""
    _went_well(subject.first, "memory", "sample to work again and again")
    facts = subject.first.steps["memory"]
    grown = min(facts["growth"]) // DRAWS
    if grown > LEAK:
        broken(
            f"a process that grows by less than {LEAK >> 20} MB per draw",
            f"{grown / 2**20:.1f} MB per draw of {subject.drawn} sequences",
            "Keep nothing of a draw; detach tensors before keeping them.",
        )
    if not facts["released"]:
        broken(
            "an instance to be gone when nobody uses it",
            "something holds it",
            "Keep no instance in a global, a hook, or functools.cache on a method.",
        )
