"""The errors that a user can mend.

Everything that is the input's fault is a :class:`UserError`: the command line turns it into one line on stderr and exit
code 2. Anything else that escapes is a defect of dnabench or of a plugin.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class UserError(Exception):
    """Bad input. The message is one line: what is wrong, where, and what would be right."""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A clause that names what is close to ``name`` and what there is, to end an error message with."""
    choices = sorted(known)
    near = difflib.get_close_matches(name, choices, n=3)
    hint = f"did you mean {' or '.join(near)}? " if near else ""
    return f"{hint}known: {', '.join(choices) or 'none'}"
