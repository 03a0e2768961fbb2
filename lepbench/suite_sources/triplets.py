"""Suites of photographs: pictures, captions and edge maps of a set that `build-data` made."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Literal

import numpy as np
from PIL import Image
from pydantic import Field

from lepbench.data.config import choose_detector_device
from lepbench.data.corpus import Reason
from lepbench.data.excluded import read_excluded
from lepbench.data.manifest import Manifest, load_manifest
from lepbench.data.read import Triplets
from lepbench.data.sources.folder import spell_words
from lepbench.detectors import AnyDetector, identify_detector
from lepbench.images import Pixels, encode_png, read_pixels, square
from lepbench.sketches import Fault, Name, Unusable
from lepbench.suite_sources.base import (
    DRAWINGS,
    PHOTOGRAPHS,
    SUITE_SOURCES,
    Candidate,
    Candidates,
    SuiteItem,
    SuiteSource,
    order_names,
)
from lepbench.suite_sources.catalogue import Caption, Catalogue, choose_rows, read_catalogue
from lepbench.suite_sources.drawings import make_file_name
from lepbench.suite_sources.maps import Maps, plan_maps
from lepbench.suite_sources.seen import Picture, SeenPictures


@SUITE_SOURCES.register("triplets")
class TripletsSource(SuiteSource):
    """A set that `lepbench build-data` made: its pictures, captions and edge maps.

    Settings: `path`; `size` in px, the set's unless given: at another one pictures are resized, and maps
    are made anew by the set's detector; `detector`, by which maps are made anew; `device`, where: cpu, cuda,
    or auto for cuda if available and the detector is a network; `exclude`, built sets, suites and folders
    whose pictures are left out; `distance`, bits of 64 by which the perceptual hashes of
    pictures that are taken for the same may differ; `duplicates`, "near": pictures that look alike come
    once, or "exact": only an original with the same caption does; `caption` of a picture with several rows:
    "first", "longest", a number from 1, or "all", an item each; `label`, what says the class: nothing
    ("none"), or the "folder" in a row's id.
    """

    name: Literal["triplets"] = "triplets"
    path: Path
    size: int | None = Field(default=None, ge=16, le=4096)
    detector: AnyDetector | None = None
    device: Literal["auto", "cpu", "cuda"] = "cpu"
    exclude: tuple[Path, ...] = ()
    distance: int = Field(default=4, ge=0, le=16)
    duplicates: Literal["exact", "near"] = "near"
    caption: Caption | Annotated[int, Field(ge=1)] = "first"
    label: Literal["none", "folder"] = "none"

    def open(self) -> Candidates:
        manifest = load_manifest(self.path)
        return TripletCandidates(self, manifest, Triplets(self.path, manifest))


class TripletCandidates(Candidates):
    """The pictures of a built set, each with the caption that was chosen."""

    def __init__(self, source: TripletsSource, manifest: Manifest, triplets: Triplets) -> None:
        self.source, self.triplets = source, triplets
        self.maps: Maps = plan_maps(manifest.recipe, source.size, source.detector, str(source.path))
        self.device = choose_detector_device(source.device, self.maps.detector)
        self.catalogue: Catalogue = read_catalogue(source.path / shard.file for shard in manifest.shards)
        self.rows = choose_rows(self.catalogue, source.caption)
        self.count = len(self.rows)
        excluded = [read_excluded(place) for place in source.exclude]
        self.seen = SeenPictures(excluded, source.distance, near=source.duplicates == "near")
        self.size, self.detector, self.edges = self.maps.size, self.maps.detector, self.maps.edges
        self.protocol = PHOTOGRAPHS if self.edges else DRAWINGS
        self.licence = self.catalogue.licence
        self.corpus = f"triplets {manifest.recipe.split}"
        self.settings = self._describe_settings(manifest)
        kind = f"their maps by {identify_detector(self.detector)}" if self.edges else "drawings of them"
        self.description = (
            f"Pictures of a built set with their captions and {kind}, in the order of a hash of their ids."
        )

    def queues(self) -> Iterator[Iterable[Candidate]]:
        names = [Name(self.catalogue.name(row), self._label(row)) for row in self.rows]
        for queue in order_names(names, self.source.seed):
            yield (self._candidate(self.rows[number]) for number in queue)

    def _candidate(self, row: int) -> Candidate:
        return Candidate(partial(self.catalogue.name, row), partial(self._make, row))

    def _make(self, row: int) -> SuiteItem:
        stored = self.triplets.row(row)
        if not stored["text"].strip():
            raise Unusable(Reason.EMPTY_CAPTION)
        if self.source.label == "folder" and self._label(row) is None:
            raise Unusable(Fault.NO_LABEL, "no folder is in its id")
        pixels = read_pixels(stored["image"]["bytes"])
        item = self._make_row(row, stored, pixels)
        picture = Picture(
            id=stored["id"],
            text=stored["text"],
            original=int(self.catalogue.originals[row]),
            look=int(self.catalogue.looks[row]),
            pixels=pixels,
        )
        self.seen.admit(picture)
        return SuiteItem(item)

    def _make_row(self, row: int, stored: dict[str, Any], pixels: Pixels) -> dict[str, Any]:
        """An item of a stored row, whose picture is decoded."""
        content, sketch = stored["image"]["bytes"], stored["conditioning_image"]["bytes"]
        if pixels.shape != (self.size, self.size, 3):
            pixels = np.asarray(square(Image.fromarray(pixels), self.size))
            content = encode_png(pixels)
        anew = self.maps.anew
        edges = self.detector.of_pixels(pixels[None], self.device)[0] if anew else read_pixels(sketch)
        if not edges.any():
            raise Unusable(Reason.FEW_EDGES, "none at all")
        return {
            "item_id": make_file_name(stored["id"]),
            "prompt": stored["text"],
            "image": content,
            "sketch": encode_png(edges) if anew else sketch,
            "label": self._label(row),
            "licence": self.catalogue.licence_of(row),
        }

    def _label(self, row: int) -> str | None:
        """The class of a row: the words of the last folder in its id."""
        folder = PurePosixPath(self.catalogue.name(row)).parent.name
        return spell_words(folder) or None if self.source.label == "folder" else None

    def _describe_settings(self, manifest: Manifest) -> dict[str, Any]:
        """What decides the choice; sets by their names and hashes."""
        return {
            "dataset": manifest.sha256,
            "source": manifest.recipe.source,
            "caption": self.source.caption,
            "label": self.source.label,
            "distance": self.source.distance,
            "duplicates": self.source.duplicates,
            "exclude": self.seen.describe(),
        }
