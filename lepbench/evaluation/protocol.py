"""The protocol: all fixed settings of an evaluation, typed and hashed."""

from __future__ import annotations

import json
from typing import Annotated, Any, Self

from pydantic import (
    BeforeValidator,
    Field,
    NonNegativeInt,
    SerializeAsAny,
    SerializerFunctionWrapHandler,
    ValidationInfo,
    model_serializer,
    model_validator,
)

from lepbench.config import Config
from lepbench.detectors import DETECTORS, FILE, AnyDetector, Sobel, SoftDetector, identify_detector
from lepbench.detectors.base import select_field
from lepbench.errors import LepbenchError
from lepbench.files import sha256_bytes
from lepbench.judges import Ability, AnyJudge, JudgeConfig
from lepbench.judges.base import require_labels
from lepbench.metrics.edges import pixels_of

ITEMS = "items"
"""The reference of set distances that is the real pictures of the items themselves."""
RELATIVE_FROM = 256
"""Smallest side, in pixels, at which tolerances are also taken relative to the size."""
RENAMED = {"semantic": ("sketches", "classes")}
"""Measures of 0.1.0, and what measures the same now."""


def select_soft(config: Any, info: ValidationInfo) -> SoftDetector:
    """The detector that a name, or a mapping with `name` and settings, asks for: one that grades edges.

    Raises:
        LepbenchError: there is no such detector, it does not take a setting, or it grades none.
    """
    detector = select_field(config, info)
    if not isinstance(detector, SoftDetector):
        soft = [name for name in DETECTORS if issubclass(DETECTORS.get(name), SoftDetector)]
        raise LepbenchError(
            f"{info.field_name}: detector {detector.name!r} gives no strengths of edges",
            f"choose one of: {', '.join(soft)}",
        )
    return detector


AnySoftDetector = Annotated[SerializeAsAny[SoftDetector], BeforeValidator(select_soft)]
"""A field of this type takes any registered detector that grades edges."""


class Protocol(Config):
    """How images are scored. Two scores are comparable only if their protocols' hashes agree."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]*$")
    description: str = ""
    """What it measures, and of what, in a sentence."""
    measures: tuple[str, ...] = Field(min_length=1)
    """The measures, in the order of the tables."""
    where_known: tuple[str, ...] = ()
    """Measures that are taken, too, where suite and judges give what they need."""
    rank_by: str | None = None
    """The figure that ranks a leaderboard; None where no figure can, and models stand by name."""
    judges: tuple[AnyJudge, ...] = ()
    """The networks that score pictures; each gives figures of its own, `FIGURE@LABEL`."""
    reference: str = ITEMS
    """The real pictures of set distances: `items`, those of the items; the name of statistics that ship; or a
    folder of `lepbench statistics make`."""
    reference_sha256: str | None = None
    """Of that folder's files; filled in when the protocol is read."""
    size: int = Field(ge=1)
    """Height and width at which images are generated and scored, in pixels."""
    detector: AnyDetector
    """Edge detector for the comparison with the sketch."""
    contour_detector: AnyDetector | None = None
    """Edge detector for the comparison with the exact contours."""
    soft_detector: AnySoftDetector = Sobel(sigma=0.7, thin=False)
    """Soft edge detector of sample and real image for the soft metrics."""
    seed: str = "first 63 bits of sha256(suite, item_id, sample_index); noise drawn on the CPU, item by item"
    pictures: str = "scored as stored, 8 bits a channel"
    wrong: str = "the next item of the whole suite, cyclic, whose prompt differs"
    matching: str = "a pixel of either map matches if the other map has one within the tolerance, Euclidean"
    pairing: str = "one to one, as many as can be within the tolerance"
    tolerances: tuple[NonNegativeInt, ...] = (0, 1, 2, 3)
    """Tolerances in pixels for the comparison with the sketch."""
    relative_tolerances: tuple[Annotated[float, Field(gt=0, lt=1)], ...] = ()
    """The same as shares of the diagonal, from `RELATIVE_FROM` pixels a side up."""
    paired_tolerances: tuple[NonNegativeInt, ...] | None = None
    """Tolerances in pixels of the one-to-one matching; those of the edges unless given."""
    stroke_tolerance: NonNegativeInt = 2
    """Distance in pixels within which a pixel of a stroke is found."""
    relative_stroke_tolerance: float | None = Field(default=None, gt=0, lt=1)
    """The same as a share of the diagonal, instead, from `RELATIVE_FROM` pixels a side up."""
    contour_tolerance: NonNegativeInt = 1
    """Tolerance in pixels for the comparison with the exact contours."""
    headline: str = "alignment times clip_skill clipped to [0, 1]"
    """Definition of the headline metrics `faithful_f1`, `faithful_paired_f1` and `faithful_iou`."""
    headline_tolerance: NonNegativeInt = 1
    """Tolerance in pixels of the headline's alignment."""
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
    neighbours: int = Field(default=5, ge=1)
    """Nearest neighbours of density and coverage (k)."""
    by_level: tuple[str, ...] = ()
    """Figures that are also given for each level of a suite of variants; without a judge, by every one."""
    levels: tuple[str, ...] = ()
    """What the variants of an item are called; the suite's."""
    batch_size: int = Field(default=8, ge=1, alias="unit")
    """Batch size of sampling: fixed, because it changes the last bits of a network's output."""

    @model_validator(mode="after")
    def _check_labels(self) -> Self:
        require_labels(self.judges)
        return self

    @model_serializer(mode="wrap")
    def _serialise(self, plain: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave out what only suites of variants have, so that the hashes of other protocols stay."""
        written: dict[str, Any] = plain(self)
        return {key: value for key, value in written.items() if value or key not in ("by_level", "levels")}

    @property
    def sha256(self) -> str:
        """Hash of every setting, of the detectors' versions, and of the judges' files."""
        nameless = {"detector": FILE, "contour_detector": FILE, "soft_detector": FILE}
        settings = self.model_dump(mode="json", exclude=nameless | {"judges": True})
        settings["judges"] = [judge.identify() for judge in self.judges]
        settings["detectors"] = [identify_detector(detector) for detector in self.detectors]
        if self.reference_sha256 is not None:
            settings.pop("reference")
        return sha256_bytes(json.dumps(settings, sort_keys=True).encode())

    @property
    def detectors(self) -> list[Any]:
        """Every detector that it names."""
        named = (self.detector, self.contour_detector, self.soft_detector)
        return [detector for detector in named if detector is not None]

    def describe(self) -> dict[str, Any]:
        """Every term; judges by what decides their figures."""
        return {**self.model_dump(mode="json"), "judges": [judge.identify() for judge in self.judges]}

    def find_judges(self, ability: Ability) -> list[JudgeConfig]:
        """The judges that are used for something, in order."""
        return [judge for judge in self.judges if ability in judge.abilities]

    def find_labels(self, ability: Ability) -> list[str]:
        """The labels of `find_judges`."""
        return [judge.label for judge in self.find_judges(ability)]

    @property
    def shares(self) -> tuple[float, ...]:
        """The relative tolerances that count at this size."""
        return self.relative_tolerances if self.size >= RELATIVE_FROM else ()

    @property
    def distances(self) -> list[float]:
        """Every tolerance of the edge figures in pixels."""
        shape = (self.size, self.size)
        return [*map(float, self.tolerances), *(pixels_of(share, shape) for share in self.shares)]

    @property
    def stroke_reach(self) -> tuple[str, float]:
        """What the tolerance of strokes is called, and how many pixels it is."""
        share = self.relative_stroke_tolerance
        if share is None or self.size < RELATIVE_FROM:
            return f"{self.stroke_tolerance}px", float(self.stroke_tolerance)
        return f"{share:g}d", pixels_of(share, (self.size, self.size))

    @property
    def labels(self) -> list[str]:
        """What each of `distances` is called: `1px`, or `0.0075d` of the diagonal."""
        return [*(f"{t}px" for t in self.tolerances), *(f"{t:g}d" for t in self.shares)]


def read_recorded(given: Any) -> Any:
    """A protocol as a record of 0.1.0 has it, without the names of judges and statistics of that version.

    Its hash is another than the record states: such figures can be read, and compare with none of today.
    """
    if not isinstance(given, dict) or "segmenter" not in given:
        return given
    gone = ("judge", "segmenter", "matcher", "classifier", "statistics")
    kept = {key: value for key, value in given.items() if key not in gone}
    measures = [new for name in given.get("measures", ()) for new in RENAMED.get(name, (name,))]
    return {**kept, "measures": measures} if measures else kept
