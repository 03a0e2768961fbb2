"""Folders of SVG files, one subfolder per class, the layout of TU-Berlin and Sketchy."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from lepbench.errors import LepbenchError
from lepbench.files import as_text, is_hidden
from lepbench.sketches.base import SKETCHES, Drawing, Name, Sketchbook, SketchCorpus, read_file

SUFFIXES = (".svg", ".svgz")
LIBRARIES = ("cssselect2", "defusedxml", "svgelements", "tinycss2")
Label = Literal["folder", "file"]


@SKETCHES.register("svg")
class Svg(SketchCorpus):
    """SVG files; a stroke is a line, or the edge of an area, that a browser would show, in file order.

    Settings: `path`; `label`, what says the class: the "folder" that a file is in, `CLASS/*.svg`, or the name
    of the "file", anywhere below `path`; `licence` of the drawings, for the record.
    """

    name: Literal["svg"] = "svg"
    label: Label = "folder"
    licence: str = "unknown"

    def open(self) -> Sketchbook:
        check_libraries()
        files = find_drawings(self.path, "**/*" if self.label == "file" else "*/*")
        if not files:
            raise LepbenchError(f"{self.path} holds no {self._layout()}", self._advise())
        return SvgSketchbook(self.path, files, self.label, self.licence)

    def _layout(self) -> str:
        return "*.svg" if self.label == "file" else "CLASS/*.svg"

    def _advise(self) -> str:
        if self.label == "folder" and find_drawings(self.path, "*"):
            return "its own files have no class: --set label=file takes it from their names"
        return "give the folder of the classes' folders" if self.label == "folder" else "check the path"


class SvgSketchbook(Sketchbook):
    """The files of an `Svg`."""

    def __init__(self, folder: Path, files: list[Path], label: Label, licence: str) -> None:
        self.folder, self.files, self.label, self.licence = folder, files, label, licence
        self.count = len(files)

    def names(self) -> Iterator[Name]:
        return map(self._name, self.files)

    def name(self, number: int) -> Name:
        return self._name(self.files[number])

    def drawing(self, number: int) -> Drawing:
        from lepbench.sketches.vector.reading import read_drawing

        file = self.files[number]
        found = read_drawing(read_file(self.folder / file))
        return Drawing(
            *self._name(file),
            caption=None,
            strokes=found.strokes,
            width=found.width,
            height=found.height,
            unsupported=found.unsupported,
        )

    def _name(self, file: Path) -> Name:
        label = as_text(file.parent.name if self.label == "folder" else file.stem)
        words = (
            label.replace("_", " ") if self.label == "folder" else label.replace("_", " ").replace("-", " ")
        )
        return Name(as_text(file.with_suffix("").as_posix()), words)


def find_drawings(folder: Path, pattern: str) -> list[Path]:
    """The SVG files that a pattern finds, relative to the folder, in order; hidden files are passed over."""
    found = (path.relative_to(folder) for path in folder.glob(pattern) if path.suffix.lower() in SUFFIXES)
    return sorted(path for path in found if not is_hidden(path.as_posix()))


def check_libraries() -> None:
    """See that what reads SVG is there.

    Raises:
        LepbenchError: a library is not installed.
    """
    missing = [name for name in LIBRARIES if find_spec(name) is None]
    if missing:
        raise LepbenchError(f"SVG files need {', '.join(missing)}", "pip install 'lepbench[sketches]'")
