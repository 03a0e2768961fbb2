"""The command line, called in this process."""

from __future__ import annotations

import sys

import pytest

from lepbench.cli.app import main


def call_command(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    """Run `lepbench` with arguments; its exit code."""
    monkeypatch.setattr(sys, "argv", ["lepbench", *map(str, arguments)])
    try:
        main()
    except SystemExit as ended:
        return int(ended.code or 0)
    return 0
