"""Prompts that are longer than a text encoder reads."""

from __future__ import annotations

import logging
from pathlib import Path

from lepbench.backbones import load_backbone


def test_what_is_cut_is_told_by_us_alone(tiny_pipeline_folder: Path) -> None:
    backbone, said = load_backbone(tiny_pipeline_folder), []
    handler = logging.Handler()
    handler.emit = lambda record: said.append(record.getMessage())  # type: ignore[method-assign]
    logger = logging.getLogger("transformers")
    logger.addHandler(handler)
    try:
        assert backbone.find_cut(["a b c", "x " * 40]) == ["", " ".join("x" * 10)]
    finally:
        logger.removeHandler(handler)
    assert said == []
