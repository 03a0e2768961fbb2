"""What a source is: a closed configuration that opens into a numbered corpus of captioned pictures."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, SerializeAsAny

from lepbench.config import Config, select_config
from lepbench.data.corpus import Corpus
from lepbench.registry import Registry


class Source(Config, ABC):
    """Where captioned pictures come from. A subclass narrows `name` to its own and adds its settings."""

    name: str

    drawn: ClassVar[bool] = False
    """Whether entries come with what people drew of them."""

    @abstractmethod
    def open(self, size: int, limit: int | None) -> Corpus:
        """Look at what there is, without decoding it.

        Args:
            size: side of the pictures wanted, px; a source that draws its pictures draws them so.
            limit: try this many entries at most, in the source's own order; None for all.

        Raises:
            LepbenchError: there is nothing to read.
        """


SOURCES: Registry[type[Source]] = Registry("source")


def select_source(config: str | dict[str, Any] | Source) -> Source:
    """The source that a name, or a mapping with `name` and settings, asks for.

    Raises:
        LepbenchError: no such source, a key it does not know, or a value it does not take.
    """
    return config if isinstance(config, Source) else select_config(config, SOURCES)


# A field of this type takes any registered source in a larger configuration, and writes its settings back.
AnySource = Annotated[SerializeAsAny[Source], BeforeValidator(select_source)]
