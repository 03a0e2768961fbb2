"""What the site shows beside docs/: pages that lie elsewhere in the tree, files that pages link to, titles in
the place of file names, examples of commands as code.

A page that would fetch anything from the network fails the build.
"""

from __future__ import annotations

import inspect
import posixpath
import re
from pathlib import Path

import click
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from lepbench.cli.app import lepbench

ROOT = Path(__file__).parents[1]
DOCS = "docs/"
ELSEWHERE = (
    "*.md",
    "CITATION.cff",
    "data_cards/*.md",
    "examples/**/*.*",
    "leaderboards/README.md",
    "lepbench/assets/*/README.md",
    "lepbench/methods/control_kinds.py",
    "lepbench/methods/known.yaml",
    "lepbench/protocols/*.yaml",
)
"""Files outside docs/ that are pages, or that pages link to; each keeps its path on the site."""
LINK = re.compile(r"\[(?P<label>[^\[\]]+)\]\((?!\w+:|#|/)(?P<target>[^)#\s]+)(?P<anchor>#[^)\s]*)?\)")
PLACES = re.compile(r"[\w./-]+\.md")
FETCHED = re.compile(
    r"<(?:script|img|iframe|source|video|audio|link(?![^>]*\brel=.?(?:canonical|alternate|prev|next)))\b"
    r"[^>]*?\b(?:src|href)=[\"']?(?:https?:)?//[^\s\"'>]+"
)
EXAMPLES = re.compile(r"^\x08\n(?P<heading>.+:)\n(?P<lines>(?:.+\n?)+)", re.M)


def on_config(config: MkDocsConfig) -> None:
    """Lay out the examples in every command's help as code, which mkdocs-click takes for a paragraph."""
    _lay_out(lepbench)


def _lay_out(command: click.Command) -> None:
    command.help = EXAMPLES.sub(indent_examples, inspect.cleandoc(command.help or ""))
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            if below is not None:
                _lay_out(below)


def indent_examples(block: re.Match[str]) -> str:
    """A block of a help text that click does not wrap, as a heading and a block of code."""
    lines = block["lines"].rstrip("\n").split("\n")
    return f"{block['heading']}\n\n" + "\n".join(f"    {line.strip()}" for line in lines) + "\n"


def on_files(files: Files, config: MkDocsConfig) -> None:
    """Add what lies outside docs/."""
    for pattern in ELSEWHERE:
        for path in sorted(ROOT.glob(pattern)):
            if path.is_file() and "__pycache__" not in path.parts:
                place = path.relative_to(ROOT).as_posix()
                files.append(File.generated(config, place, abs_src_path=str(path)))
    files.append(File.generated(config, "examples/README.md", content=list_examples()))
    files.append(File.generated(config, "lepbench/assets/README.md", content=list_models()))


def list_examples() -> str:
    """A page of the configurations in examples/, each with the comment that it begins with."""
    lines = ["# Examples", "", "| file | what |", "|---|---|"]
    for path in sorted((ROOT / "examples").glob("*.yaml")):
        comment = re.match(r"(?:#.*\n)*", path.read_text(encoding="utf-8"))
        said = " ".join(line.lstrip("# ") for line in comment[0].splitlines()) if comment else ""
        lines.append(f"| [{path.name}]({path.name}) | {said} |")
    return "\n".join([*lines, "| [notebook.ipynb](notebook.ipynb) | lepbench in a notebook |", ""])


def list_models() -> str:
    """A page of the cards of the embedded models."""
    cards = sorted((ROOT / "lepbench" / "assets").glob("*/README.md"))
    rows = [
        f"- [{read_title(path.relative_to(ROOT).as_posix())}]({path.parent.name}/README.md)" for path in cards
    ]
    return "\n".join(["# Cards of the embedded models", "", *rows, ""])


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Turn links between files of the tree into links between pages of the site."""
    origin = page.file.src_uri if page.file.generated_by else DOCS + page.file.src_uri
    return LINK.sub(lambda link: point(link, origin), markdown)


def point(link: re.Match[str], origin: str) -> str:
    """A link of a page as the site has it.

    Args:
        link: what `LINK` found.
        origin: path in the tree of the file that has the link.
    """
    named = posixpath.normpath(posixpath.join(posixpath.dirname(origin), link["target"]))
    if (ROOT / named).is_dir():
        named = f"{named}/README.md"
    label = read_title(named) if PLACES.fullmatch(link["label"]) else link["label"]
    here = posixpath.dirname(origin.removeprefix(DOCS)) or "."
    return f"[{label}]({posixpath.relpath(named.removeprefix(DOCS), here)}{link['anchor'] or ''})"


def read_title(place: str) -> str:
    """The heading of a page, or its path where there is none."""
    path = ROOT / place
    found = re.search(r"^# (.+)$", path.read_text(encoding="utf-8"), re.M) if path.is_file() else None
    return found[1] if found else place


def on_post_page(output: str, page: Page, config: MkDocsConfig) -> None:
    """Refuse a page for which a browser would fetch something from the network."""
    fetched = find_fetched(output)
    if fetched:
        raise PluginError(f"{page.file.src_uri} loads from elsewhere: {fetched[0]}")


def find_fetched(html: str) -> list[str]:
    """The tags of a page that load something from another host."""
    return FETCHED.findall(html)
