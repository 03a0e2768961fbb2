"""Every file and command of docs/plugins.md works, in order, in one folder."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

GUIDE = Path(__file__).parents[2] / "docs" / "plugins.md"
FENCE = re.compile(r"^```(\S*)\n(.*?)^```$", re.M | re.S)
NAMED = re.compile(r"# (\S+\.(?:py|yaml))\n")
INSTALLED = "examples/plugin"
"""What tests/plugins/test_example.py evaluates."""


DRIVER = """
import json, os, shlex, sys
import diffusers.models, transformers.models
import lepbench.api.data, lepbench.api.running
from lepbench.cli.app import main

for command in json.load(open(sys.argv[1])):
    print(shlex.join(command), file=sys.stderr, flush=True)
    child = os.fork()
    if not child:
        sys.argv = command
        try:
            main()
        except SystemExit as ended:
            os._exit(ended.code or 0)
        except BaseException:
            sys.excepthook(*sys.exc_info())
            os._exit(1)
        os._exit(0)
    if os.waitpid(child, 0)[1]:
        sys.exit(1)
"""
"""Runs each command in a process of its own, which need not import the libraries again."""


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
def test_every_command_works(tmp_path: Path) -> None:
    files, commands = read_guide()
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "drawn").mkdir()
    for number in range(2):
        np.savetxt(tmp_path / "drawn" / f"{number}.txt", [[0, 0], [1, number], [2, 2]])
    commands_file, settings = (
        tmp_path / "commands.json",
        {"LEPBENCH_CACHE": str(tmp_path / "cache"), "OMP_NUM_THREADS": "1"},
    )
    commands_file.write_text(json.dumps(commands))
    done = subprocess.run(
        [sys.executable, "-c", DRIVER, commands_file],
        cwd=tmp_path,
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "runs" / "faded" / "sheet.png").is_file()
    assert "contrast" in (tmp_path / "runs" / "contrast" / "table.csv").read_text().partition("\n")[0]
    assert (tmp_path / "my-lep" / "predictor.safetensors").is_file()
