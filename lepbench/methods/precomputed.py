"""Images that were generated elsewhere; no model is loaded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
import torch
from torch import Tensor

from lepbench.backbones import Backbone
from lepbench.errors import LepbenchError
from lepbench.files import list_visible, sha256_bytes, sha256_file
from lepbench.guidance import SamplerSettings
from lepbench.images import format_size, open_rgb, to_tensor
from lepbench.methods.base import METHODS, Method, MethodConfig, Request


@METHODS.register("precomputed")
class PrecomputedConfig(MethodConfig):
    """The folder, with the PNGs listed by `lepbench suite export` and no other files."""

    needs_backbone: ClassVar[bool] = False
    name: Literal["precomputed"] = "precomputed"
    folder: Path
    """`ITEM-INDEX.png` for every sample, at the suite's size."""

    def build(self, backbone: Backbone | None, sampler: SamplerSettings) -> Precomputed:
        if not self.folder.is_dir():
            raise LepbenchError(f"no such folder of pictures: {self.folder}", "check 'method.folder'")
        return Precomputed(self.folder)


@dataclass(frozen=True)
class Precomputed(Method):
    """Reads each picture from its file."""

    folder: Path

    @cached_property
    def files(self) -> dict[str, Path]:
        return {path.name: path for path in list_visible(self.folder)}

    @property
    def weights(self) -> dict[str, str]:
        files = {name: path for name, path in self.files.items() if path.is_file()}
        listed = "".join(f"{sha256_file(path)}  {name}\n" for name, path in files.items())
        return {"pictures": sha256_bytes(listed.encode())}

    def check(self, names: Collection[str]) -> None:
        missing = [name for name in names if name not in self.files]
        extra = sorted(self.files.keys() - set(names))
        said = [
            f"{len(some)} {kind}, first {some[0]!r}"
            for kind, some in (("missing", missing), ("not asked for", extra))
            if some
        ]
        if said:
            advice = "pass the --limit and --samples-per-item of 'lepbench suite export', see its prompts.csv"
            raise LepbenchError(
                f"{self.folder} does not hold the {len(names)} pictures asked for: {'; '.join(said)}",
                advice if missing else f"move what is no picture of this run elsewhere, or {advice}",
            )
        self._check_pictures(names)

    def _check_pictures(self, names: Collection[str]) -> None:
        """Decode every picture once: a later batch must not stop a run that has begun.

        Raises:
            LepbenchError: one cannot be decoded, or has another size than most.
        """
        sizes = {name: open_rgb(self.folder / name).size for name in names}
        usual = Counter(sizes.values()).most_common(1)[0][0]
        odd = next((name for name in names if sizes[name] != usual), None)
        if odd is not None:
            found, wanted = (format_size(size[::-1]) for size in (sizes[odd], usual))
            raise LepbenchError(
                f"{self.folder / odd} is {found} px and the other pictures {wanted}",
                "draw all at the suite's size",
            )

    def draw(self, requests: Sequence[Request]) -> Tensor:
        return torch.stack([self._read(request) for request in requests])

    def _read(self, request: Request) -> Tensor:
        pixels = np.asarray(open_rgb(self.folder / request.name))
        if pixels.shape[:2] != request.sketch.shape:
            found, wanted = (format_size(shape) for shape in (pixels.shape, request.sketch.shape))
            raise LepbenchError(
                f"{self.folder / request.name} is {found} px and the suite {wanted}", "draw at its size"
            )
        return to_tensor(pixels)
