"""Two thresholds on edge strength: weak pixels count where they touch strong ones."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from lepbench.detectors.base import Detector


class HysteresisDetector(Detector):
    """Base of the detectors of this kind; a subclass says what unit its thresholds have."""

    low: float = Field(gt=0)
    high: float = Field(gt=0)

    @model_validator(mode="after")
    def _check_order(self) -> Self:
        if self.low > self.high:
            raise ValueError("low must not exceed high")
        return self
