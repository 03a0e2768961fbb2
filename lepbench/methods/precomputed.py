"""Images that were generated elsewhere; a model is loaded only if it draws what they are compared with."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import BeforeValidator, SerializerFunctionWrapHandler, model_serializer
from torch import Tensor

from lepbench.backbones import Backbone
from lepbench.config import load_config
from lepbench.errors import LepbenchError
from lepbench.files import is_folder, list_visible, require_within, sha256_bytes, sha256_file
from lepbench.guidance import SamplerSettings
from lepbench.images import Pixels, check_rgb, format_size, open_rgb, to_channels
from lepbench.methods.base import METHODS, Method, MethodConfig, Request
from lepbench.methods.model import ModelConfig
from lepbench.methods.reference import ReferenceModel
from lepbench.needs import BrokenNeed, Need

NAME = re.compile(r"(?P<item_id>.+)-(0|[1-9][0-9]*)\.png", re.ASCII)
"""What a picture is called: `ITEM-INDEX.png`."""


def read_reference(given: Any) -> Any:
    """What a MODEL.yaml draws with, if it is given by its path.

    Raises:
        LepbenchError: the file cannot be read, or its method has no backbone.
    """
    if not isinstance(given, str | Path):
        return given
    reference = load_config(Path(given), ModelConfig).reference
    if reference is None:
        raise LepbenchError(
            f"{given} has no backbone to compare with", "let 'compare_with' name a MODEL.yaml that has one"
        )
    return reference


@METHODS.register("precomputed")
class PrecomputedConfig(MethodConfig):
    """The folder, with the PNGs listed by `lepbench suite export`; more of the same suite may lie there."""

    needs_backbone: ClassVar[bool] = False
    name: Literal["precomputed"] = "precomputed"
    folder: Path
    """`ITEM-INDEX.png` for every sample, at the suite's size. Pictures of samples that are not asked for,
    of the same suite, are left unread."""
    compare_with: Annotated[ReferenceModel | None, BeforeValidator(read_reference)] = None
    """What draws the rows `unguided`, `vae` and `overlay`: a path of a MODEL.yaml, of which its backbone,
    precision and sampler are kept and not the path; or a mapping of these."""

    @property
    def reference(self) -> ReferenceModel | None:
        return self.compare_with

    @model_serializer(mode="wrap")
    def _serialise(self, plain: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Omit what is not compared with, so that the hashes of earlier records are unchanged."""
        settings: dict[str, Any] = plain(self)
        if self.compare_with is None:
            settings.pop("compare_with", None)
        return settings

    def check_files(self) -> None:
        if not is_folder(self.folder):
            raise LepbenchError(f"no such folder of pictures: {self.folder}", "check 'method.folder'")

    def list_needs(self) -> list[Need]:
        try:
            self.check_files()
        except LepbenchError as error:
            return [BrokenNeed("pictures", str(error))]
        return []

    def build(self, backbone: Backbone | None, sampler: SamplerSettings) -> Precomputed:
        self.check_files()
        return Precomputed(self.folder)


@dataclass(frozen=True)
class Precomputed(Method):
    """Reads each picture from its file.

    Attributes:
        folder: holds the files.
        names: those that are asked for; None: all that there are.
        item_ids: of every item of the suite: other pictures of these may lie in the folder, too.
    """

    folder: Path
    names: Collection[str] | None = None
    item_ids: Collection[str] = ()

    def restrict(self, names: Collection[str], item_ids: Collection[str]) -> Precomputed:
        return replace(self, names=names, item_ids=frozenset(item_ids))

    @cached_property
    def files(self) -> dict[str, Path]:
        """By name.

        Raises:
            LepbenchError: one is a link to a file elsewhere.
        """
        found = {path.name: path for path in list_visible(self.folder)}
        for path in found.values():
            if path.is_symlink():
                require_within(self.folder, path)
        return found

    @property
    def weights(self) -> dict[str, str]:
        asked = self.files if self.names is None else self.files.keys() & set(self.names)
        hashes = {name: sha256_file(self.files[name]) for name in sorted(asked) if self.files[name].is_file()}
        listed = "".join(f"{digest}  {name}\n" for name, digest in hashes.items())
        return {"pictures": sha256_bytes(listed.encode())}

    def check(self, names: Collection[str]) -> None:
        missing = [name for name in names if name not in self.files]
        extra = sorted(name for name in self.files.keys() - set(names) if not self._is_picture(name))
        said = [
            f"{len(some)} {kind}, first {some[0]!r}"
            for kind, some in (("missing", missing), ("not asked for", extra))
            if some
        ]
        if said:
            advice = "pass the --limit and --samples-per-item of 'lepbench suite export', see its prompts.csv"
            raise LepbenchError(
                f"{self.folder} does not hold the {len(names)} pictures asked for: {'; '.join(said)}",
                advice if missing else "move what is no picture of this suite elsewhere",
            )
        self._check_pictures(names)

    def _is_picture(self, name: str) -> bool:
        """Whether a file is called as a picture of the suite."""
        found = NAME.fullmatch(name)
        return found is not None and found["item_id"] in self.item_ids

    def _check_pictures(self, names: Collection[str]) -> None:
        """Check every picture at once: a later batch must not stop a run that has begun.

        Raises:
            LepbenchError: one cannot be read, or has another size than most.
        """
        sizes = {name: check_rgb(self.folder / name) for name in names}
        usual = Counter(sizes.values()).most_common(1)[0][0]
        odd = next((name for name in names if sizes[name] != usual), None)
        if odd is not None:
            found, wanted = (format_size(size[::-1]) for size in (sizes[odd], usual))
            raise LepbenchError(
                f"{self.folder / odd} is {found} px and the other pictures {wanted}",
                "draw all at the suite's size",
            )

    def draw(self, requests: Sequence[Request]) -> Tensor:
        return to_channels(np.stack([self._read(request) for request in requests]))

    def _read(self, request: Request) -> Pixels:
        pixels = np.asarray(open_rgb(self.folder / request.name))
        if pixels.shape[:2] != request.sketch.shape:
            found, wanted = (format_size(shape) for shape in (pixels.shape, request.sketch.shape))
            raise LepbenchError(
                f"{self.folder / request.name} is {found} px and the suite {wanted}", "draw at its size"
            )
        return pixels
