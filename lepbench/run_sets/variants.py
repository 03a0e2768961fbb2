"""The models of a set, each with the settings that tell it from the others of its entry."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lepbench.config import load_document, parse_config
from lepbench.errors import LepbenchError
from lepbench.methods import ModelConfig
from lepbench.run_sets.config import ModelEntry
from lepbench.run_sets.sweep import Settings, apply_settings, check_keys, expand_sweep, write_suffixes


@dataclass(frozen=True)
class Variant:
    """A model of a set.

    Attributes:
        entry: name of the entry that it is one combination of; its own without a sweep.
        settings: the swept keys, and their values here.
        file: of the entry; None where its keys are written in the set.
    """

    config: ModelConfig
    entry: str
    settings: Settings
    file: Path | None = None

    @property
    def name(self) -> str:
        """In tables, and of its folder."""
        return self.config.name

    def find_setting(self, key: str) -> Any:
        """The value of a dotted key, swept or not, as a record has it; None where the model has none."""
        found: Any = self.settings.get(key, self.config.model_dump(mode="json"))
        if key in self.settings:
            return found
        for part in key.split("."):
            found = found.get(part) if isinstance(found, dict) else None
        return found


def list_variants(entries: Sequence[ModelEntry]) -> list[Variant]:
    """The models of all entries, in their order.

    Raises:
        LepbenchError: a file is missing, a key does not fit, or two models have one name.
    """
    variants = [variant for entry in entries for variant in make_variants(entry)]
    seen: dict[str, Variant] = {}
    for variant in variants:
        # Where capitals do not tell files apart, two such models would share a folder.
        other = seen.setdefault(variant.name.lower(), variant)
        if other is not variant:
            raise LepbenchError(
                f"two models are called {variant.name!r}: {_describe(other)} and {_describe(variant)}",
                "give an entry a 'name' of its own, or a sweep values that are written differently",
            )
    return variants


def check_models(variants: Sequence[Variant]) -> None:
    """Refuse a model that does not ship under its name, or a folder of pictures that is missing.

    Raises:
        LepbenchError: there is one.
    """
    for variant in variants:
        try:
            variant.config.check_files()
        except LepbenchError as error:
            raise LepbenchError(f"model {variant.name!r}: {error}") from error


def _describe(variant: Variant) -> str:
    listed = ", ".join(f"{key}={value!r}" for key, value in variant.settings.items())
    return f"{variant.entry!r} with {listed}" if listed else f"the entry {variant.entry!r}"


def make_variants(entry: ModelEntry) -> Iterator[Variant]:
    """The models of one entry.

    Raises:
        LepbenchError: its file is missing, or a key does not fit.
    """
    label = f"model {entry.name or entry.use or ''}".strip()
    document = dict(entry.settings) if entry.use is None else load_document(entry.use, ModelConfig)
    if entry.name is not None:
        document["name"] = entry.name
    name = document.get("name")
    if not isinstance(name, str):
        raise LepbenchError(f"{label} has no name", "write 'name: ...' in it")
    try:
        check_keys(entry.sweep)
        combinations = [
            (settings, apply_settings(document, settings)) for settings in expand_sweep(entry.sweep)
        ]
    except LepbenchError as error:
        raise LepbenchError(f"{label}: {error}") from error
    suffixes = write_suffixes([settings for settings, _ in combinations])
    for (settings, keys), suffix in zip(combinations, suffixes, strict=True):
        own = {**keys, "name": name + suffix}
        config = parse_config(own, ModelConfig, f"model {own['name']}")
        yield Variant(config, name, settings, None if entry.use is None else Path(entry.use))
