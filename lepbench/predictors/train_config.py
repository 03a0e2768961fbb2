"""Configuration of the training of a predictor."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from lepbench.backbones.load import Precision
from lepbench.config import Config, omit_defaults
from lepbench.predictors.mlp import MlpOptions
from lepbench.predictors.options import AnyPredictor


class TrainConfig(Config):
    """The YAML of `lepbench train-lep`.

    Attributes:
        backbone: embedded name, folder or hub id; never trained.
        precision: of its weights; the predictor is trained in float32.
        data: a folder made by `lepbench build-data`.
        validation: the share of `data` held out, by hash of the id, or another such folder.
        predictor: the kind of predictor and its shape.
        taps: positions of the backbone that it reads, some of `lepbench list taps`; None for all. Where they
            are all early, the backward pass of guidance is short.
        loss: a name in `lepbench.predictors.losses`.
        timesteps: trained on `low <= t < high`; None for the whole schedule, since guidance may act anywhere.
        steps, batch, learning_rate, warmup, weight_decay: AdamW, the rate rising linearly over `warmup` steps
            and then falling as a half cosine to 0.
        seed: of weights, order, timesteps and noise.
        checkpoint_every: steps between two checkpoints.
        cache: where encoded data sets are kept; None for `$LEPBENCH_CACHE`, or the user's cache folder.
        device: `auto` takes a GPU if there is one.
    """

    backbone: str = "mini@1"
    precision: Precision = "float32"
    data: Path
    validation: Annotated[float, Field(gt=0, lt=1)] | Path = 0.1
    predictor: AnyPredictor = MlpOptions()
    taps: Annotated[tuple[str, ...], Field(min_length=1)] | None = None
    loss: Literal["mse", "balanced"] = "mse"
    timesteps: tuple[int, int] | None = None
    steps: int = Field(default=2000, ge=1)
    batch: int = Field(default=48, ge=2)
    learning_rate: float = Field(default=1e-3, gt=0)
    warmup: int = Field(default=50, ge=0)
    weight_decay: float = Field(default=0.01, ge=0)
    seed: int = 0
    checkpoint_every: int = Field(default=200, ge=1)
    cache: Path | None = None
    device: str = "auto"

    @model_serializer(mode="wrap")
    def _serialise(self, plain: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Omit the later key at its default, so that recipes without it are written as before."""
        return omit_defaults(plain(self), type(self), ("taps",))

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.timesteps is not None and not 0 <= self.timesteps[0] < self.timesteps[1]:
            raise ValueError(
                f"timesteps must rise from 0 or more, such as [0, 500], not {list(self.timesteps)}"
            )
        return self

    @property
    def identity(self) -> dict[str, object]:
        """The settings that affect the trained weights; data and backbone are identified by hashes instead.

        A separate validation folder has no effect, but a held-out share is missing from the training data.
        """
        settings = self.model_dump(
            mode="json", exclude={"backbone", "data", "cache", "device", "checkpoint_every"}
        )
        return settings | ({"validation": "a folder"} if isinstance(self.validation, Path) else {})

    def without_places(self) -> Self:
        """A copy without local paths: absolute paths are reduced to their last name."""
        held_out = self.validation if isinstance(self.validation, float) else Path(_last(self.validation))
        places = {"backbone": _last(self.backbone), "data": Path(_last(self.data)), "validation": held_out}
        return self.model_copy(update={"cache": None, "device": "auto", **places})


def _last(place: str | Path) -> str:
    return Path(place).name if Path(place).is_absolute() else str(place)
