"""FS-COCO: free-hand scene sketches with the photograph they show and the drawer's caption."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from lepbench.errors import LepbenchError
from lepbench.files import as_text, is_hidden
from lepbench.images import open_rgb
from lepbench.seeds import derive_seed
from lepbench.sketches.base import (
    LARGEST,
    SKETCHES,
    Drawing,
    Fault,
    Name,
    Sketchbook,
    SketchCorpus,
    Unusable,
    read_file,
)
from lepbench.strokes import Points

LICENCE = "CC-BY-NC-4.0"
STROKES = ("vector_sketches", "raw_data")
"""Folders that the strokes may lie in."""
GOES_ON, LIFTED, ENDED = 0, 1, 2
"""What the pen does after a point."""
FsCocoSplit = Literal["train", "test", "all"]


class FsCocoScene(NamedTuple):
    """The three files of one sketch, and whose it is."""

    user: str
    id: str
    photo: Path
    strokes: Path
    text: Path


@SKETCHES.register("fscoco")
class FsCocoCorpus(SketchCorpus):
    """`images/USER/ID.jpg`, `vector_sketches/USER/ID.npy` (or `raw_data`), `text/USER/ID.txt` below `path`.

    Settings: `split` by user: whole users go to one side, by a hash of their name; `test_share` of the users;
    `canvas`, width and height that the strokes were drawn in, stretched over the photograph; None where they
    are its pixels.
    """

    name: Literal["fscoco"] = "fscoco"
    split: FsCocoSplit = "test"
    test_share: float = Field(default=0.2, gt=0, lt=1)
    canvas: tuple[float, float] | None = None

    def open(self) -> Sketchbook:
        return FsCocoSketchbook(scenes(self.path, self.split, self.test_share), self.canvas)


class FsCocoSketchbook(Sketchbook):
    """The sketches of one side of the split."""

    licence = LICENCE
    photos = True

    def __init__(self, found: list[FsCocoScene], canvas: tuple[float, float] | None) -> None:
        self.scenes, self.canvas = found, canvas
        self.count = len(found)

    def names(self) -> Iterator[Name]:
        return map(self.name, range(self.count))

    def name(self, number: int) -> Name:
        scene = self.scenes[number]
        return Name(f"{scene.user}/{scene.id}", None)

    def drawing(self, number: int) -> Drawing:
        scene = self.scenes[number]
        photo = read_file(scene.photo)
        try:
            width, height = open_rgb(photo, scene.photo.name).size
        except LepbenchError as error:
            raise Unusable(Fault.BAD_PHOTO, str(error)) from error
        strokes = tuple(lines_of(scene, self.canvas, width, height))
        name = f"{scene.user}/{scene.id}"
        return Drawing(
            name,
            None,
            caption=caption_of(scene),
            strokes=strokes,
            width=width,
            height=height,
            photo=photo,
            user=scene.user,
        )


def lines_of(scene: FsCocoScene, canvas: tuple[float, float] | None, width: int, height: int) -> list[Points]:
    """The strokes of a scene in the pixels of its photograph of that size.

    Raises:
        Unusable: their file is missing or damaged.
    """
    scale = np.divide((width, height), canvas or (width, height))
    return [line * scale for line in split_strokes(load_points(scene.strokes))]


def scenes(folder: Path, split: FsCocoSplit, test_share: float) -> list[FsCocoScene]:
    """Every sketch of one side of the split, by user and id.

    Raises:
        LepbenchError: the folder has not this layout, or no user is on that side.
    """
    root = next((folder / name for name in STROKES if (folder / name).is_dir()), None)
    if root is None:
        raise LepbenchError(f"{folder} holds neither {' nor '.join(STROKES)}", "give FS-COCO's own folder")
    found = [
        _scene(folder, path)
        for path in sorted(root.glob("*/*.npy"))
        if not is_hidden(path.relative_to(root).as_posix())
        and split in ("all", side_of(as_text(path.parent.name), test_share))
    ]
    if not found:
        raise LepbenchError(f"{root} holds no USER/ID.npy of split {split!r}", "check the path and the split")
    return found


def side_of(user: str, test_share: float) -> FsCocoSplit:
    """Which side a user is on: the same wherever and whenever it is asked, whoever else there is."""
    return "test" if derive_seed("fscoco", user) < test_share * 2**63 else "train"


def caption_of(scene: FsCocoScene) -> str:
    """The caption in one line.

    Raises:
        Unusable: there is none, or it is no text.
    """
    try:
        caption = " ".join(read_file(scene.text).decode("utf-8-sig").split())
    except UnicodeDecodeError as error:
        raise Unusable(Fault.NO_LABEL, "its caption is not UTF-8") from error
    if not caption:
        raise Unusable(Fault.NO_LABEL, "its caption is empty")
    return caption


def load_points(path: Path) -> NDArray[np.float64]:
    """The points of a `.npy` file, [N, 3] as x, y and what the pen does next; nothing is unpickled.

    Raises:
        Unusable: it is something else, or too large.
    """
    try:
        # A memory map holds the header's shape against the size of the file before it takes any memory.
        with warnings.catch_warnings(action="ignore"):  # of headers of an earlier Python
            points = np.lib.format.open_memmap(path, mode="r")
    except FileNotFoundError as error:
        raise Unusable(Fault.UNREADABLE, f"{path.name} is missing") from error
    except Exception as error:  # its header is Python source, which fails in as many ways
        said = re.sub(r" <.* object at \w+>", "", str(error))
        raise Unusable(Fault.DAMAGED, f"{path.name}: {said}") from error
    if points.ndim != 2 or points.shape[1] != 3 or points.dtype.kind not in "iuf":
        raise Unusable(Fault.DAMAGED, f"{path.name} holds {points.dtype} {points.shape}, not numbers [N, 3]")
    if points.nbytes > LARGEST:
        raise Unusable(Fault.TOO_LARGE, f"{path.name} has more than {LARGEST} bytes")
    return np.array(points, np.float64)


def split_strokes(points: NDArray[np.float64]) -> list[Points]:
    """Strokes of points [N, 3]: one ends after a point where the pen is lifted, all at the drawing's end.

    Raises:
        Unusable: the pen does something that is not known.
    """
    pen = points[:, 2]
    if not np.isin(pen, (GOES_ON, LIFTED, ENDED)).all():
        raise Unusable(Fault.DAMAGED, "a pen state other than 0, 1 and 2")
    ended = np.flatnonzero(pen == ENDED)
    drawn = points[: ended[0] + 1] if len(ended) else points
    strokes = np.split(drawn[:, :2], np.flatnonzero(drawn[:, 2] == LIFTED) + 1)
    return [stroke for stroke in strokes if len(stroke)]


def _scene(folder: Path, strokes: Path) -> FsCocoScene:
    user, name = strokes.parent.name, strokes.stem
    photo, text = folder / "images" / user / f"{name}.jpg", folder / "text" / user / f"{name}.txt"
    return FsCocoScene(as_text(user), as_text(name), photo=photo, strokes=strokes, text=text)
