"""SET.yaml: which models are evaluated on which suites, and what is shown of them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BeforeValidator,
    Field,
    SerializerFunctionWrapHandler,
    field_validator,
    model_serializer,
    model_validator,
)

from lepbench.config import Config, parse_config
from lepbench.faults import quote_value
from lepbench.methods import ModelConfig
from lepbench.publishing.run_table import SHOWN
from lepbench.registry import suggest_name
from lepbench.run_sets.plot_config import AnyPlot
from lepbench.run_sets.suite_config import AnySuite

OWN_KEYS = ("use", "sweep")
"""Keys of a model in a set that a MODEL.yaml has not."""


class ModelEntry(Config):
    """A model of the set, or as many as its sweep has combinations."""

    use: Path | None = None
    """A MODEL.yaml; None where its keys are written in the set."""
    name: str | None = None
    """Instead of the one in `use`."""
    sweep: dict[str, tuple[Any, ...]] = Field(default_factory=dict)
    """Dotted key of a MODEL.yaml, such as `method.scale` -> the values that it takes."""
    settings: dict[str, Any] = Field(default_factory=dict)
    """Keys of a MODEL.yaml as they are written in the set, its name left out."""

    @field_validator("sweep", mode="before")
    @classmethod
    def _require_lists(cls, given: Any) -> Any:
        if not isinstance(given, Mapping):
            raise ValueError("write the keys that take several values, as 'method.scale: [0.8, 1.2]'")
        for key, values in given.items():
            if not isinstance(values, list | tuple):
                raise ValueError(f"{key} is {values!r} and no list of values; write [{values}]")
            if not values:
                raise ValueError(f"{key} lists no value")
        return given

    @model_validator(mode="after")
    def _require_one_source(self) -> Self:
        if self.use is not None and self.settings:
            raise ValueError(
                f"'use' goes with 'name' and 'sweep', not with {min(self.settings)!r}: sweep that key, or "
                "write the model's keys without 'use'"
            )
        return self

    @model_serializer(mode="wrap")
    def _spread_settings(self, plain: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """The keys as they are written in a set."""
        written: dict[str, Any] = plain(self)
        settings: dict[str, Any] = written.pop("settings", {})
        return {key: value for key, value in written.items() if value} | settings


def read_entry(given: Any) -> Any:
    """An entry of `models`: a path, or a mapping of the keys of a MODEL.yaml, `use` and `sweep`.

    Raises:
        LepbenchError: a key is not known, or does not fit.
    """
    if isinstance(given, str | Path):
        return ModelEntry(use=Path(given))
    if not isinstance(given, Mapping):
        raise ValueError(
            f"it must be a path of a MODEL.yaml, or keys with values, not {quote_value(given)}; "
            "write 'use: PATH', or the keys of a MODEL.yaml"
        )
    known = {*ModelConfig.model_fields, *OWN_KEYS}
    for key in given:
        if key not in known:
            raise ValueError(f"unknown key {key!r}; {suggest_name(str(key), known)}")
    apart = ("name", *OWN_KEYS)
    settings = {key: value for key, value in given.items() if key not in apart}
    own = {key: given[key] for key in apart if key in given}
    return parse_config(
        {**own, "settings": settings}, ModelEntry, f"model {given.get('name', quote_value(given))}"
    )


class TableConfig(Config):
    """The table of a set."""

    figures: tuple[str, ...] = ()
    """By name, or by name without judge; the main ones unless given."""
    rows: tuple[str, ...] = Field(default=SHOWN, min_length=1)
    """Conditions that are shown."""
    intervals: bool = False
    """Whether the interval stands beside each figure."""
    format: Literal["markdown", "latex", "text"] = "markdown"
    """Of the file beside `table.csv`."""


class RunSet(Config):
    """A set of runs. What `evaluate` takes as an option holds for all of them."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    out: Path | None = None
    """Folder of the runs; `runs/NAME` unless given."""
    suites: tuple[AnySuite, ...] = ("sketchworld-edges-v1",)
    """Names, folders, or keys of suites that the set makes."""
    protocols: tuple[str, ...] = ()
    """Names or YAML files, each on every suite; a suite's own unless given."""
    judges: str | None = None
    """A YAML file of judges instead of the protocols', or "none"."""
    statistics: Path | None = None
    """A folder of `lepbench statistics make` that sets are compared with."""
    limit: int | None = Field(default=None, ge=1)
    """Items from the front of each suite, each with all its variants; the suite's default number unless
    given."""
    samples_per_item: int = Field(default=1, ge=1)
    device: str = "auto"
    models: tuple[Annotated[ModelEntry, BeforeValidator(read_entry)], ...]
    table: TableConfig = TableConfig()
    plots: tuple[AnyPlot, ...] = ()
    sheet_items: int = Field(default=4, ge=0)
    """First items of each suite, with all their variants, whose pictures by all models are set side by side;
    0 for no sheet."""

    @property
    def folder(self) -> Path:
        """Where the runs lie."""
        return self.out if self.out is not None else Path("runs") / self.name

    @field_validator("models", "suites", mode="before")
    @classmethod
    def _require_some(cls, given: Any) -> Any:
        if not isinstance(given, list | tuple):
            raise ValueError(f"it must be a list of one or more, not {quote_value(given)}")
        if not given:
            raise ValueError("the set is empty: list one or more")
        return given
