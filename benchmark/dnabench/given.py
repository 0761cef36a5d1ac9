"""Generators that are handed over as Python objects (:func:`dnabench.run`): their cells run in this process.

Nothing but the object itself knows what it is, so that nothing of it is ever taken from the store. Everything else of a
run goes its usual way.
"""

from __future__ import annotations

import copy
import inspect
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dnabench import cell
from dnabench.engines import Ended, Started
from dnabench.errors import UserError
from dnabench.numerics import deterministic
from dnabench.orders import Order
from dnabench.sequences import SequenceSet
from dnabench.specs import NAME_PATTERN

if TYPE_CHECKING:
    from dnabench.context import Context
    from dnabench.engines import Engine, Event, Needs


_ANSWERS = "it takes a SequenceSet, uint8 codes of shape (n, length), or texts"


class Given:
    """A callable or an object with ``sample``, as a :class:`dnabench.Generator` of one repeat.

    Of ``context``, ``seed``, ``length`` and ``rng`` (a ``numpy.random.Generator``) it is passed what the signatures of
    its methods name. Each repeat trains a deep copy of an object that has ``fit``.
    """

    def __init__(self, thing: Any) -> None:
        self._thing = thing

    def fit(self, train: SequenceSet, *, context: Context) -> None:
        """Have a copy of it learn, if it can."""
        if not callable(getattr(self._thing, "fit", None)):
            return
        try:
            self._thing = copy.deepcopy(self._thing)
        except Exception as error:
            kind = type(self._thing).__name__
            raise UserError(f"each seed trains a copy of {kind}, and copy.deepcopy cannot copy it: {error}") from error
        _call(self._thing.fit, train, context)

    def sample(self, n: int, *, context: Context) -> SequenceSet | np.ndarray:
        """What it draws: a SequenceSet, uint8 codes of shape (n, length), or texts."""
        drawn: Any = _call(getattr(self._thing, "sample", self._thing), n, context)
        if isinstance(drawn, SequenceSet):
            return drawn
        if isinstance(drawn, str) or not isinstance(drawn, Iterable):
            raise UserError(f"it returned a {type(drawn).__name__}; {_ANSWERS}")
        codes = np.asarray(drawn) if hasattr(drawn, "__array__") else None
        if codes is not None and codes.dtype.kind in "biuf":
            return codes
        texts = list(drawn if codes is None else codes)
        if not all(isinstance(text, str) for text in texts):
            raise UserError(f"it returned a {type(drawn).__name__} of other things than texts; {_ANSWERS}")
        return SequenceSet.from_strings(texts)

    def save(self, directory: Path) -> None:
        """Have it saved, if it can be; it stays in memory, too."""
        if callable(getattr(self._thing, "save", None)):
            self._thing.save(directory)

    def load(self, directory: Path) -> None:
        """It is in memory."""


def _call(method: Callable[..., Any], argument: object, context: Context) -> Any:
    """``method(argument)``, with what else its signature names."""
    offered: dict[str, Callable[[], Any]] = {
        "context": lambda: context,
        "seed": lambda: context.seed,
        "length": lambda: context.length,
        "rng": lambda: context.rng,
    }
    try:
        known = list(inspect.signature(method).parameters)[1:]
    except (TypeError, ValueError):  # written in C
        known = []
    return method(argument, **{name: value() for name, value in offered.items() if name in known})


def name_of(thing: Any) -> str:
    """What a generator is called that comes without a name: after its function or class. UserError for none."""
    name = getattr(thing, "__name__", type(thing).__name__)
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", name).replace("_", "-").lower().strip("-")
    if not NAME_PATTERN.fullmatch(words):
        raise UserError(f'the generator {thing!r} has no name; give ("my-model", generator) in its place')
    return words


def check_generator(name: Any, thing: Any) -> None:
    """UserError for what is no generator, and for what can be no name of one."""
    if not isinstance(name, str) or not NAME_PATTERN.fullmatch(name):
        raise UserError(f"{name!r} is no name for a generator: lower-case words joined by hyphens")
    if isinstance(thing, type):
        raise UserError(f"generator {name}: {thing.__name__} is a class; give an object of it")
    if not callable(getattr(thing, "sample", thing)):
        raise UserError(f"generator {name}: {type(thing).__name__} can neither be called nor has it a method sample")


class GivenEngine:
    """Executes the training and sampling of given generators in this process; ``engine`` executes everything else.

    Args:
        device: which they are told to use: with a number, since the GPUs of this process are all visible to them.
    """

    def __init__(self, engine: Engine, given: Mapping[str, Any], device: str) -> None:
        self._engine = engine
        self._given = given
        self._device = device
        self._waiting: list[tuple[str, Order]] = []
        self._trained: dict[tuple[str, int], Given] = {}

    def submit(self, name: str, order: Mapping[str, Any], needs: Needs) -> None:
        """See :class:`dnabench.engines.Engine`."""
        if order["cell"]["generator"] in self._given and not order["cell"]["metric"]:
            # A sample goes before other trainings, so that one copy of an object is held at a time.
            at = 0 if order["cell"]["kind"] == "sample" else len(self._waiting)
            self._waiting.insert(at, (name, Order.from_json(order)))
        else:
            self._engine.submit(name, order, needs)

    def events(self) -> Iterator[Event]:
        """See :class:`dnabench.engines.Engine`; the given ones come first, since they wait for no others.

        Meanwhile what the other engine has begun goes on.
        """
        while self._waiting:
            name, order = self._waiting.pop(0)
            yield Started(name=name)
            yield Ended(name=name, answer=self._execute(order))
        yield from self._engine.events()

    def _execute(self, order: Order) -> dict[str, Any]:
        key = order.cell.generator, order.cell.seed
        if order.cell.kind == "train":
            self._trained[key] = Given(self._given[order.cell.generator])
            generator = self._trained[key]
        else:
            generator = self._trained.pop(key)
        with deterministic():
            answer = cell.measured(lambda: _Execution(order, generator, self._device).run())
        del answer["peak_memory_mb"]  # of this process ever since it began, which says nothing of the object
        return answer

    def cancel(self) -> None:
        """See :class:`dnabench.engines.Engine`."""
        self._waiting.clear()
        self._engine.cancel()

    def close(self) -> None:
        """See :class:`dnabench.engines.Engine`."""
        self._engine.close()


class _Execution(cell.Execution):
    """One order being executed with a generator at hand."""

    def __init__(self, order: Order, generator: Given, device: str) -> None:
        super().__init__(order, lambda *_: None)
        self._generator = generator
        self._device = device

    def context(self, role: str, scratch: Path, **more: Any) -> Context:
        """As in a cell, on its device."""
        return super().context(role, scratch, **more, device=self._device)

    def generator(self) -> Given:
        """The one at hand."""
        return self._generator

    def check_code(self) -> None:
        """Its code is nowhere but here."""
