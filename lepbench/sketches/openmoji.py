"""OpenMoji: emoji by designers, each a line drawing, the coloured picture of it, and its name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import ClassVar, Literal, NamedTuple
from xml.etree import ElementTree

from pydantic import Field

from lepbench.errors import LepbenchError
from lepbench.files import as_text
from lepbench.sketches.base import (
    SKETCHES,
    Drawing,
    Fault,
    Name,
    Sketchbook,
    SketchCorpus,
    Unusable,
    read_file,
)
from lepbench.sketches.emoji_names import (
    EmojiName,
    describe_emoji,
    is_held_out,
    rank_variant,
    read_code_points,
)
from lepbench.sketches.openmoji_files import (
    check_libraries,
    check_revision,
    find_installed,
    find_revision,
    list_files,
)

LICENCE = "CC-BY-SA-4.0"
LINES = "line"
"""The group of a file that is the line drawing; the others are colours below and above it."""
TEST_SHARE = 0.25
"""Of the subjects, by default."""
PICTURE_SIDE = 1024
"""Of the coloured picture of a suite's item before it is resized, px."""
OpenMojiSplit = Literal["train", "test", "all"]


@SKETCHES.register("openmoji")
class OpenMoji(SketchCorpus):
    """The SVG files of OpenMoji, named by code points: strokes from the group `line`, the whole as picture.

    Settings: `path`, the folder of the files or OpenMoji's own with `color/svg`, by default that of the
    installed package; `split` by subject: all variants of an emoji, and what is drawn nearly like it, go to
    one side, by a hash of the subject; `test_share` of the subjects; `variants`, whether skin tones, genders
    and colours of one subject are drawn, or its base form alone; `revision` of the files, for the record:
    others are refused where it is given.
    """

    protocol: ClassVar[str] = "lepbench-openmoji-v1"

    name: Literal["openmoji"] = "openmoji"
    path: Path = Field(default_factory=find_installed)
    split: OpenMojiSplit = "test"
    test_share: float = Field(default=TEST_SHARE, gt=0, lt=1)
    variants: bool = False
    revision: str = Field(default_factory=lambda settings: find_revision(settings["path"]))

    def open(self) -> Sketchbook:
        check_libraries()
        check_revision(self.path, self.revision)
        return OpenMojiSketchbook(choose_emoji(self.path, self.split, self.test_share, self.variants))


class OpenMojiSketchbook(Sketchbook):
    """Emoji, with their pictures."""

    licence = LICENCE
    photos = True

    def __init__(self, chosen: list[Emoji]) -> None:
        self.emoji = chosen
        self.count = len(chosen)

    def names(self) -> Iterator[Name]:
        return map(self.name, range(self.count))

    def name(self, number: int) -> Name:
        one = self.emoji[number]
        return Name(one.id, one.about and one.about.label)

    def drawing(self, number: int) -> Drawing:
        one = self.emoji[number]
        content = one.read()
        return replace(read_lines(one, content), photo=render_picture(content, PICTURE_SIDE))


class Emoji(NamedTuple):
    """A file and what is said of it; `about` is None where Unicode has no emoji of that name."""

    path: Path
    about: EmojiName | None

    @property
    def id(self) -> str:
        """The file's name without its suffix."""
        return as_text(self.path.stem)

    @property
    def subject(self) -> str:
        """What is on one side of the split."""
        return self.id if self.about is None else self.about.subject

    def read(self) -> bytes:
        """The file's content.

        Raises:
            Unusable: it cannot be read, or the emoji has no name to prompt with.
        """
        if self.about is None:
            raise Unusable(Fault.NO_LABEL, "no name in Unicode")
        return read_file(self.path)


def choose_emoji(path: Path, split: OpenMojiSplit, test_share: float, variants: bool) -> list[Emoji]:
    """The emoji on one side of the split, by file name.

    Raises:
        LepbenchError: there are none.
    """
    found = [Emoji(file, describe_file(file)) for file in list_files(path)]
    chosen = [one for one in found if split in ("all", side_of(one.subject, test_share))]
    if not variants:
        bases: dict[str, Emoji] = {}
        for one in sorted(chosen, key=rank_emoji):
            bases.setdefault(one.subject, one)
        chosen = [one for one in chosen if bases[one.subject] is one]
    if not chosen:
        raise LepbenchError(f"{path} holds no emoji of split {split!r}", "check the path and the split")
    return chosen


def describe_file(file: Path) -> EmojiName | None:
    """What is said of the emoji in a file named by its code points; None for what is no emoji."""
    try:
        return describe_emoji(read_code_points(file.stem))
    except ValueError:
        return None


def rank_emoji(one: Emoji) -> tuple[bool, int, tuple[int, ...]]:
    """See `rank_variant`; an emoji without a name is its own subject's only one."""
    return (False, 0, ()) if one.about is None else rank_variant(read_code_points(one.id), one.about.label)


def side_of(subject: str, test_share: float) -> OpenMojiSplit:
    """Which side a subject is on."""
    return "test" if is_held_out(subject, test_share) else "train"


def read_lines(one: Emoji, content: bytes) -> Drawing:
    """The line drawing of an emoji.

    Raises:
        Unusable: the file is damaged, or has no line drawing.
    """
    from lepbench.sketches.vector.reading import read_drawing

    found = read_drawing(keep_lines(content))
    about = one.about
    return Drawing(
        one.id,
        about and about.label,
        caption=about and about.caption,
        strokes=found.strokes,
        width=found.width,
        height=found.height,
        unsupported=found.unsupported,
    )


def keep_lines(content: bytes) -> bytes:
    """The document without its other groups than `LINES`.

    Raises:
        Unusable: it is damaged, or has no such group.
    """
    from lepbench.sketches.vector.markup import parse_document, tag_of

    root = parse_document(content)
    layers = [child for child in root if tag_of(child) == "g"]
    if LINES not in [layer.get("id") for layer in layers]:
        raise Unusable(Fault.EMPTY, f"no group {LINES!r}")
    for layer in layers:
        if layer.get("id") != LINES:
            root.remove(layer)
    return ElementTree.tostring(root)


def render_picture(content: bytes, side: int) -> bytes:
    """The whole emoji on white as a square PNG of `side` px.

    Raises:
        Unusable: it cannot be drawn, or shows pictures from elsewhere.
    """
    import resvg_py

    from lepbench.sketches.vector.markup import decode_text, inflate, parse_document, tag_of

    if any(tag_of(element) == "image" for element in parse_document(content).iter()):
        raise Unusable(Fault.BAD_PHOTO, "it shows a picture from elsewhere")
    try:
        return bytes(
            resvg_py.svg_to_bytes(
                svg_string=decode_text(inflate(content)),
                width=side,
                height=side,
                background="white",
                skip_system_fonts=True,
            )
        )
    except ValueError as error:
        raise Unusable(Fault.BAD_PHOTO, str(error)) from error
