"""The generator ``external``: another program trains and samples; sequences go there and come back as FASTA."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dnabench import SequenceSet, UserError

if TYPE_CHECKING:
    from dnabench import Context
    from dnabench_external.options import ExternalOptions

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
            self._run("train", context, train=sequences)

    def sample(self, n: int, *, context: Context) -> SequenceSet:
        """What the command writes; UserError when it fails, or when that is not ``n`` sequences of the length."""
        out = context.scratch / "sample.fa"
        out.unlink(missing_ok=True)
        self._run("command", context, n=n, out=out)
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
            shutil.copytree(self.model, directory, dirs_exist_ok=True)

    def load(self, directory: Path) -> None:
        """Take ``directory`` for ``{model}``."""
        self.model = directory

    def _run(self, which: str, context: Context, **values: Any) -> None:
        values |= {
            "seed": context.seed % SEEDS,
            "length": context.length,
            "model": self.model,
            "device": context.device,
        }
        command = [part.format(**values) for part in shlex.split(getattr(self.options, which))]
        # No session of its own: whoever ends the cell ends the command with it.
        try:
            ended = subprocess.run(
                command, stdin=subprocess.DEVNULL, stdout=sys.stderr, stderr=subprocess.PIPE, check=False
            )
        except OSError as error:
            raise UserError(f"external.{which}: {command[0]} cannot be run: {error.strerror}") from None
        said = ended.stderr.decode(errors="replace")
        sys.stderr.write(said)
        if ended.returncode:
            last = (said.strip().splitlines() or ["it said nothing"])[-1]
            raise UserError(f"external.{which} ended with exit code {ended.returncode}: {last}")
