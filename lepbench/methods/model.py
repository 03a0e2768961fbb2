"""MODEL.yaml: the submitter's settings, without those fixed by the protocol."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Self

import yaml
from pydantic import Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from lepbench.backbones.load import Precision
from lepbench.backbones.needs import list_backbone_needs
from lepbench.backbones.resolve import check_model
from lepbench.config import Config, Label, parse_config
from lepbench.errors import LepbenchError
from lepbench.guidance import SamplerSettings
from lepbench.guidance.presets import PRESETS
from lepbench.guidance.schedulers import SCHEDULERS
from lepbench.methods.base import METHODS, AnyMethod, MethodConfig
from lepbench.methods.reference import ReferenceModel
from lepbench.methods.steered import SteeredConfig
from lepbench.needs import Need
from lepbench.places import list_own_keys
from lepbench.submitted import hash_code, hash_module

DEFAULT_BACKBONE = "mini@1"
PRESET_KEYS = {"scale", "stop", "repeats"}
"""Of a method that is steered, which presets set."""


def hash_model_code(model: ModelConfig) -> dict[str, str]:
    """SHA-256 of the source files from outside that define a model's method and schedulers, by name."""
    method, reference = hash_code(model.method), model.reference
    return method if reference is None else method | hash_sampler_code(reference.sampler)


def hash_sampler_code(sampler: SamplerSettings) -> dict[str, str]:
    """SHA-256 of the source file from outside that registered the scheduler, by name."""
    return hash_module(SCHEDULERS.find_module(sampler.scheduler))


class ModelConfig(Config):
    """A model under evaluation. Seeds, detectors, sizes and numbers of samples cannot be set here."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=100)
    """Name in tables and of the folder of results."""
    backbone: Label | None = None
    """Embedded name, folder or hub id; "mini@1" by default, None for images generated elsewhere."""
    preset: str | None = None
    """A name in `guidance.presets`; `sampler` and `method` override its settings.
    It is resolved on reading: a record has the settings, which do not change, and not the preset."""
    precision: Precision = "float32"
    """Precision of the backbone's weights."""
    sampler: SamplerSettings = SamplerSettings()
    method: AnyMethod

    @property
    def reference(self) -> ReferenceModel | None:
        """What draws the reference rows: the model's own backbone, or the one that its method names."""
        if self.backbone is None:
            return self.method.reference
        return ReferenceModel(backbone=self.backbone, precision=self.precision, sampler=self.sampler)

    def write_yaml(self) -> str:
        """The text of a MODEL.yaml of these settings."""
        settings = self.model_dump(mode="json", exclude_none=True)
        method = settings["method"]
        settings["method"] = {"name": method["name"], **method}
        return yaml.safe_dump(settings, sort_keys=False, allow_unicode=True)

    def require_backbone(self, path: Path) -> str:
        """The backbone of a model that must draw one picture by itself.

        Args:
            path: of its file.

        Raises:
            LepbenchError: its pictures are made elsewhere.
        """
        if self.backbone is None:
            raise LepbenchError(
                f"{path}: method {self.method.name!r} has no backbone that could draw here",
                "give a model that has one",
            )
        return self.backbone

    def replace_preset(self, preset: str) -> ModelConfig:
        """The same model by the settings of a preset; only classifier-free guidance keeps its scale.

        A method that no preset is for keeps all.

        Raises:
            LepbenchError: there is no such preset.
        """
        chosen = PRESETS.get(preset)
        if not isinstance(self.method, SteeredConfig):
            return self
        given = self.model_dump(mode="json")
        method = {key: value for key, value in given["method"].items() if key not in PRESET_KEYS}
        sampler = {"guidance_scale": self.sampler.guidance_scale}
        replaced = {"method": {**chosen.steering(), **method}, "sampler": chosen.sampler(sampler)}
        return parse_config(given | replaced, ModelConfig, "")

    def check_files(self) -> None:
        """Check what can be checked of its backbone's and its method's files before anything is loaded.

        Raises:
            LepbenchError: what is missing.
        """
        if self.reference is not None:
            check_model(self.reference.backbone)
        self.method.check_files()

    def list_needs(self) -> list[Need]:
        """What its backbone and its method need from elsewhere; nothing is fetched to say so."""
        own = self.method.list_needs()
        return own if self.reference is None else [*list_backbone_needs(self.reference.backbone), *own]

    @model_validator(mode="before")
    @classmethod
    def _find_misplaced(cls, given: Any) -> Any:
        """Say of a key of the method that it belongs there."""
        method = given.get("method") if isinstance(given, dict) else None
        name = method.get("name") if isinstance(method, dict) else method
        if isinstance(name, str) and name in METHODS:
            for key in given.keys() - cls.model_fields.keys() - SamplerSettings.model_fields.keys():
                if key in list_own_keys(METHODS.get(name)):
                    raise ValueError(f"unknown key {key!r}; it belongs in 'method', beside 'name: {name}'")
        return given

    @model_validator(mode="before")
    @classmethod
    def _implied(cls, given: Any) -> Any:
        """Merge the sampler settings that the method implies, overridden by the given ones."""
        method = given.get("method") if isinstance(given, dict) else None
        settings = dict(method) if isinstance(method, MethodConfig) else method
        if not isinstance(settings, dict) or not isinstance(settings.get("name"), str):
            return given
        try:
            implied = METHODS.get(settings["name"]).imply_sampler(settings)
        except LepbenchError:
            return given  # The method's own validation says what is wrong.
        sampler = given.get("sampler") or {}
        if not implied or not isinstance(sampler, dict):
            return given
        return {**given, "sampler": {**implied, **sampler}}

    @model_validator(mode="before")
    @classmethod
    def _resolved(cls, given: Any) -> Any:
        """Merge the preset's settings, overridden by the given ones."""
        if not isinstance(given, dict) or given.get("preset") is None:
            return given
        if not isinstance(given["preset"], str):
            return given  # The key's own validation says what is wrong.
        try:
            preset = PRESETS.get(given["preset"])
        except LepbenchError as error:
            raise ValueError(str(error)) from None
        sampler, method = given.get("sampler") or {}, given.get("method")
        if isinstance(sampler, dict):
            sampler = preset.sampler(sampler)
        if isinstance(method, str):
            method = {"name": method}
        if isinstance(method, dict) and issubclass(METHODS.get(str(method.get("name"))), SteeredConfig):
            method = {**preset.steering(), **method}
        return {**given, "preset": None, "sampler": sampler, "method": method}

    @model_serializer(mode="wrap")
    def _serialise(self, plain: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Omit the default precision, so that the hashes of models without this key are unchanged.

        Without a backbone nothing is sampled here, and no sampler is stated.
        """
        settings: dict[str, Any] = plain(self)
        settings.pop("preset", None)
        if not self.method.needs_backbone:
            settings.pop("sampler", None)
        if self.precision == "float32":
            settings.pop("precision", None)
        return settings

    @model_validator(mode="after")
    def _placed(self) -> Self:
        if self.method.needs_backbone and self.backbone is None:
            # The model is frozen, but not shared yet.
            object.__setattr__(self, "backbone", DEFAULT_BACKBONE)
        if not self.method.needs_backbone and self.backbone is not None:
            raise ValueError(f"method {self.method.name!r} has no backbone: remove the key 'backbone'")
        if not self.method.needs_backbone and self.sampler != SamplerSettings():
            raise ValueError(
                f"method {self.method.name!r} has no sampler: remove the key 'sampler' or 'preset'"
            )
        return self
