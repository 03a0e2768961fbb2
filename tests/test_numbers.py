"""True and false are no numbers, in whatever a configuration puts numbers into."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import pytest
from pydantic import Field, FiniteFloat

from lepbench.config import Config, parse_config
from lepbench.errors import LepbenchError
from lepbench.methods import ModelConfig


class Kinds(Config):
    whole: int | None = None
    many: tuple[Annotated[float, Field(ge=0)], ...] = ()
    ends: dict[str, tuple[FiniteFloat, FiniteFloat]] = Field(default_factory=dict)
    choice: Literal[1, 3] = 1
    flag: bool = False
    either: int | bool = 0
    anything: dict[str, Any] = Field(default_factory=dict)


@pytest.mark.parametrize(
    "given",
    [{"whole": True}, {"many": [1, False]}, {"ends": {"kid": [True, 0]}}, {"choice": True}],
    ids=str,
)
def test_a_boolean_is_no_number(given: dict[str, Any]) -> None:
    with pytest.raises(LepbenchError, match="true and false are no numbers"):
        parse_config(given, Kinds, "file")


def test_numbers_are_and_booleans_stay_what_they_are() -> None:
    given = {"whole": 1, "many": [1, 0.5], "ends": {"kid": [1, 0]}, "choice": 3}
    given |= {"flag": True, "either": False, "anything": {"on": True}}
    read = parse_config(given, Kinds, "file")
    assert (read.flag, read.either, read.anything) == (True, False, {"on": True})
    assert (read.whole, read.many, read.choice) == (1, (1.0, 0.5), 3)


def test_a_models_settings_are_looked_at() -> None:
    model = {"name": "mine", "method": {"name": "lep", "scale": True}}
    with pytest.raises(LepbenchError, match=r"model: method.scale: .*true and false are no numbers"):
        parse_config(model, ModelConfig, "model")
