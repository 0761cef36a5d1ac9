"""``dnabench sample``."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import click

from dnabench.cli import common
from dnabench.errors import UserError


@click.command("sample")
@click.argument("model", type=click.Path(path_type=Path), metavar="RUN_DIR/models/NAME/seedK")
@click.option("--n", type=click.IntRange(min=1), required=True, help="How many sequences.")
@click.option(
    "--output", "-o", type=click.Path(path_type=Path), required=True, metavar="FILE", help="FASTA, .gz or plain."
)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Another seed, other sequences.")
@common.device_option
@common.plugin_options
def command(
    model: Path,
    n: int,
    output: Path,
    seed: int,
    device: str,
    blocked: tuple[str, ...],
    debug: bool,  # noqa: ARG001
) -> int:
    """Draw more sequences from a trained model of a run."""
    common.show_warnings_as_lines()
    catalog = common.load_catalog(blocked)

    from dnabench import options
    from dnabench.cell import MODEL_FILE, checked_sample, make_deterministic, seed_globals
    from dnabench.context import Context
    from dnabench.plugins import construct
    from dnabench.seeds import derive_seed

    try:
        about = json.loads((model / MODEL_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise UserError(f"{model}: no trained model here; RUN_DIR/models/NAME/seedK of a run is one") from None
    spec = catalog.generator(about["generator"]).spec
    if spec.version != about["version"]:
        raise UserError(
            f"{model}: made by version {about['version']} of {spec.name}, but version {spec.version} is installed"
        )
    make_deterministic()
    chosen = common.choose_device(device)
    generator = construct(spec, options.build(spec.options, spec.name, about["options"]))
    generator.load(model)
    derived = derive_seed("sample-more", repeat=seed, dataset=about["dataset_sha256"], generator=spec.name)
    seed_globals(derived)
    with tempfile.TemporaryDirectory() as scratch:
        context = Context(
            device=chosen if chosen.partition(":")[0] in spec.devices else "cpu",
            seed=derived,
            length=about["length"],
            scratch=Path(scratch),
        )
        sequences = checked_sample(generator.sample(n, context=context), n, about["length"])
    sequences.to_fasta(output)
    return 0
