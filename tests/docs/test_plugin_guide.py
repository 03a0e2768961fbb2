"""Every file and command of docs/plugins.md works, in order, in one folder."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from guide_driver import Driver, run_script

GUIDE = Path(__file__).parents[2] / "docs" / "plugins.md"
FENCE = re.compile(r"^```(\S*)\n(.*?)^```$", re.M | re.S)
NAMED = re.compile(r"# (\S+\.(?:py|yaml))\n")
INSTALLED = "examples/plugin"
"""What tests/plugins/test_example.py evaluates."""


def read_guide() -> tuple[dict[str, str], list[list[str]]]:
    """The files of the guide by name, and its commands as lists of arguments."""
    files: dict[str, str] = {}
    commands: list[list[str]] = []
    for language, text in FENCE.findall(GUIDE.read_text(encoding="utf-8")):
        if language == "sh":
            commands += [] if INSTALLED in text else map(shlex.split, text.splitlines())
            continue
        named = NAMED.match(text)
        assert named is not None, text
        files[named[1]] = text
    return files, commands


def test_every_file_is_used_by_a_command() -> None:
    files, commands = read_guide()
    said = " ".join(word for command in commands for word in command) + "".join(files.values())
    assert [name for name in files if said.count(name) < 2] == []


@pytest.mark.slow
def test_every_command_works(driver: Driver, tmp_path: Path) -> None:
    files, commands = read_guide()
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "drawn").mkdir()
    for number in range(2):
        np.savetxt(tmp_path / "drawn" / f"{number}.txt", [[0, 0], [1, number], [2, 2]])
    ended, _, errors = run_script(driver, "\n".join(map(shlex.join, commands)), tmp_path)
    assert ended == 0, errors
    assert (tmp_path / "runs" / "faded" / "sheet.png").is_file()
    assert "contrast" in (tmp_path / "runs" / "contrast" / "table.csv").read_text().partition("\n")[0]
    assert (tmp_path / "my-lep" / "predictor.safetensors").is_file()
