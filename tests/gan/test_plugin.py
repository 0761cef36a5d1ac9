"""The record, the options and the presets."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from importlib import import_module

import dnabench_gan
from dnabench_gan.options import PRESETS, GanOptions


def test_the_record():
    (spec,) = dnabench_gan.dnabench_generators()
    assert (spec.name, spec.kind, spec.needs_training, spec.uses_labels) == ("gan", "model", True, False)
    assert (spec.devices_option, GanOptions().devices) == ("devices", 1)
    module, _, attribute = spec.target.partition(":")
    assert getattr(import_module(module), attribute)(GanOptions()).options == GanOptions()


def test_the_entry_point_module_is_light():
    code = (
        "import sys, dnabench_gan; list(dnabench_gan.dnabench_generators());"
        "print(sorted({'torch', 'numpy', 'pandas', 'safetensors'} & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert run.stdout.strip() == "[]"


def test_every_preset_fits_the_options():
    assert set(PRESETS) == {"quick", "standard", "paper"}
    for changes in PRESETS.values():
        dataclasses.replace(GanOptions(), **changes)


def test_the_paper_preset_has_the_numbers_of_the_paper():
    assert GanOptions(**PRESETS["paper"]) == GanOptions(
        network="residual",
        straight_through=False,
        latent=100,
        channels=100,
        blocks=5,
        batch_size=64,
        iterations=100_000,
        critic_steps=5,
        learning_rate=1e-4,
        critic_learning_rate=1e-4,
        constant_share=1.0,
        penalty=10.0,
        ema_decay=0.0,
        decode="argmax",
    )
