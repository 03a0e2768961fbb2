"""Model cards of the embedded models, written from their recipes, weights and measured gates."""

from __future__ import annotations

import math
from pathlib import Path

from safetensors import safe_open

from lepbench.files import sha256_file, write_text
from lepbench.mini.about import RECIPES, About, load_about
from lepbench.mini.gate import Gate
from lepbench.templates import render


def write_cards(folder: Path, gates: list[Gate]) -> list[Path]:
    """Write `README.md` into the folder of each model below `folder` that has gates, and return the paths."""
    return [
        _write(folder / name, about, gates)
        for name, about in load_about().items()
        if any(gate.name.startswith(about.gates) for gate in gates)
    ]


def _write(folder: Path, about: About, gates: list[Gate]) -> Path:
    weights = sorted(folder.rglob("*.safetensors"))
    text = render(
        "lepbench.mini",
        "card.md.j2",
        about=about,
        files=[(path.relative_to(folder), parameters(path), sha256_file(path)) for path in weights],
        recipes=[(name, (RECIPES / f"{name}.yaml").read_text().strip()) for name in about.recipes],
        gates=[gate for gate in gates if gate.name.startswith(about.gates)],
    )
    write_text(folder / "README.md", text)
    return folder / "README.md"


def parameters(path: Path) -> int:
    """Values held by a safetensors file."""
    with safe_open(path, "np") as stored:
        shapes = [stored.get_slice(name).get_shape() for name in stored.keys()]  # noqa: SIM118
    return sum(math.prod(shape) for shape in shapes)
