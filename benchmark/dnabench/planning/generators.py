"""Generators of a plan: names looked up, options resolved, here or in an environment of their own."""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING

from dnabench import environments, options
from dnabench.errors import UserError
from dnabench.plan import PlannedGenerator
from dnabench.planning.traits import Traits, check_data
from dnabench.specs import GeneratorSpec, label_columns

if TYPE_CHECKING:
    from dnabench.planning.metrics import Settings
    from dnabench.plugins import Catalog, Provided

VARIANT_PATTERN = re.compile(r"[\w.+-]+")


def find_generator(catalog: Catalog, text: str) -> tuple[Provided[GeneratorSpec], dict[str, str]]:
    """The generator of ``NAME`` or ``NAME=VALUE``, and the option that the value sets.

    UserError where there is none.
    """
    name, equals, value = text.partition("=")
    offer = catalog.generator(name)
    if not equals:
        return offer, {}
    if offer.spec.variant is None:
        raise UserError(f"--generator {text}: {name} has no variants; options are set with --set {name}.OPTION=VALUE")
    if not VARIANT_PATTERN.fullmatch(value):
        raise UserError(f"--generator {text}: {value!r} is no value of {name}.{offer.spec.variant}")
    return offer, {offer.spec.variant: value}


def plan_generator(
    catalog: Catalog, name: str, *, preset: str, device: str, settings: Settings, data: Traits
) -> PlannedGenerator:
    """The generator of ``NAME`` or ``NAME=VALUE`` with its options. UserError where it is not for these data."""
    offer, variant = find_generator(catalog, name)
    spec = offer.spec
    check_length(spec, data.length)
    check_data(spec, data)
    given = settings.get(spec.name, {})
    for option in variant.keys() & given.keys():
        raise UserError(f"{name} says what {spec.name}.{option} is; leave out the setting of {spec.name}.{option}")
    resolved = options.as_dict(options.build(spec.options, spec.name, spec.presets.get(preset, {}), given, variant))
    labels: tuple[str, ...] = data.labels if spec.uses_labels else ()
    if spec.label_option is not None:
        labels = label_columns(resolved[spec.label_option])
        for column in labels:
            if column in data.labels:
                continue
            there = f"its labels are {', '.join(data.labels)}" if data.labels else "it has no labels"
            raise UserError(f"option {spec.name}.{spec.label_option}: {data.name} has no label {column!r}; {there}")
    return PlannedGenerator(
        name=name,
        plugin=spec.name,
        version=spec.version,
        kind=spec.kind,
        distribution=offer.distribution,
        device=device if device in spec.devices else "cpu",
        devices=resolved[spec.devices_option] if spec.devices_option else 1,
        options=resolved,
        labels=labels,
    )


def plan_elsewhere(
    name: str, python: str, preset: str, device: str, settings: Settings, data: Traits
) -> PlannedGenerator:
    """As :func:`plan_generator`, in the environment of the interpreter ``python``."""
    plugin = name.partition("=")[0]
    given = {plugin: dict(settings[plugin])} if plugin in settings else {}
    question = {"name": name, "preset": preset, "device": device, "settings": given, "data": dataclasses.asdict(data)}
    answer = environments.ask(plugin, python, question)
    return PlannedGenerator.from_json(answer["planned"])


def plan_given(catalog: Catalog, name: str, device: str) -> PlannedGenerator:
    """A generator that is an object of this process. UserError where a plugin has its name."""
    for offer in catalog.find(name):
        if not isinstance(offer.spec, GeneratorSpec):
            continue
        raise UserError(f"{offer.distribution} has a generator named {name!r}; give yours another name")
    return PlannedGenerator(
        name=name,
        plugin=name,
        version=1,
        kind="model",
        distribution="",
        device=device,
        devices=1,
        options={},
        given=True,
    )


def check_length(spec: GeneratorSpec, length: int) -> None:
    """UserError where a generator does not take sequences of so many bp."""
    low, high = spec.lengths or (1, length)
    if not low <= length <= high:
        raise UserError(
            f"generator {spec.name} takes lengths from {low} to {high} bp; these sequences have {length} bp"
        )
    if length % spec.length_multiple:
        near = max(length - length % spec.length_multiple, spec.length_multiple)
        raise UserError(
            f"generator {spec.name} takes lengths that are multiples of {spec.length_multiple} bp; these have "
            f"{length} bp: --length {near} would crop them around their centre"
        )
