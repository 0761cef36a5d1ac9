"""``dnabench sample``."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dnabench.cli import common
from dnabench.errors import UserError

if TYPE_CHECKING:
    import pandas as pd


@click.command("sample")
@click.argument("model", type=click.Path(path_type=Path), metavar="RUN_DIR/models/NAME/seedK")
@click.option("--n", type=click.IntRange(min=1), required=True, help="How many sequences.")
@click.option(
    "--output", "-o", type=click.Path(path_type=Path), required=True, metavar="FILE", help="FASTA, .gz or plain."
)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Another seed, other sequences.")
@click.option(
    "--label",
    "labels",
    multiple=True,
    metavar="COLUMN=VALUE",
    help="Draw sequences with this label, from a model that conditions on it.",
)
@common.device_option
@common.plugin_options
def command(
    model: Path,
    n: int,
    output: Path,
    seed: int,
    labels: tuple[str, ...],
    device: str,
    blocked: tuple[str, ...],
    debug: bool,  # noqa: ARG001
) -> int:
    """Draw more sequences from a trained model of a run."""
    common.show_warnings_as_lines()
    catalog = common.load_catalog(blocked)

    from dnabench import options
    from dnabench.cell import MODEL_FILE, checked_sample
    from dnabench.context import Context
    from dnabench.numerics import choose_device, make_deterministic
    from dnabench.plugins import construct
    from dnabench.seeds import derive_seed, seed_globals
    from dnabench.specs import label_columns

    try:
        about = json.loads((model / MODEL_FILE).read_text(encoding="utf-8"))
        name, version, length, dataset = (about[key] for key in ("generator", "version", "length", "dataset_sha256"))
    except (OSError, ValueError, KeyError, TypeError):
        raise UserError(f"{model}: no trained model here; RUN_DIR/models/NAME/seedK of a run is one") from None
    if not catalog.find(name) and (made_by := about.get("distribution")):
        raise UserError(
            f"{model}: {name} came with {made_by}, which is not installed here; where it is (see --python of dnabench "
            "run), dnabench sample draws from it"
        )
    spec = catalog.generator(name).spec
    if spec.version != version:
        raise UserError(f"{model}: made by version {version} of {spec.name}, but version {spec.version} is installed")
    make_deterministic()
    chosen = choose_device(device)
    generator = construct(spec, options.build(spec.options, spec.name, about["options"]))
    try:
        generator.load(model)
    except Exception as error:
        raise UserError(f"{model}: {name} cannot load it: {type(error).__name__}: {error}") from error
    conditioned = label_columns(about["options"].get(spec.label_option) or "") if spec.label_option else ()
    derived = derive_seed("sample-more", repeat=seed, dataset=dataset, generator=spec.name)
    seed_globals(derived)
    with tempfile.TemporaryDirectory() as scratch:
        context = Context(
            device=chosen if chosen.partition(":")[0] in spec.devices else "cpu",
            seed=derived,
            length=length,
            scratch=Path(scratch),
            labels=_labels(labels, conditioned, n, model),
        )
        with common.stdout_for_results():
            drawn = generator.sample(n, context=context)
        sequences = checked_sample(drawn, n, length)
    sequences.to_fasta(output)
    return 0


def _labels(assignments: tuple[str, ...], conditioned: tuple[str, ...], n: int, model: Path) -> pd.DataFrame | None:
    """``n`` rows of the labels asked for; None where nothing is asked. UserError for another column."""
    if not assignments:
        return None
    import pandas as pd

    from dnabench.sequences import word

    values: dict[str, list[str]] = {}
    for text in assignments:
        column, equals, value = text.partition("=")
        if not equals:
            raise UserError(f"--label {text}: not of the form COLUMN=VALUE, such as --label species=hs")
        if column not in conditioned:
            trained = f"conditions on {' and '.join(conditioned)}"
            knows = trained if conditioned else "was not trained to condition on any label"
            raise UserError(f"--label {text}: {model} {knows}")
        if column in values:
            raise UserError(f"--label {text}: {column} is given twice")
        values[column] = [word(value)] * n
    return pd.DataFrame(values)
