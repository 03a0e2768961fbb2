"""Every block of code in the documentation is run by a test or says why not; its commands could be called."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import click
import pytest
import yaml

from lepbench.cli.app import LazyGroup, lepbench
from lepbench.config import parse_config
from lepbench.methods import ModelConfig

ROOT = Path(__file__).parents[2]
PAGES = [
    *sorted((ROOT / "docs").glob("*.md")),
    *(ROOT / place / "README.md" for place in (".", "examples/plugin", "leaderboards", "data_cards")),
    ROOT / "CONTRIBUTING.md",
]
RUN = {
    "docs/methods.md": "tests/docs/test_methods_page.py",
    "docs/photographs.md": "tests/docs/test_photographs_guide.py",
    "docs/plugins.md": "tests/docs/test_plugin_guide.py",
    "docs/python.md": "tests/docs/test_python_blocks.py",
    "docs/reproduction.md": "tests/docs/test_reproduction.py",
    "docs/runs.md": "tests/docs/test_runs_guide.py",
    "docs/tour.md": "tests/docs/test_tour.py",
    "examples/plugin/README.md": "tests/plugins/test_example.py",
}
"""Pages whose blocks a test of their own runs."""
NOT_RUN = {
    "docs/boards.md": "tests/cli/test_pages_verbs.py makes such a site",
    "docs/mini.md": "takes hours; tests/mini/ runs each recipe in small",
    "docs/report.md": "tests/cli/test_pages_verbs.py and test_plot.py call them on other runs",
    "docs/scale.md": "takes a cluster; tests/engines/ and tests/cli/test_merge_verb.py run them in small",
}
"""Pages none of whose blocks is run, and why."""
FENCE = re.compile(
    r"(<!-- not run: (?P<why>.+) -->\n)?^```(?P<language>\S*)\n(?P<text>.*?)^```$", re.M | re.S
)
COMMAND = re.compile(r"(?:^|&& |; )(?:[A-Z_]+=\S+ )*(?:\.venv/bin/)?(lepbench .+)")
ENDS = re.compile(r"\s+(?:[|;>]|&&).*| +#.*")
"""Where a command of a line ends: before a pipe, another command or a comment."""


class Block(NamedTuple):
    page: str
    language: str
    text: str
    why: str | None


def read_blocks() -> Iterator[Block]:
    for path in PAGES:
        for found in FENCE.finditer(path.read_text(encoding="utf-8")):
            yield Block(path.relative_to(ROOT).as_posix(), found["language"], found["text"], found["why"])


def read_commands() -> Iterator[tuple[str, str]]:
    """Page and command of every line that calls lepbench."""
    for block in read_blocks():
        if block.language not in ("", "sh"):
            continue
        for line in block.text.replace("\\\n", " ").splitlines():
            for command in COMMAND.findall(line.strip()):
                if "..." not in command:
                    yield block.page, ENDS.sub("", command)


@pytest.fixture
def any_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files of the documentation are not here: a path is taken as it is."""

    def convert(option: click.Path, value: Any, param: Any, ctx: Any) -> Path:
        return Path(value)

    monkeypatch.setattr(click.Path, "convert", convert)
    monkeypatch.setattr("lepbench.plugins.remember_import", lambda name: None)


def test_every_block_is_run_or_says_why_not() -> None:
    blocks = [block for block in read_blocks() if block.language and not is_checked(block)]
    silent = [block for block in blocks if block.page not in RUN | NOT_RUN and not block.why]
    assert not silent, [(block.page, block.text[:60]) for block in silent]
    assert all((ROOT / test).is_file() for test in RUN.values())
    named = [name for block in blocks for name in re.findall(r"tests/[\w/.]+", block.why or "")]
    assert all((ROOT / name).exists() for name in named), named


def test_every_command_could_be_called(any_path: None) -> None:
    commands = list(read_commands())
    assert len(commands) > 100
    wrong = []
    for page, command in commands:
        try:
            parse(shlex.split(command)[1:])
        except Exception as error:
            wrong.append((page, command, str(error)))
    assert not wrong, wrong


def parse(words: list[str]) -> None:
    """Find the command of some words and read its options, without calling it."""
    context = click.Context(lepbench, info_name="lepbench")
    command: click.Command = lepbench
    while isinstance(command, click.Group):
        _, words, _ = command.make_parser(context).parse_args(words)
        _, below, words = command.resolve_command(context, words)
        assert below is not None
        command = below
        context = click.Context(command, info_name=command.name, parent=context)
    with context:
        command.parse_args(context, words)


def is_checked(block: Block) -> bool:
    """A MODEL.yaml, which a test below reads."""
    return block.language == "yaml" and "\nmethod:" in block.text and block.page not in RUN


@pytest.mark.parametrize(
    "block", [block for block in read_blocks() if is_checked(block)], ids=lambda block: block.page
)
def test_every_model_is_one(block: Block) -> None:
    parse_config(yaml.safe_load(block.text), ModelConfig, block.page)


def test_every_block_of_python_and_yaml_can_be_read() -> None:
    for block in read_blocks():
        if block.language == "python":
            compile(block.text, block.page, "exec")
        elif block.language == "yaml":
            list(yaml.safe_load_all(block.text))


def test_a_command_that_is_wrong_is_found(any_path: None) -> None:
    for words in ("evaluate --limit 8", "evaluate m.yaml --limits 8", "evaluat m.yaml", "list suite"):
        with pytest.raises(Exception, match=r"(?i)missing|no such|no command"):
            parse(words.split())
    assert isinstance(lepbench, LazyGroup)
