"""Option dataclasses from strings (``--set NAME.OPTION=VALUE``), TOML values and presets, with checks.

A plugin declares its options as a frozen dataclass in a light module::

    @dataclass(frozen=True)
    class MyOptions:
        steps: int = option(1000, "training steps", minimum=1)
        decoder: Literal["conv", "gru"] = option("conv", "what turns the latent into bases")
"""

from __future__ import annotations

import dataclasses
import math
import types
import typing
from collections.abc import Mapping
from typing import Any, Literal, Union, get_args, get_origin

from dnabench.errors import UserError, did_you_mean

_TRUTH = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def option(default: Any, help: str = "", *, minimum: float | None = None, maximum: float | None = None) -> Any:
    """A dataclass field with a default, one line of help, and inclusive bounds that are checked."""
    return dataclasses.field(default=default, metadata={"help": help, "minimum": minimum, "maximum": maximum})


def build(options: type | None, plugin: str, *layers: Mapping[str, Any]) -> Any:
    """An instance of ``options`` with its defaults overridden by ``layers``, the last one winning.

    Strings are read as the field's type. Raises UserError for an unknown option, a value of the wrong type or out of
    bounds; the message names the plugin and the option.
    """
    values = {name: value for layer in layers for name, value in layer.items()}
    if options is None:
        for name in values:
            raise UserError(f"{plugin} has no option {name!r}: it takes none")
        return None
    fields = {field.name: field for field in dataclasses.fields(options)}
    annotations = typing.get_type_hints(options)
    read: dict[str, Any] = {}
    for name, value in values.items():
        if name not in fields:
            raise UserError(f"{plugin} has no option {name!r}; {did_you_mean(name, fields)}")
        read[name] = _read(value, annotations[name], f"option {plugin}.{name}")
        _check_bounds(read[name], fields[name].metadata, f"option {plugin}.{name}")
    try:
        return options(**read)
    except ValueError as error:
        raise UserError(f"options of {plugin}: {error}") from None


def as_dict(options: Any) -> dict[str, Any]:
    """The options as a JSON-ready mapping; empty when there are none."""
    return {} if options is None else dataclasses.asdict(options)


def describe(options: type | None) -> list[dict[str, Any]]:
    """One mapping per option: name, type, default, help."""
    if options is None:
        return []
    annotations = typing.get_type_hints(options)
    return [
        {
            "name": field.name,
            "type": _type_name(annotations[field.name]),
            "default": list(field.default) if isinstance(field.default, tuple) else field.default,
            "help": field.metadata.get("help", ""),
        }
        for field in dataclasses.fields(options)
    ]


def _read(value: Any, annotation: Any, where: str) -> Any:
    origin = get_origin(annotation)
    if origin in (Union, types.UnionType):
        arms = [arm for arm in get_args(annotation) if arm is not type(None)]
        if len(arms) < len(get_args(annotation)) and (value is None or value == "none"):
            return None
        if any(get_origin(arm) is Literal and value in get_args(arm) for arm in arms):
            return value
        return _read(value, arms[0], where)
    if origin is Literal:
        choices = get_args(annotation)
        if value not in choices:
            raise UserError(f"{where} is {value!r}; it takes one of {', '.join(map(str, choices))}")
        return value
    if origin is tuple:
        parts = value.split(",") if isinstance(value, str) else value
        if not isinstance(parts, (list, tuple)):
            raise _wrong_type(value, annotation, where)
        return tuple(_read(part, get_args(annotation)[0], where) for part in parts)
    return _read_scalar(value, annotation, where)


def _read_scalar(value: Any, annotation: type, where: str) -> Any:
    try:
        if annotation is bool:
            return value if isinstance(value, bool) else _TRUTH[value.lower()]
        if isinstance(value, bool):
            raise TypeError
        if annotation is int:
            return value if isinstance(value, int) else int(value.replace("_", ""))
        if annotation is float and math.isfinite(float(value)):
            return float(value)
        if annotation is str and isinstance(value, str):
            return value
    except (TypeError, ValueError, KeyError, AttributeError):
        pass
    raise _wrong_type(value, annotation, where)


def _wrong_type(value: Any, annotation: Any, where: str) -> UserError:
    return UserError(f"{where} is {value!r}, which is not of type {_type_name(annotation)}")


def _check_bounds(value: Any, metadata: Mapping[str, Any], where: str) -> None:
    low, high = metadata.get("minimum"), metadata.get("maximum")
    for number in value if isinstance(value, tuple) else (value,):
        if isinstance(number, str):
            continue  # a word that stands for no number, such as auto
        if low is not None and number is not None and not number >= low:
            raise UserError(f"{where} is {number}; it must be at least {low}")
        if high is not None and number is not None and not number <= high:
            raise UserError(f"{where} is {number}; it must be at most {high}")


def _type_name(annotation: Any) -> str:
    origin = get_origin(annotation)
    if origin is Literal:
        return " or ".join(map(str, get_args(annotation)))
    if origin is tuple:
        return f"comma-separated {_type_name(get_args(annotation)[0])}s"
    if origin in (Union, types.UnionType):
        return " or ".join("none" if arm is type(None) else _type_name(arm) for arm in get_args(annotation))
    return {int: "whole number", float: "number", bool: "true or false", str: "text"}.get(annotation, str(annotation))
