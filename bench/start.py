"""Entry point of the ``bench`` command: what is imported for the command line may be interrupted as well."""

from __future__ import annotations

import sys
from typing import NoReturn


def main() -> NoReturn:
    """``cli.main``; one line and exit 130 where Ctrl-C comes before it begins."""
    try:
        from bench.cli import main as command_line

        command_line()
    except KeyboardInterrupt:
        sys.stderr.write("bench: interrupted\n")
        sys.exit(130)
