"""Fixtures of code from outside: registries, paths and trust that end with the test, and the command."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from command import call_command
from tiny_evaluation import tiny_judges, tiny_suite

from lepbench import plugins
from lepbench.detectors import DETECTORS
from lepbench.evaluation import opening
from lepbench.evaluation.measures import MEASURES
from lepbench.evaluation.protocols import PROTOCOLS
from lepbench.judges import JUDGES, Judges
from lepbench.methods import METHODS
from lepbench.suites import FOLDERS

__all__ = ["tiny_judges", "tiny_suite"]

REGISTRIES = (DETECTORS, FOLDERS, JUDGES, MEASURES, METHODS, PROTOCOLS)
Command = Callable[..., tuple[int, str, str]]
Write = Callable[[str, str], Path]


BAR = re.compile(r"\d+/\d+ .*[-\d]+:[-\d]+:[-\d]+ .*B$")


@pytest.fixture(autouse=True)
def own_plugins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What a test imports, registers and trusts is gone after it; it works in a folder of its own."""
    plugins.load_plugins()  # those that are installed are there before and after
    monkeypatch.setenv("LEPBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv(plugins.IMPORT, "")
    monkeypatch.delenv("LEPBENCH_TRUST_CODE", raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    for name, value in {"_asked": False, "_announced": [], "_imported": set()}.items():
        monkeypatch.setattr(plugins, name, value)
    for registry in REGISTRIES:
        for name in ("_entries", "_modules"):
            monkeypatch.setattr(registry, name, dict(getattr(registry, name)))
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", None)).startswith(str(tmp_path)):
            del sys.modules[name]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a file below the working folder."""

    def written(name: str, text: str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text))
        return path

    return written


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Run the command; its exit code, stdout and stderr."""

    def ran(*arguments: Any) -> tuple[int, str, str]:
        capsys.readouterr()
        code = call_command(monkeypatch, *arguments)
        said = capsys.readouterr()
        return code, said.out, said.err

    return ran


@pytest.fixture
def lepbench(command: Command, monkeypatch: pytest.MonkeyPatch, tiny_judges: Judges) -> Command:
    """`command`, with the tiny judges."""
    monkeypatch.setattr(opening, "load_judges", lambda protocol, device: tiny_judges)
    return command


@pytest.fixture
def refused(lepbench: Command) -> Callable[..., str]:
    """Run the command, which must fail with code 2 and one line; the line."""

    def line(*arguments: Any) -> str:
        code, stdout, stderr = lepbench(*arguments)
        # Bars of progress have lines of their own before the fault is told.
        lines = [text for text in stderr.strip().splitlines() if not BAR.search(text)]
        assert (code, stdout, len(lines)) == (2, "", 1), stderr
        assert "Traceback" not in stderr
        return lines[0]

    return line
