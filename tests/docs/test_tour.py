"""Every block of docs/tour.md works, in order, on fewer items and steps."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from guide_driver import Driver, run_script
from shrunk_examples import copy_examples

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "tour.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"(<!-- not run: .*-->\n)?^```(sh|python)\n(.*?)^```$", re.M | re.S)
SMALLER = {"--limit 8": "--limit 2", "--count 3": "--count 2 --steps 2"}
"""What the test has instead."""


def read_script() -> str:
    """The tour as one script of bash, on fewer items; the block that installs lepbench is not run."""
    script = ""
    for left_out, language, text in BLOCK.findall(TEXT):
        if language == "python":
            script += f"cat > tour.py <<'EOF'\n{text}EOF\npython tour.py\n"
        elif not left_out:
            script += text
    for said, instead in SMALLER.items():
        assert said in script
        script = script.replace(said, instead)
    return script


@pytest.mark.slow
def test_every_block_works(driver: Driver, tmp_path: Path) -> None:
    copy_examples(tmp_path / "examples")
    ended, said, errors = run_script(driver, read_script(), tmp_path)
    assert ended == 0, errors
    assert "flower" in said
    for name in ("flower.png", "both.html", "runs/mini-lep-fast/report.html"):
        assert (tmp_path / name).is_file()
