"""Values as text in the cells of our CSV files, and back."""

from __future__ import annotations

import re

# What a spreadsheet takes for the beginning of a formula (OWASP, "CSV injection"), full-width forms included. An
# apostrophe before it makes it text; to one that was there already another is added, so that reading gives back what
# was written.
_FORMULA = re.compile(r"'*[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")


def to_text(value: object) -> str:
    """One value: floats as ``.9g``, None empty, truth as true and false, text so that no spreadsheet executes it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return format(value, ".9g")
    text = str(value)
    return f"'{text}" if isinstance(value, str) and _FORMULA.match(text) else text


def from_text(text: str) -> str:
    """The text that :func:`to_text` wrote."""
    return text[1:] if text.startswith("'") and _FORMULA.match(text) else text
