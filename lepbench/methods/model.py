"""MODEL.yaml: what a submitter chooses, and nothing that belongs to the protocol."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Union

from pydantic import Field

from lepbench.config import Config
from lepbench.guidance import SamplerSettings
from lepbench.methods.base import METHODS, MethodConfig
from lepbench.methods.lep import LepConfig
from lepbench.methods.unguided import UnguidedConfig

if TYPE_CHECKING:
    AnyMethod = MethodConfig
else:
    # A closed union of what is registered: `name` decides, and the settings of one method fit no other.
    AnyMethod = Annotated[Union[METHODS.values()], Field(discriminator="name")]  # noqa: UP007

__all__ = ["AnyMethod", "LepConfig", "ModelConfig", "UnguidedConfig"]


class ModelConfig(Config):
    """A model under evaluation. Seeds, detectors, sizes and numbers of samples cannot be set here."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    """Its name in tables, and of its folder of results."""
    backbone: str = "mini@1"
    """An embedded name, a folder or a hub id."""
    sampler: SamplerSettings = SamplerSettings()
    method: AnyMethod
