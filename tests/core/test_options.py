from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import pytest

from dnabench import UserError, option
from dnabench.options import as_dict, build, describe


@dataclass(frozen=True)
class Options:
    steps: int = option(10, "training steps", minimum=1, maximum=1000)
    rate: float = option(0.1, "learning rate", minimum=0)
    ema: bool = option(True)
    decoder: Literal["conv", "gru"] = option("conv")
    widths: tuple[int, ...] = option((8, 16), minimum=1)
    path: str | None = option(None)
    order: int | Literal["auto"] = option(5, minimum=0, maximum=8)

    def __post_init__(self):
        if self.ema and self.rate > 1:
            raise ValueError("rate is above 1 with ema")


def test_strings_become_the_fields_types_and_later_layers_win():
    built = build(
        Options,
        "model",
        {"steps": 5, "rate": 1},
        {"steps": "1_00", "ema": "no", "decoder": "gru", "widths": "4,8", "path": "x"},
    )
    assert built == Options(steps=100, rate=1.0, ema=False, decoder="gru", widths=(4, 8), path="x")
    assert isinstance(built.rate, float)
    assert build(Options, "model", {"path": "none"}).path is None
    assert build(Options, "model", {"order": "7"}).order == 7
    assert build(Options, "model", {"order": "auto"}).order == "auto"
    assert build(None, "model") is None


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"step": "3"}, "model has no option 'step'; did you mean steps"),
        ({"steps": "three"}, "model.steps is 'three', which is not of type whole number"),
        ({"steps": "3.5"}, "not of type whole number"),
        ({"steps": True}, "not of type whole number"),
        ({"steps": "0"}, "model.steps is 0; it must be at least 1"),
        ({"steps": "1001"}, "it must be at most 1000"),
        ({"rate": "nan"}, "not of type number"),
        ({"rate": "-inf"}, "not of type number"),
        ({"rate": "-1"}, "it must be at least 0"),
        ({"ema": "maybe"}, "not of type true or false"),
        ({"decoder": "lstm"}, "one of conv, gru"),
        ({"widths": "4,x"}, "not of type whole number"),
        ({"widths": "4,0"}, "at least 1"),
        ({"rate": "2"}, "options of model: rate is above 1 with ema"),
    ],
)
def test_errors_name_plugin_option_and_what_is_right(values, message):
    with pytest.raises(UserError, match=message):
        build(Options, "model", values)


def test_a_plugin_without_options_takes_none():
    with pytest.raises(UserError, match="random has no option 'x': it takes none"):
        build(None, "random", {"x": "1"})


def test_options_come_back_from_their_json_form():
    built = build(Options, "model", {"steps": 7, "widths": "3"})
    assert build(Options, "model", as_dict(built)) == built
    assert [entry["name"] for entry in describe(Options)] == [
        "steps",
        "rate",
        "ema",
        "decoder",
        "widths",
        "path",
        "order",
    ]
