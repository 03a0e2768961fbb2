"""What all commands have in common: completion, --json, --quiet and --verbose, no colours in a pipe."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from command import call_command

from lepbench.bars import show_bars
from lepbench.cli.app import lepbench
from lepbench.cli.console import make_console, say_note
from lepbench.quiet import Level, find_level, saying

ROOT = Path(__file__).parents[2]
COLOUR = re.compile(r"\x1b\[")
NAMED = re.compile(r"['`](lepbench ([a-z][a-z-]+)(?: ([a-z][a-z-]+))?\b[^'`\n]*)['`]")
"""A command in quotes: all of it, the verb, and the word after it."""


def list_commands(command: click.Command, name: str = "") -> Iterator[tuple[str, click.Command]]:
    """Every command that does something, by its full name."""
    if not isinstance(command, click.Group):
        yield name, command
        return
    context = click.Context(command)
    for below in command.list_commands(context):
        found = command.get_command(context, below)
        assert found is not None
        yield from list_commands(found, f"{name} {below}".strip())


def test_every_command_takes_the_common_options() -> None:
    commands = dict(list_commands(lepbench))
    assert len(commands) > 50
    for name, command in commands.items():
        known = {option for parameter in command.params for option in parameter.opts}
        assert known >= {"--json", "--quiet", "-q", "--verbose", "-v", "--import", "--trust-code"}, name


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_every_shell_gets_a_script_that_asks_for_completions(shell: str) -> None:
    made = complete(f"{shell}_source")
    assert "_LEPBENCH_COMPLETE" in made
    assert f"{shell}_complete" in made
    guide = (ROOT / "docs" / "howto-shell.md").read_text(encoding="utf-8")
    assert f"_LEPBENCH_COMPLETE={shell}_source lepbench" in guide


def complete(instruction: str, **words: str) -> str:
    """What the program answers to a shell."""
    code = "import sys; sys.argv[0] = 'lepbench'; from lepbench.cli.app import main; main()"
    settings = {**os.environ, "_LEPBENCH_COMPLETE": instruction, **words}
    done = subprocess.run([sys.executable, "-c", code], env=settings, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_commands_and_options_are_completed() -> None:
    offered = complete("bash_complete", COMP_WORDS="lepbench eva", COMP_CWORD="1")
    assert offered.split() == ["plain,evaluate"]
    offered = complete("bash_complete", COMP_WORDS="lepbench table --form", COMP_CWORD="2")
    assert offered.split() == ["plain,--format"]
    offered = complete("bash_complete", COMP_WORDS="lepbench table --format m", COMP_CWORD="3")
    assert offered.split() == ["plain,markdown"]


def test_a_quiet_command_says_nothing_but_results(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["suite", "export", "sketchworld-edges-v1", "--limit", 1, "--json"]
    assert call_command(monkeypatch, *words, "--out", tmp_path / "loud") == 0
    assert "sketches" in capsys.readouterr().err
    assert call_command(monkeypatch, *words, "--out", tmp_path / "quiet", "--quiet") == 0
    said = capsys.readouterr()
    assert said.err == ""
    assert json.loads(said.out)["out"] == str(tmp_path / "quiet")
    assert call_command(monkeypatch, "-q", *words, "--out", tmp_path / "before") == 0
    assert capsys.readouterr().err == ""


def test_an_error_is_said_however_quiet(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call_command(monkeypatch, "-q", "suite", "show", "nowhere") == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("lepbench: ")


def test_a_verbose_error_has_its_place(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for words in (("-v", "suite", "show", "nowhere"), ("suite", "show", "nowhere", "--verbose")):
        assert call_command(monkeypatch, *words) == 2
        said = capsys.readouterr().err
        assert "Traceback" in said
        assert said.splitlines()[-1].startswith("lepbench: ")


def test_quiet_and_verbose_exclude_each_other(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call_command(monkeypatch, "-q", "suite", "list", "-v") == 2
    assert "exclude each other" in capsys.readouterr().err
    assert find_level() is Level.NORMAL


def test_bars_and_notes_are_left_out_where_quiet(capsys: pytest.CaptureFixture[str]) -> None:
    def work() -> str:
        with show_bars() as progress:
            progress("shards", 1, 2)
        say_note("a note")
        return capsys.readouterr().err

    with saying(Level.QUIET):
        assert work() == ""
    assert {"shards", "note"} <= set(work().split())


def test_a_pipe_gets_no_colours(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    make_console().print("[bold red]a figure[/bold red]")
    with show_bars() as progress:
        progress("shards", 2, 2)
    assert call_command(monkeypatch, "suite", "list") == 0
    said = capsys.readouterr()
    assert "a figure" in said.out
    assert not COLOUR.search(said.out + said.err)


def test_messages_and_pages_name_commands_that_there_are() -> None:
    known = {name for name, _ in list_commands(lepbench)}
    groups = {name.partition(" ")[0] for name in known if " " in name}
    pages = [*(ROOT / "lepbench").rglob("*.py"), *(ROOT / "docs").glob("*.md"), ROOT / "README.md"]
    wrong = []
    for path in pages:
        for said, verb, below in NAMED.findall(path.read_text(encoding="utf-8")):
            name = f"{verb} {below}" if verb in groups else verb
            if name.strip() not in known | groups:
                wrong.append((path.name, said))
    assert not wrong, wrong
