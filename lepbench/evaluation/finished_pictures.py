"""The pictures of a condition that is finished, for the conditions that are made of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from lepbench.evaluation.layout import locate_picture
from lepbench.evaluation.sample import Sample


@dataclass(frozen=True)
class FinishedPictures:
    """Pictures in the folder of a run.

    Attributes:
        out: the folder.
        condition: whose pictures.
    """

    out: Path
    condition: str

    def read(self, sample: Sample) -> bytes:
        """The encoded picture of a sample.

        Raises:
            RuntimeError: there is none, since it failed.
        """
        try:
            return locate_picture(self.out, self.condition, sample.item_id, sample.index).read_bytes()
        except FileNotFoundError:
            raise RuntimeError("the picture that it is made of failed") from None
