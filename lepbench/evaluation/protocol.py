"""The protocol: all fixed settings of an evaluation, typed and hashed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, Field, NonNegativeInt, SerializeAsAny

from lepbench.config import Config, load_document, parse_config
from lepbench.detectors import FILE, AnyDetector, Sobel, SoftDetector, identify_detector, select_detector
from lepbench.errors import LepbenchError
from lepbench.files import sha256_bytes
from lepbench.metrics.edges import pixels_of
from lepbench.registry import Registry
from lepbench.submitted import explain_faults, is_ours
from lepbench.suites import Suite

COMMON = ("masks", "captions", "semantic", "distances")
MEASURED = {
    "edges": ("faithful_f1", "edges", "contours", "paired", "chamfer", "soft", *COMMON),
    "freehand": ("faithful_iou", "strokes", "edges", *COMMON),
    "drawings": ("strokes", "edges"),
}
"""What is measured on a suite of each kind; the first is what ranks. Of people's drawings no mask or contour
is known, and the judges, who learnt sketchworld, know neither their words nor their pictures."""
OURS = "lepbench-"
"""What the names of the protocols that ship begin with, and no others."""
NAMES = {kind: f"{OURS}{kind}-v1" for kind in MEASURED}
RELATIVE_FROM = 256
"""Smallest side, in pixels, at which tolerances are also taken relative to the size."""
AnySoftDetector = Annotated[SerializeAsAny[SoftDetector], BeforeValidator(select_detector)]


class Protocol(Config):
    """How images are scored. Two scores are comparable only if their protocols' hashes agree."""

    name: str = Field(default="lepbench-edges-v1", pattern=r"^[a-z0-9][a-z0-9._-]*$")
    measures: tuple[str, ...] = Field(default=MEASURED["edges"], min_length=1)
    """The measures, in the order of the tables; the first ranks a leaderboard."""
    size: int = Field(ge=1)
    """Height and width at which images are generated and scored, in pixels."""
    detector: AnyDetector
    """Edge detector for the comparison with the sketch: the one that made the sketch."""
    contour_detector: AnyDetector
    """Edge detector for the comparison with the exact contours."""
    soft_detector: AnySoftDetector = Sobel(sigma=0.7, thin=False)
    """Soft edge detector of sample and real image for the soft metrics."""
    seed: str = "first 63 bits of sha256(suite, item_id, sample_index); noise drawn on the CPU, item by item"
    pictures: str = "scored as stored, 8 bits a channel"
    wrong: str = "the next item of the whole suite, cyclic, whose prompt differs"
    matching: str = "a pixel of either map matches if the other map has one within the tolerance, Euclidean"
    pairing: str = "one to one, as many as can be within the tolerance and among those the nearest"
    tolerances: tuple[NonNegativeInt, ...] = (0, 1, 2, 3)
    """Tolerances in pixels for the comparison with the sketch."""
    relative_tolerances: tuple[Annotated[float, Field(gt=0, lt=1)], ...] = ()
    """The same as shares of the diagonal."""
    stroke_tolerance: NonNegativeInt = 2
    """Distance in pixels within which a pixel of a stroke is found."""
    contour_tolerance: NonNegativeInt = 1
    """Tolerance in pixels for the comparison with the exact contours."""
    headline: str = "alignment times clip_skill clipped to [0, 1]"
    """Definition of the headline metric."""
    headline_tolerance: NonNegativeInt = 1
    """Tolerance in pixels of the headline's edge F1."""
    aggregation: str = "mean over samples of each sample's figure"
    intervals: str = "percentile bootstrap over items; for kid, items subsampled without replacement"
    confidence: float = Field(default=0.95, gt=0, lt=1)
    resamples: int = Field(default=2000, ge=1)
    kid_subsamples: int = Field(default=1000, ge=1)
    kid_fraction: float = Field(default=0.8, gt=0, lt=1)
    """Share of the items in a subsample."""
    interval_seed: NonNegativeInt = 0
    frechet_from: int = Field(default=512, ge=2)
    """Minimum number of samples for a Frechet distance."""
    batch_size: int = Field(default=8, ge=1, alias="unit")
    """Batch size of sampling: fixed, because it changes the last bits of a network's output."""
    judge: str = "judge@1"
    """CLIP model of the similarities, and extractor of the features of `kid` and `frechet_distance`."""
    segmenter: str = "segmenter@1"
    """Finds the objects of a sample for `mask_iou`."""
    matcher: str = "matcher@1"
    """Similarity of sketch and image for `sketch_similarity`."""
    classifier: str = "probe@1"
    """Classifier for `class_accuracy`."""
    statistics: str = "judge-statistics@1"
    """The judge's features of true renders that no item shows."""

    @property
    def sha256(self) -> str:
        """Hash of every setting, and of the detectors' versions."""
        detectors = (self.detector, self.contour_detector, self.soft_detector)
        nameless = {"detector": FILE, "contour_detector": FILE, "soft_detector": FILE}
        settings = self.model_dump(mode="json", exclude=nameless)
        settings["detectors"] = [identify_detector(detector) for detector in detectors]
        return sha256_bytes(json.dumps(settings, sort_keys=True).encode())

    @property
    def distances(self) -> list[float]:
        """Every tolerance of the edge figures in pixels."""
        shape = (self.size, self.size)
        return [
            *map(float, self.tolerances),
            *(pixels_of(share, shape) for share in self.relative_tolerances),
        ]

    @property
    def labels(self) -> list[str]:
        """What each of `distances` is called: `1px`, or `0.0075d` of the diagonal."""
        return [*(f"{t}px" for t in self.tolerances), *(f"{t:g}d" for t in self.relative_tolerances)]


PROTOCOLS: Registry[Callable[[Suite], Protocol]] = Registry("protocol")
"""Protocols by name, each made for a suite: its size and detectors are terms of the protocol."""


def select_protocol(suite: Suite, choice: str | Path | None = None) -> Protocol:
    """The protocol by which a suite is scored.

    Args:
        choice: a name in `PROTOCOLS`, or a YAML file of the terms that differ from the suite's own protocol,
            its name among them; None for the suite's own.

    Raises:
        LepbenchError: no such protocol, a term it does not know, or a name that is not its own.
    """
    if choice is None:
        return make_shipped_protocol(suite)
    if Path(choice).suffix in (".yaml", ".yml"):
        return _read_terms(suite, Path(choice))
    return _make_registered(suite, str(choice))


def _make_registered(suite: Suite, name: str) -> Protocol:
    make = PROTOCOLS.get(name)
    with explain_faults(f"protocol {name!r}", make):
        protocol = make(suite)
    if not isinstance(protocol, Protocol) or protocol.name != name:
        found = repr(protocol.name) if isinstance(protocol, Protocol) else type(protocol).__name__
        raise LepbenchError(f"protocol {name!r} is made as {found}", "return a Protocol of that name")
    if name.startswith(OURS) and not is_ours(make):
        raise LepbenchError(f"protocol {name!r} does not ship", f"give it a name without {OURS!r}")
    return protocol


def make_shipped_protocol(suite: Suite) -> Protocol:
    """The protocol that ships for suites of this kind: the suite's size and detectors, and rules for all.

    Raises:
        LepbenchError: a detector is unknown here.
    """
    definition = suite.definition
    return Protocol(
        name=NAMES[definition.kind],
        measures=MEASURED[definition.kind],
        size=definition.size,
        detector=select_detector(definition.detector),
        contour_detector=select_detector(definition.contour_detector),
        relative_tolerances=(0.0075,) if definition.size >= RELATIVE_FROM else (),
    )


def _read_terms(suite: Suite, path: Path) -> Protocol:
    terms = load_document(path, Protocol)
    name = terms.get("name")
    if not isinstance(name, str) or name.startswith(OURS):
        raise LepbenchError(
            f"{path}: a protocol with terms of its own has a name of its own, not {name!r}",
            f"give a 'name' that does not begin with {OURS!r}",
        )
    protocol = parse_config({**make_shipped_protocol(suite).model_dump(), **terms}, Protocol, str(path))
    if protocol.size != suite.definition.size:
        raise LepbenchError(
            f"{path}: size {protocol.size} px, and suite {suite.name!r} has {suite.definition.size}",
            "remove 'size', which is the suite's",
        )
    return protocol


def _make_named(name: str) -> Callable[[Suite], Protocol]:
    def make(suite: Suite) -> Protocol:
        """The protocol that ships for suites of one kind."""
        protocol = make_shipped_protocol(suite)
        if protocol.name != name:
            raise LepbenchError(
                f"suite {suite.name!r} is scored by {protocol.name}, not {name}", "choose that, or none"
            )
        return protocol

    return make


for _name in NAMES.values():
    PROTOCOLS.register(_name)(_make_named(_name))
