"""What the cells of a board can say beside figures: whose pictures they are, how drawn, how far checked."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from lepbench.embedded import is_embedded
from lepbench.errors import LepbenchError
from lepbench.evaluation.verification_levels import REDRAWN, SELF_REPORTED
from lepbench.hub import HUB_ID
from lepbench.publishing.board_lines import FIX, LEVEL, BoardLine
from lepbench.version import is_version

FOLDER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
FIGURES, ELSEWHERE, CODE = "figures on ", "pictures drawn elsewhere", "code of the submitter: "
LOCAL = "./"
"""What begins the name of a backbone that is a folder: no hub id does."""
UNCHECKED = "the backbone by the submitter's word"
"""Of weights that do not ship and that nothing was drawn with here."""
TEXTS = ("model", "backbone", "method", "sampler", "label", "lepbench")
LONGEST = 2000
MARKUP = re.compile(r"[<>|`]")
"""Characters that a page of HTML or Markdown reads as its own."""
METHOD = re.compile(r"[A-Za-z0-9_-]{1,100}(\(.+\))?")
SAMPLER = re.compile(
    r"[a-z0-9_-]{1,40}(, [a-z]{1,20} timesteps)?, [1-9][0-9]{0,4} steps, guidance [0-9.e+-]{1,12}"
    r"(, to [0-9.e+-]{1,12} T)?(, every [1-9][0-9]{0,3} steps)?"
)
"""As `ReferenceModel.describe_sampler` writes it."""
CODE_NAMES = re.compile(r"[A-Za-z_][\w.]*(, [A-Za-z_][\w.]*)*")
OUTSIDE = ("precomputed", "python")
"""Methods whose pictures lepbench cannot draw anew."""


def check_texts(where: str, line: BoardLine) -> None:
    """Refuse texts that no run has.

    Args:
        where: the line is, for errors.

    Raises:
        LepbenchError: one is not plain, has not its form, or does not agree with another.
    """
    for what in (*_find_odd(line), *_find_formless(line), *_find_contradictions(line)):
        raise LepbenchError(f"{where} has {what}", FIX)


def _find_odd(line: BoardLine) -> Iterator[str]:
    """Texts that a reader sees otherwise than they are, or a page takes for its own."""
    for name in TEXTS:
        text = line.get(name, "")
        shown = ascii(text[:80])
        if not text.isprintable() or unicodedata.normalize("NFKC", text) != text:
            yield f"{name} {shown}, with characters that are not what they look like"
        if text != text.strip() or len(text) > LONGEST or MARKUP.search(text):
            yield f"{name} {shown}, no plain text of a line"


def _find_formless(line: BoardLine) -> Iterator[str]:
    backbone, method, sampler = (line.get(name, "") for name in ("backbone", "method", "sampler"))
    if backbone and not is_name(backbone):
        yield f"backbone {backbone[:80]!r}, no embedded name, hub id or {LOCAL}FOLDER"
    if not METHOD.fullmatch(method):
        yield f"method {method[:80]!r}, no method with its settings"
    if bool(sampler) != bool(backbone) or (sampler and not SAMPLER.fullmatch(sampler)):
        yield f"sampler {sampler[:80]!r}, no sampler with its settings"
    if not is_version(line.get("lepbench", "")):
        yield f"lepbench {line.get('lepbench', '')[:80]!r}, no version up to this one"


def is_name(backbone: str) -> bool:
    """Whether a text is what a board can call a backbone."""
    local = backbone.startswith(LOCAL) and FOLDER.fullmatch(backbone.removeprefix(LOCAL))
    return bool(is_embedded(backbone) or HUB_ID.fullmatch(backbone) or local)


def _find_contradictions(line: BoardLine) -> Iterator[str]:
    """A label or a level that is not that of such pictures."""
    backbone, label, level = line.get("backbone", ""), line["label"], line.get(LEVEL, SELF_REPORTED)
    outside = not backbone or line.get("method", "").partition("(")[0] in OUTSIDE
    if outside and level != SELF_REPORTED:
        yield f"level {level}, of pictures that were drawn elsewhere"
    origin, *rest = label.split("; ")
    if origin != (f"{FIGURES}{backbone}" if backbone else ELSEWHERE):
        yield f"label {origin[:80]!r} of backbone {backbone[:80]!r}"
    if rest and rest[0].startswith(CODE) and CODE_NAMES.fullmatch(rest[0].removeprefix(CODE)):
        rest = rest[1:]
    checked = not backbone or is_embedded(backbone) or level == REDRAWN
    if rest != ([] if checked else [UNCHECKED]):
        said = "without" if not checked else "with more than"
        yield f"label {label[:80]!r}, {said} what {level} lines say of their backbone"
