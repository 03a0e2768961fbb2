"""The plots of a set: a figure over something, or the front of a trade-off."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_validator

from lepbench.config import Config, parse_config
from lepbench.faults import quote_value

LEVEL = "level"
"""What a curve over the levels of a suite's items has on its x axis."""
COSTS = {"seconds": "seconds a picture", "passes": "passes a picture", "tflop": "TFLOP a picture"}
"""Costs of a picture by the name of the field of `Cost`, with what an axis says."""


class CurvePlot(Config):
    """A figure over a setting, another figure, a cost, or the level of an item."""

    x: str
    """A key of a MODEL.yaml, such as `method.scale`; a figure; `seconds`, `passes` or `tflop`; or `level`."""
    y: str
    """A figure, by name or by name without judge."""

    @property
    def name(self) -> str:
        """Of its file, without suffix."""
        return _name_file(f"{self.y}-over-{self.x}")


class FrontPlot(Config):
    """Two figures against each other, with the runs that no other dominates and the area below them."""

    front: tuple[str, str]
    """Figures, by name or by name without judge."""
    box: dict[str, tuple[float, float]] = Field(default_factory=dict)
    """Figure -> its worst and its best value, between which the area is measured; needed for those without
    closed ends."""
    cost: Literal["seconds", "passes", "tflop"] = "seconds"
    """What the size of a mark shows, of a picture."""

    @field_validator("front")
    @classmethod
    def _are_two(cls, front: tuple[str, str]) -> tuple[str, str]:
        if front[0] == front[1]:
            raise ValueError(f"the front is of {front[0]} against itself; give two figures")
        return front

    @property
    def name(self) -> str:
        """Of its file, without suffix."""
        return _name_file(f"front-{'-'.join(self.front)}")


def _name_file(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9._@-]+", "-", text)


def read_plot(given: Any) -> Any:
    """An entry of `plots`.

    Raises:
        LepbenchError: a key is not known, or does not fit.
    """
    if not isinstance(given, Mapping):
        raise ValueError(
            f"it must be keys with values, not {quote_value(given)}; write '{{x: KEY, y: FIGURE}}'"
        )
    return parse_config(
        dict(given), FrontPlot if "front" in given else CurvePlot, f"plot {quote_value(given)}"
    )


AnyPlot = Annotated[CurvePlot | FrontPlot, BeforeValidator(read_plot)]
