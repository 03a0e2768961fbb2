"""Each promise of docs/security.md names a test that there is."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
ROWS = [line for line in TEXT.partition("## What is promised")[2].splitlines() if line.startswith("| ")]
PROMISES = [row for row in ROWS if not row.startswith("| attack ")]
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)` \|$")


def test_every_row_names_one() -> None:
    assert len(PROMISES) > 30
    assert all(NAMED.search(row) for row in PROMISES)


@pytest.mark.parametrize("row", PROMISES, ids=lambda row: row.rpartition("::")[2].partition("`")[0])
def test_it_is_there(row: str) -> None:
    found = NAMED.search(row)
    assert found
    tree = ast.parse((ROOT / found[1]).read_text(encoding="utf-8"))
    assert found[2] in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
