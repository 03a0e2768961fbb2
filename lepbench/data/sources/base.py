"""Base class of sources: a configuration that opens a numbered corpus of captioned images."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, SerializeAsAny

from lepbench.config import Config, select_config
from lepbench.data.corpus import Corpus
from lepbench.registry import Registry


class Source(Config, ABC):
    """A source of captioned images. A subclass narrows `name` to its own and adds its settings."""

    name: str

    drawn: ClassVar[bool] = False
    """Whether entries have human sketches."""
    edges: ClassVar[Literal["binary", "drawn"]] = "binary"
    """What maps are made of where the build does not say."""

    @abstractmethod
    def open(self, size: int, limit: int | None) -> Corpus:
        """Index the entries without decoding them.

        Args:
            size: side of the images, px, for a source that renders its images.
            limit: try this many entries at most, in the source's own order; None for all.

        Raises:
            LepbenchError: there is nothing to read.
        """


SOURCES: Registry[type[Source]] = Registry("source", Source)


def select_source(config: str | dict[str, Any] | Source) -> Source:
    """The source given by a name, or a mapping with `name` and settings.

    Raises:
        LepbenchError: no such source, a key it does not know, or a value it does not take.
    """
    return config if isinstance(config, Source) else select_config(config, SOURCES, "source")


# A field of this type takes any registered source in a larger configuration, and writes its settings back.
AnySource = Annotated[SerializeAsAny[Source], BeforeValidator(select_source)]
