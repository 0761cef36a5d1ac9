"""Generators that are handed over as Python objects (:func:`dnabench.run`): their cells run in this process.

Nothing but the object itself knows what it is, so that nothing of it is ever taken from the store. Everything else of a
run goes its usual way.
"""

from __future__ import annotations

import copy
import inspect
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dnabench import cell
from dnabench.engines import Ended, Started
from dnabench.errors import UserError
from dnabench.numerics import deterministic
from dnabench.orders import Order
from dnabench.sequences import SequenceSet
from dnabench.specs import NAME_PATTERN

if TYPE_CHECKING:
    import numpy as np

    from dnabench.context import Context
    from dnabench.engines import Engine, Event, Needs


class Given:
    """A callable or an object with ``sample``, as a :class:`dnabench.Generator` of one repeat.

    Of ``context``, ``seed``, ``length`` and ``rng`` (a ``numpy.random.Generator``) it is passed what the signatures of
    its methods name. Each repeat trains a deep copy of an object that has ``fit``.
    """

    def __init__(self, thing: Any) -> None:
        self._thing = thing

    def fit(self, train: SequenceSet, *, context: Context) -> None:
        """Have a copy of it learn, if it can."""
        if callable(getattr(self._thing, "fit", None)):
            self._thing = copy.deepcopy(self._thing)
            _call(self._thing.fit, train, context)

    def sample(self, n: int, *, context: Context) -> SequenceSet | np.ndarray:
        """What it draws: a SequenceSet, uint8 codes of shape (n, length), or texts."""
        drawn: Any = _call(getattr(self._thing, "sample", self._thing), n, context)
        if isinstance(drawn, Sequence) and all(isinstance(text, str) for text in drawn):
            return SequenceSet.from_strings(drawn)
        return drawn  # type: ignore[no-any-return]  # whatever it is, it is looked at next

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


def named(thing: Any) -> str:
    """What a generator is called that comes without a name: after its function or class. UserError for none."""
    name = getattr(thing, "__name__", type(thing).__name__)
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", name).replace("_", "-").lower().strip("-")
    if not NAME_PATTERN.fullmatch(words):
        raise UserError(f'the generator {thing!r} has no name; give ("my-model", generator) in its place')
    return words


def check(name: Any, thing: Any) -> None:
    """UserError for what is no generator, and for what can be no name of one."""
    if not isinstance(name, str) or not NAME_PATTERN.fullmatch(name):
        raise UserError(f"{name!r} is no name for a generator: lower-case words joined by hyphens")
    if isinstance(thing, type):
        raise UserError(f"generator {name}: {thing.__name__} is a class; give an object of it")
    if not callable(getattr(thing, "sample", thing)):
        raise UserError(f"generator {name}: {type(thing).__name__} can neither be called nor has it a method sample")


class GivenEngine:
    """Executes the training and sampling of given generators in this process; ``engine`` executes everything else."""

    def __init__(self, engine: Engine, given: Mapping[str, Any]) -> None:
        self._engine = engine
        self._given = given
        self._waiting: list[tuple[str, Order]] = []
        self._trained: dict[tuple[str, int], Given] = {}

    def submit(self, name: str, order: Mapping[str, Any], needs: Needs) -> None:
        """See :class:`dnabench.engines.Engine`."""
        if order["cell"]["generator"] in self._given and not order["cell"]["metric"]:
            self._waiting.append((name, Order.from_json(order)))
        else:
            self._engine.submit(name, order, needs)

    def events(self) -> Iterator[Event]:
        """See :class:`dnabench.engines.Engine`; the given ones come first, since they wait for no others."""
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
            return cell.measured(lambda: _Execution(order, generator).run())

    def cancel(self) -> None:
        """See :class:`dnabench.engines.Engine`."""
        self._waiting.clear()
        self._engine.cancel()

    def close(self) -> None:
        """See :class:`dnabench.engines.Engine`."""
        self._engine.close()


class _Execution(cell.Execution):
    """One order being executed with a generator at hand."""

    def __init__(self, order: Order, generator: Given) -> None:
        super().__init__(order, lambda *_: None)
        self._generator = generator

    def generator(self) -> Given:
        """The one at hand."""
        return self._generator

    def check_code(self) -> None:
        """Its code is nowhere but here."""
