"""The packages use each other as the table of docs/architecture.md says, and no import runs in a circle."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
TABLE = ROOT / "docs" / "architecture.md"
BASE = "base modules"
Rights = dict[str, set[str]]
"""Package -> the packages that it may use, itself included."""


def read_modules() -> dict[str, str]:
    """The source of every module of lepbench by its dotted name; a package's by its own."""
    sources = {}
    for path in sorted((ROOT / "lepbench").rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        sources[name] = path.read_text(encoding="utf-8")
    return sources


def read_imports(source: str, modules: set[str]) -> set[str]:
    """The modules of lepbench that a source imports anywhere: in functions and for types alone, too."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"a relative import in line {node.lineno}"
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= names if names <= modules else {str(node.module), *(names & modules)}
    return found & modules


def package_of(module: str) -> str:
    """What the table calls the package that a module belongs to."""
    return module.split(".")[1] if "." in module else "__init__"


def read_table(text: str) -> Rights:
    """The rights of every package.

    Raises:
        AssertionError: a row names a package that no row above it holds, or says something else.
    """
    rights: Rights = {}
    base: set[str] = set()
    for cells in read_rows(text):
        names, allowed = re.findall(r"`(\w+)/?`", cells[0]), cells[2]
        granted = set(names)
        if allowed == "each other":
            base = granted
        else:
            granted |= grant(allowed, rights, base)
        rights |= dict.fromkeys(names, granted)
    return rights


def read_rows(text: str) -> Iterator[list[str]]:
    """The cells of the rows that begin with a name in code."""
    for line in text.splitlines():
        if line.startswith("| `"):
            yield [cell.strip() for cell in line.strip("|").split("|")]


def grant(allowed: str, above: Rights, base: set[str]) -> set[str]:
    """The packages that the last cell of a row names, of those that stand above it."""
    if allowed.startswith("everything above"):
        return set(above) - set(re.findall(r"`(\w+)`", allowed))
    named = set(re.findall(r"`(\w+)`", allowed))
    assert named <= set(above), f"{allowed}: {named - set(above)} stand in no row above"
    assert not re.sub(rf"{BASE}|`\w+`|[, ]", "", allowed), f"{allowed!r} cannot be read"
    return named | (base if BASE in allowed else set())


SOURCES = read_modules()
MODULES = set(SOURCES)
IMPORTS = {name: read_imports(source, MODULES) for name, source in SOURCES.items()}
RIGHTS = read_table(TABLE.read_text(encoding="utf-8"))


def test_no_import_runs_in_a_circle() -> None:
    try:
        TopologicalSorter(IMPORTS).prepare()
    except CycleError as error:
        pytest.fail(" <- ".join(error.args[1]))


def test_every_package_has_a_row() -> None:
    assert {package_of(name) for name in MODULES} - set(RIGHTS) == set()


def test_every_import_is_allowed_by_the_table() -> None:
    beyond = [
        f"{name} imports {other}"
        for name, others in IMPORTS.items()
        for other in sorted(others)
        if package_of(other) not in RIGHTS.get(package_of(name), set())
    ]
    assert not beyond, "\n".join(beyond)


@pytest.mark.parametrize(
    ("package", "users"), [("cli", {"cli", "__main__"}), ("api", {"api", "__init__", "cli"})]
)
def test_the_outermost_packages_are_used_by_few(package: str, users: set[str]) -> None:
    found = {package_of(name) for name, others in IMPORTS.items() if package in map(package_of, others)}
    assert found <= users


def test_an_arrow_that_runs_back_is_seen() -> None:
    assert "evaluation" not in RIGHTS["judges"]
    assert "mini" not in RIGHTS["scoring"]
    assert RIGHTS["metrics"] == {"metrics", "errors"}
    assert "cli" not in RIGHTS["api"]
    lazy = (
        "def f():\n    from lepbench.mini import gates, judge\n    from lepbench.errors import LepbenchError"
    )
    typed = "if TYPE_CHECKING:\n    import lepbench.cli.app"
    assert read_imports(lazy, MODULES) == {"lepbench.mini.gates", "lepbench.mini.judge", "lepbench.errors"}
    assert read_imports(typed, MODULES) == {"lepbench.cli.app"}
    with pytest.raises(AssertionError, match="stand in no row above"):
        read_table("| `one` | | `two` |\n| `two` | | `one` |")
