"""The definition of a suite: what its `suite.yaml` says."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from lepbench.config import Config

DEFINITION = "suite.yaml"
Truth = Literal[
    "picture",
    "edges",
    "contours",
    "mask",
    "strokes",
    "label",
    "scene",
    "original",
    "whole",
    "weights",
    "prompt_label",
]
TRUTHS: dict[Truth, str] = {
    "picture": "the real picture of every item",
    "edges": "sketches that are the edge maps of the pictures",
    "contours": "exact contours",
    "mask": "the mask of the objects",
    "strokes": "numbered strokes",
    "label": "the class of an item, of those that have one",
    "scene": "the scene of every item, with its attributes",
    "original": "the item that each is a variant of",
    "whole": "the whole sketches that the items' are parts of",
    "weights": "a stroke with a weight of its own",
    "prompt_label": "the class that each prompt names, whatever the sketch shows",
}
"""What a suite may know of its items, and how an error calls it."""
KINDS: dict[str, dict[str, Any]] = {
    "freehand": {
        "truths": ("picture", "contours", "mask", "strokes", "label", "scene"),
        "protocol": "lepbench-freehand-v1",
    },
    "drawings": {"truths": ("picture", "strokes"), "protocol": "lepbench-drawings-v1"},
}


class Drawn(Config):
    """Where the items came from, and which candidates were left out."""

    corpus: str
    """Corpus and split, e.g. "sketchworld test"."""
    settings: dict[str, Any] = Field(default_factory=dict)
    """Of the corpus, without where it lay."""
    seed: int | None = None
    """Of the hash that candidates were picked by; None where they are consecutive."""
    first_index: int
    """First index of the split that was looked at; 0 where candidates were picked by a hash."""
    considered: int
    """How many candidates were looked at."""
    left_out: dict[str, int]
    """Reason to number of candidates turned away."""
    unsupported: dict[str, int] = Field(default_factory=dict)
    """What a drawing has that is not drawn, to the number of items that have it."""
    changes: dict[str, int] = Field(default_factory=dict)
    """What was done to a sketch to read it, such as "thinned", to the number of items that it was done to."""


class SuiteDefinition(Config):
    """Content of `suite.yaml`."""

    name: str = Field(pattern=r"^\w[\w.-]*$", max_length=100)
    """Part of every item's seed, whatever the folder is called; a board's folder is called so."""
    kind: Literal["freehand", "drawings"] | None = None
    """What earlier versions wrote instead of `truths` and `protocol`: a name in `KINDS`."""
    truths: tuple[Truth, ...] = ("picture", "edges", "contours", "mask", "label", "scene")
    """What is known of its items beside prompt and sketch; measures need some of them."""
    protocol: str = "lepbench-edges-v1"
    """The protocol that it is scored by unless another is chosen."""
    version: int
    description: str
    licence: str
    size: int = Field(ge=1, le=8192)
    """Height and width of every picture, in pixels."""
    items: int = Field(ge=0)
    """How many items the frozen list holds."""
    default_items: int = Field(ge=0)
    """How many of them, from the front, a score is made of unless said otherwise."""
    detector: dict[str, Any]
    """The detector, with its settings, whose map of a sample is held against the sketch; of an edge suite it
    is the one that made the sketch."""
    contour_detector: dict[str, Any] | None = None
    """The second detector, whose map of a sample is held against the exact contours, where they are known."""
    variants_of: str | None = None
    """The suite whose items these are variants of: a variant is drawn from the noise of its original."""
    levels: tuple[str, ...] = ()
    """The variants that each of those items has, in order."""
    drawn: Drawn
    items_sha256: str
    """SHA-256 of `items.parquet`."""

    @model_validator(mode="before")
    @classmethod
    def _read_kind(cls, given: Any) -> Any:
        """Truths and protocol of a definition that an earlier version wrote."""
        if (
            not isinstance(given, dict)
            or not isinstance(given.get("kind"), str)
            or given["kind"] not in KINDS
        ):
            return given
        about = {**KINDS[given["kind"]], **given}
        if not about.pop("pictures", True):
            about["truths"] = [truth for truth in about["truths"] if truth != "picture"]
        return about

    @model_serializer(mode="wrap")
    def _serialise(self, plain: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave out what `kind` stands for, so that the hashes of such suites stay."""
        written: dict[str, Any] = plain(self)
        implied = KINDS[self.kind] if self.kind else {}
        return {key: value for key, value in written.items() if key not in implied}
