"""The generator ``external``: another program trains and samples; sequences go there and come back as FASTA."""

from __future__ import annotations

import shlex
import shutil
import signal
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dnabench import SequenceSet, UserError

if TYPE_CHECKING:
    from dnabench import Context
    from dnabench_external.options import ExternalOptions

STDERR = 2
SEEDS = 1 << 31
"""Seeds stay below this, which every program's random numbers take."""


class External:
    """Runs the commands of its options in the directory that dnabench was started in.

    What the training command leaves in ``{model}`` is kept as the model, and is what ``{model}`` names when sampling.
    """

    def __init__(self, options: ExternalOptions) -> None:
        self.options = options
        self.model: Path | None = None

    def fit(self, train: SequenceSet, *, context: Context) -> None:
        """Run the training command, where there is one; UserError when it fails.

        ``{model}`` survives an interruption, so that the command may go on from what it left there.
        """
        self.model = context.scratch / "model"
        self.model.mkdir(exist_ok=True)
        if self.options.train:
            sequences = context.scratch / "train.fa"
            train.to_fasta(sequences)
            self._run("train", context, train=sequences, model=self.model)

    def sample(self, n: int, *, context: Context) -> SequenceSet:
        """What the command writes; UserError when it fails, or when that is not ``n`` sequences of the length."""
        if self.model is None:
            raise UserError("external has not been trained: call fit or load first")
        out = context.scratch / "sample.fa"
        out.unlink(missing_ok=True)
        # A copy: what the command writes into it must not change the model that is kept.
        model = context.scratch / "model-copy"
        shutil.rmtree(model, ignore_errors=True)
        shutil.copytree(self.model, model, symlinks=True)
        self._run("command", context, n=n, out=out, model=model)
        if not out.is_file():
            raise UserError(f"external.command wrote no file {out.name}: it must write FASTA to {{out}}")
        sequences = SequenceSet.from_fasta(out)
        if sequences.codes.shape != (n, context.length):
            raise UserError(
                f"external.command wrote {len(sequences)} sequences of {sequences.length} bp; asked for were {n} of "
                f"{context.length} bp: see {{n}} and {{length}}"
            )
        return sequences

    def save(self, directory: Path) -> None:
        """Copy what the training command left."""
        if self.model is not None:
            shutil.copytree(self.model, directory, dirs_exist_ok=True, symlinks=True)

    def load(self, directory: Path) -> None:
        """Take ``directory`` for ``{model}``."""
        self.model = directory

    def _run(self, which: str, context: Context, **values: Any) -> None:
        values |= {"seed": context.seed % SEEDS, "length": context.length, "device": context.device}
        values["name"] = self.options.name
        command = [part.format(**values) for part in shlex.split(getattr(self.options, which))]
        # What it prints goes to the cell's log as it comes. No session of its own: whoever ends the cell ends it too.
        try:
            code = subprocess.run(
                command, stdin=subprocess.DEVNULL, stdout=STDERR, stderr=STDERR, check=False
            ).returncode
        except OSError as error:
            raise UserError(f"external.{which}: {command[0]} cannot be run: {error.strerror}") from None
        if code:
            how = f"ended with exit code {code}" if code > 0 else f"was ended by {signal.Signals(-code).name}"
            raise UserError(f"external.{which} {how}")
