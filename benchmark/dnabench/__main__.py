"""``python -m dnabench``."""

from dnabench.cli import main

main()
