"""What a stage is, and how what it made is kept."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, ClassVar

from safetensors.torch import load_file, save_file

from lepbench.files import atomic_path
from lepbench.mini.about import find_output
from lepbench.registry import Registry

METRICS = "metrics.json"


class Stage:
    """What a stage makes of a recipe, and how that is kept."""

    name: ClassVar[str]

    @property
    def output(self) -> str:
        """The folder of what it made, below that of all stages."""
        return find_output(self.name)

    def make(self, recipe: Path, folder: Path) -> Any:
        raise NotImplementedError

    def keep(self, made: Any, folder: Path) -> None:
        raise NotImplementedError


STAGES: Registry[type[Stage]] = Registry("stage")


def halve_weights(folder: Path) -> None:
    """Store weights as float16; the configs go on saying float32, so that loaders compute in it."""
    for path in folder.rglob("*.safetensors"):
        halves = {
            name: value.half() if value.is_floating_point() else value
            for name, value in load_file(path).items()
        }
        with atomic_path(path) as partial:
            save_file(halves, partial, metadata={"format": "pt"})


def forget_origin(folder: Path) -> None:
    """Strip the path that diffusers notes in a config: it is a machine's, not the model's."""
    for path in folder.rglob("*.json"):
        text = path.read_text(encoding="utf-8")
        path.write_text(re.sub(r'\n\s*"_name_or_path": "[^"]*",', "", text), encoding="utf-8")
