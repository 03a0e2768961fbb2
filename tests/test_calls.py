"""What is passed by position is told apart by order alone: four things at the most are."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import lepbench

MOST = 4
VARIADIC = frozenset(("Sequential", "add_row", "polygon"))
"""Functions of any number of like things, which have no names."""
PACKAGE = Path(lepbench.__file__).parent
BENCHMARKS = PACKAGE.parent / "benchmarks"


def find_long_calls(folder: Path) -> list[str]:
    """Every call of a folder's modules with more than `MOST` positional arguments; a starred one is one."""
    return [
        f"{path.relative_to(folder)}:{node.lineno}: {ast.unparse(node.func)}"
        for path in sorted(folder.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and len(node.args) > MOST and name_callee(node) not in VARIADIC
    ]


def name_callee(call: ast.Call) -> str:
    return ast.unparse(call.func).rpartition(".")[2]


@pytest.mark.parametrize("folder", [PACKAGE, BENCHMARKS], ids=lambda folder: folder.name)
def test_no_call_passes_more_than_four_things_by_position(folder: Path) -> None:
    assert not find_long_calls(folder)


def test_a_long_call_is_found(tmp_path: Path) -> None:
    (tmp_path / "long.py").write_text(
        "f(1, 2, 3, 4)\nf(*a, 2, 3, 4, e=5)\ng.f(1, 2, 3, 4, 5)\npolygon(1, 2, 3, 4, 5)\n"
    )
    assert find_long_calls(tmp_path) == ["long.py:3: g.f"]
