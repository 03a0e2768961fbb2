"""MODEL.yaml: what a submitter chooses, and nothing that belongs to the protocol."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Self, Union

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from lepbench.backbones.load import Precision
from lepbench.config import Config
from lepbench.guidance import SamplerSettings
from lepbench.methods.base import METHODS, MethodConfig
from lepbench.methods.lep import LepConfig
from lepbench.methods.precomputed import PrecomputedConfig
from lepbench.methods.unguided import UnguidedConfig

if TYPE_CHECKING:
    AnyMethod = MethodConfig
else:
    # A closed union of what is registered: `name` decides, and the settings of one method fit no other.
    AnyMethod = Annotated[Union[METHODS.values()], Field(discriminator="name")]  # noqa: UP007

DEFAULT_BACKBONE = "mini@1"

__all__ = ["AnyMethod", "LepConfig", "ModelConfig", "PrecomputedConfig", "UnguidedConfig"]


class ModelConfig(Config):
    """A model under evaluation. Seeds, detectors, sizes and numbers of samples cannot be set here."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    """Its name in tables, and of its folder of results."""
    backbone: str | None = None
    """An embedded name, a folder or a hub id; "mini@1" unless said, and none for pictures drawn elsewhere."""
    precision: Precision = "float32"
    """Of the backbone's weights: the large ones fit no memory in full."""
    sampler: SamplerSettings = SamplerSettings()
    method: AnyMethod

    @model_serializer(mode="wrap")
    def _told(self, plain: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Precision where it is not the usual one alone: records are named by their models' hash."""
        told: dict[str, Any] = plain(self)
        if self.precision == "float32":
            told.pop("precision", None)
        return told

    @model_validator(mode="after")
    def _placed(self) -> Self:
        if self.method.needs_backbone and self.backbone is None:
            # Frozen, and not yet seen by anyone.
            object.__setattr__(self, "backbone", DEFAULT_BACKBONE)
        if not self.method.needs_backbone and self.backbone is not None:
            raise ValueError(f"method {self.method.name!r} has no backbone: remove the key 'backbone'")
        return self
