"""What a judge is: a network that scores pictures, described by its settings and pinned by its files."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, NamedTuple, Protocol

from pydantic import BeforeValidator, Field, SerializeAsAny, model_validator
from torch import Tensor

from lepbench.config import Config, select_config
from lepbench.errors import LepbenchError
from lepbench.metrics.attributes import Look
from lepbench.needs import Need
from lepbench.registry import Registry, suggest_name
from lepbench.submitted import explain_faults
from lepbench.verified import hash_large_file

Ability = Literal["features", "captions", "sketches", "masks", "classes", "things"]
ABILITIES: dict[Ability, str] = {
    "features": "features of pictures, by which sets are compared",
    "captions": "similarity of pictures and captions",
    "sketches": "similarity of pictures and sketches",
    "masks": "masks of the objects in a picture",
    "classes": "the class that a picture shows",
    "things": "the things that a picture shows, and how they look",
}
"""What judges can do, and how an error calls it."""

Embed = Callable[[Tensor], Tensor]
"""Pictures [B, 3, H, W] in [0, 1] to features float32 [B, D], not normalised."""
Segment = Callable[[Tensor], Tensor]
"""Pictures [B, 3, H, W] in [0, 1] to bool [B, H, W], true on an object."""
Classify = Callable[[Tensor, Sequence[str]], list[str]]
"""Pictures [B, 3, H, W] in [0, 1], and the classes that there are, to the class that each shows."""

ReadThings = Callable[[Tensor], list[list[Look]]]
"""Pictures [B, 3, H, W] in [0, 1] to the things that each shows, the largest first."""


class CaptionScorer(Protocol):
    """What compares pictures with captions in one space; `ClipScorer` is one."""

    def image_embedding(self, images: Tensor) -> Tensor:
        """Features of pictures [B, 3, H, W] in [0, 1], not normalised: float32 [B, D]."""

    def text_features(self, captions: Sequence[str]) -> Tensor:
        """Features of captions, of unit length: float32 [B, D]."""

    def truncated(self, captions: Sequence[str]) -> int:
        """How many captions are longer than it reads."""


class Matching(NamedTuple):
    """Features [B, D] in one space, compared by their cosine.

    Attributes:
        sketches: of bool [B, H, W], true on a stroke.
        pictures: of float [B, 3, H, W] in [0, 1].
    """

    sketches: Callable[[Tensor], Tensor]
    pictures: Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class LoadedJudge:
    """A judge ready to score: an attribute for each of its abilities, None for those it has not.

    Attributes:
        files: its weights and settings by name; a record keeps their SHA-256 as `LABEL/NAME`.
        features: features of pictures, by which sets are compared.
        captions: compares pictures with captions; its picture features are those of `features`.
        sketches: compares pictures with sketches.
        masks: finds objects.
        classes: names classes.
        things: finds things, and names how they look.
    """

    files: Mapping[str, Path] = field(default_factory=dict)
    features: Embed | None = None
    captions: CaptionScorer | None = None
    sketches: Matching | None = None
    masks: Segment | None = None
    classes: Classify | None = None
    things: ReadThings | None = None


class JudgeConfig(Config, ABC):
    """Settings of a judge. A subclass narrows `name` to its own and adds what pins its files.

    Attributes:
        able: what judges of this kind can do.
        frechet: what the Frechet distance of its features is called.
        unit: whether cosine is the natural similarity of its features, as for CLIP: CMMD is then defined.
    """

    able: ClassVar[tuple[Ability, ...]] = ()
    frechet: ClassVar[str] = "fd"
    unit: ClassVar[bool] = False
    name: str
    label: str = Field(default="", pattern=r"^[a-z0-9][a-z0-9._-]*$|^$", validate_default=True)
    """What follows the @ in the names of its figures; the kind's name unless given."""
    use: tuple[Ability, ...] = ()
    """Which of its abilities are used; all unless given."""

    @model_validator(mode="after")
    def _complete(self) -> JudgeConfig:
        if not self.label:
            # The settings are frozen, but not shared yet.
            object.__setattr__(self, "label", self.name)
        if unable := [ability for ability in self.use if ability not in self.able]:
            raise ValueError(
                f"'use' names {unable[0]!r}, which it does not give; {suggest_name('', self.able)}"
            )
        return self

    @property
    def abilities(self) -> tuple[Ability, ...]:
        """What it is used for."""
        return self.use or self.able

    def pin(self) -> JudgeConfig:
        """The same judge with the hash of its files, where they lie here and no hash was given.

        Raises:
            LepbenchError: a file is missing.
        """
        return self

    def identify(self) -> dict[str, Any]:
        """The settings that decide its figures: where files lie is left out if their hash is known."""
        return self.model_dump(mode="json")

    def list_needs(self) -> list[Need]:
        """What it needs from elsewhere; nothing is fetched to say so."""
        return []

    def check(self) -> None:
        """Refuse what cannot be loaded, before anything is: files that are missing or not those pinned.

        Raises:
            LepbenchError: see `load`.
        """
        return

    @abstractmethod
    def load(self, device: str) -> LoadedJudge:
        """The judge, on a device such as `cpu` or `cuda:0`.

        Raises:
            LepbenchError: a file is missing, damaged or not the one pinned.
        """


JUDGES: Registry[type[JudgeConfig]] = Registry("judge", JudgeConfig)


def select_judge(config: str | dict[str, Any] | JudgeConfig) -> JudgeConfig:
    """The judge that a name, or a mapping with `name` and settings, asks for.

    Raises:
        LepbenchError: there is no such judge, or it does not take a setting.
    """
    return config if isinstance(config, JudgeConfig) else select_config(config, JUDGES)


def load_judge(judge: JudgeConfig, device: str = "cpu") -> LoadedJudge:
    """A judge, ready to score, with all of the abilities that it is used for.

    Raises:
        LepbenchError: a file is missing, damaged or not the one pinned, or it gives less than it promises.
    """
    label = f"judge {judge.label!r}"
    with explain_faults(label, judge):
        loaded = judge.load(device)
    if not isinstance(loaded, LoadedJudge):
        raise LepbenchError(f"{label} is {type(loaded).__name__}", "return a LoadedJudge")
    for ability in judge.abilities:
        if getattr(loaded, ability) is None:
            raise LepbenchError(
                f"{label} gives no {ability!r}, which it promises", "give it, or shorten 'able'"
            )
    return loaded


AnyJudge = Annotated[SerializeAsAny[JudgeConfig], BeforeValidator(select_judge)]
"""A field of this type takes any registered judge."""


def select_able(
    judges: Sequence[JudgeConfig], ability: Ability, does: str, such_as: str
) -> list[JudgeConfig]:
    """The judges that have an ability.

    Args:
        does: what one with it does, for the error.
        such_as: the name of one.

    Raises:
        LepbenchError: none has it.
    """
    found = [judge for judge in judges if ability in judge.abilities]
    if not found:
        raise LepbenchError(f"no judge {does}", f"name one that does, such as {such_as}")
    return found


def require_labels(judges: Sequence[JudgeConfig]) -> None:
    """Refuse judges that share a label.

    Raises:
        ValueError: two do.
    """
    twice = [label for label, count in Counter(judge.label for judge in judges).items() if count > 1]
    if twice:
        raise ValueError(f"two judges are labelled {twice[0]!r}; give each a 'label' of its own")


@dataclass(frozen=True)
class Judges:
    """The judges of an evaluation, by label.

    Attributes:
        loaded: ready to score.
        weights: SHA-256 of every file behind them, by name.
    """

    loaded: Mapping[str, LoadedJudge] = field(default_factory=dict)
    weights: dict[str, str] = field(default_factory=dict)

    def __getitem__(self, label: str) -> LoadedJudge:
        return self.loaded[label]

    @classmethod
    def of(cls, loaded: Mapping[str, LoadedJudge]) -> Judges:
        """Judges with the hashes of their files."""
        files = {f"{label}/{name}": path for label, one in loaded.items() for name, path in one.files.items()}
        return cls(loaded, {name: hash_large_file(path) for name, path in files.items()})
