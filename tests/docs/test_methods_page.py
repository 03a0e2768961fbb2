"""The page of methods names every method, control pipeline and setting, and its blocks are models."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from lepbench.config import parse_config
from lepbench.methods import (
    METHODS,
    ControlledConfig,
    MethodConfig,
    ModelConfig,
    ReadoutConfig,
    SdeditConfig,
)
from lepbench.methods.control_kinds import CONTROLS

PAGE = (Path(__file__).parents[2] / "docs" / "methods.md").read_text(encoding="utf-8")


def test_every_method_has_a_row() -> None:
    named = re.findall(r"^\| `([\w-]+)` \|", PAGE.split("\n## ")[0], re.MULTILINE)
    # Other tests register methods of plug-ins.
    ours = [name for name in METHODS if METHODS.find_module(name).startswith("lepbench.")]
    assert sorted(named) == sorted(["name", *ours])


def test_every_control_pipeline_has_a_row() -> None:
    rows = [line for line in PAGE.splitlines() if line.startswith("| `")]
    for name in CONTROLS:
        module, pipeline = name.split("/")[0], CONTROLS.get(name).pipeline
        assert any(f"`{module}`" in row and f"`{pipeline}`" in row for row in rows), name


@pytest.mark.parametrize("kind", [ControlledConfig, ReadoutConfig, SdeditConfig])
def test_every_setting_is_named(kind: type[MethodConfig]) -> None:
    for key in set(kind.model_fields) - {"name", "predictor", "execution"}:
        assert f"`{key}`" in PAGE, key


@pytest.mark.parametrize("block", re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL))
def test_the_blocks_are_models(block: str) -> None:
    parse_config(yaml.safe_load(block), ModelConfig, "block")
