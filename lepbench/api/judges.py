"""Judges as a person names them: a YAML file, or a protocol that ships."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from lepbench.errors import LepbenchError
from lepbench.evaluation.protocols import FOLDER, read_judges
from lepbench.judges import JudgeConfig
from lepbench.registry import suggest_name

JudgesLike = str | Path | Sequence[JudgeConfig]
"""A YAML file of judges, the name of a protocol that ships, or judges at hand."""


def find_judges(source: str | Path) -> tuple[JudgeConfig, ...]:
    """The judges of a YAML file, or of a protocol that ships.

    Raises:
        LepbenchError: there is no such file or protocol, it names no judge, or one is none.
    """
    if Path(source).suffix in (".yaml", ".yml"):
        return read_judges(Path(source))
    shipped = {path.stem: path for path in FOLDER.glob("*.yaml")}
    if str(source) not in shipped:
        raise LepbenchError(
            f"no judges {str(source)!r}: neither a YAML file nor a protocol that ships",
            suggest_name(str(source), sorted(shipped)),
        )
    return read_judges(shipped[str(source)])
