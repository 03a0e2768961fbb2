"""The configurations in examples/, drawing in fewer steps."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

EXAMPLES = Path(__file__).parents[1] / "examples"
SAMPLER = re.compile(r"^sampler: \{(?:steps: \d+, )?", re.M)


def copy_examples(folder: Path, steps: int = 4) -> None:
    """Copy examples/ to a folder, with so many steps in every model of mini."""
    shutil.copytree(EXAMPLES, folder)
    for model in folder.glob("mini-*.yaml"):
        model.write_text(SAMPLER.sub(f"sampler: {{steps: {steps}, ", model.read_text(encoding="utf-8")))
