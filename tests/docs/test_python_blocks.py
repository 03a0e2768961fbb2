"""Every block of docs/python.md runs, in order, in one namespace, on fewer items and steps."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from shrunk_examples import copy_examples

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "docs" / "python.md"
SMALLER = {
    "steps=10": "steps=3",
    "steps=20": "steps=4",
    '{"steps": 10}': '{"steps": 3}',
    '"triplets", limit=64': '"triplets", limit=32',
}
"""What the test has instead."""
FENCE = re.compile(r"^```(\S*)\n(.*?)^```$", re.M | re.S)


def read_blocks() -> list[str]:
    """The blocks of the guide; all of them are Python."""
    found = FENCE.findall(GUIDE.read_text(encoding="utf-8"))
    assert {language for language, _ in found} == {"python"}
    return [code for _, code in found]


def shrink(code: str) -> str:
    """A block on fewer items and steps."""
    for said, instead in SMALLER.items():
        code = code.replace(said, instead)
    return code


def test_every_replacement_is_of_something_said() -> None:
    said = "".join(read_blocks())
    assert [text for text in SMALLER if text not in said] == []


@pytest.mark.slow
def test_every_block_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LEPBENCH_CACHE", str(tmp_path / "cache"))
    copy_examples(Path("examples"))
    names: dict[str, Any] = {"__name__": "guide"}
    for number, code in enumerate(map(shrink, read_blocks())):
        exec(compile(code, f"{GUIDE.name}, block {number}", "exec"), names)
    assert Path("flower.png").is_file()
    assert set(names["mine"].rows["model"]) == set(names["record"].rows["model"])


def test_every_function_of_the_package_is_in_the_guide() -> None:
    import lepbench

    text = GUIDE.read_text(encoding="utf-8")
    assert not [name for name in lepbench.__all__ if name not in text and name != "__version__"]
