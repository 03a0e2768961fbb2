"""The files that a command is given, looked at before torch is imported: what is missing is said at once."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

DEFAULT_SUITE = "sketchworld-edges-v1"
"""What a model is evaluated on unless a suite is named."""


def check_documents(*paths: str | Path | None) -> None:
    """Look at files that are given as YAML; names of what ships, which end otherwise, are passed over.

    Raises:
        LepbenchError: one is missing, or is no YAML.
    """
    from lepbench.config import read_yaml

    for path in paths:
        if path is not None and Path(path).suffix in (".yaml", ".yml"):
            read_yaml(Path(path))


def check_model_file(path: Path) -> None:
    """Look at a MODEL.yaml, whatever it is called.

    Raises:
        LepbenchError: it is missing, or is no YAML.
    """
    from lepbench.config import read_yaml

    read_yaml(path)


def check_runs(folders: Iterable[Path]) -> None:
    """Look at the records of finished runs.

    Raises:
        LepbenchError: one is missing, or is no JSON.
    """
    from lepbench.evaluation.layout import read_document

    for folder in folders:
        read_document(folder)


def check_pictures(*paths: Path | None) -> None:
    """Look at picture files.

    Raises:
        LepbenchError: one is missing, or is no picture that can be read.
    """
    from lepbench.images import open_rgb

    for path in paths:
        if path is not None:
            open_rgb(path)
