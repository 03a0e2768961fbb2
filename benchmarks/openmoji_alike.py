"""Which subjects of OpenMoji are drawn nearly alike, and how alike drawings on both sides of the split are.

    python benchmarks/openmoji_alike.py [--write] [--pairs N] [--test-share X]

Line drawings are rendered by resvg at 128 px and compared, each mirrored and turned in eight ways, by
intersection over union. Subjects with a pair above 0.55 are one group; --write puts the groups into
`lepbench/sketches/openmoji_alike.txt`, by which the split keeps a group on one side. It prints the counts of
both sides and the most alike pairs across them. Takes about a minute.
"""

from __future__ import annotations

import argparse
import io
from collections import defaultdict
from itertools import product

import numpy as np
import resvg_py
from numpy.typing import NDArray
from PIL import Image
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from lepbench.sketches import OpenMoji, Unusable
from lepbench.sketches.emoji_names import ALIKE, is_held_out, load_alike
from lepbench.sketches.openmoji import TEST_SHARE, Emoji, choose_emoji, keep_lines

SIDE = 128
BOUND = 0.55
"""Intersection over union above which two drawings are nearly the same."""


def render_lines(content: bytes) -> NDArray[np.bool_]:
    """Ink of a line drawing, bool [SIDE, SIDE]."""
    text = keep_lines(content).decode()
    png = bytes(resvg_py.svg_to_bytes(svg_string=text, width=SIDE, height=SIDE, skip_system_fonts=True))
    with Image.open(io.BytesIO(png)) as image:
        return np.asarray(image.convert("RGBA"))[..., 3] > 127


def read_inks() -> tuple[list[Emoji], NDArray[np.bool_]]:
    """The emoji with a name and a line drawing, and its ink, bool [N, SIDE, SIDE]."""
    kept, inks = [], []
    for one in choose_emoji(OpenMoji().path, "all", TEST_SHARE, variants=True):
        try:
            ink = render_lines(one.read())
        except Unusable:
            continue
        if ink.any():
            kept.append(one)
            inks.append(ink)
    return kept, np.stack(inks)


def measure_likeness(inks: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Intersection over union of every pair, the largest of eight ways to lay one on the other, [N, N]."""
    # Skin tones of one emoji often have the very same lines: they are compared once.
    kinds, number = np.unique(inks.reshape(len(inks), -1), axis=0, return_inverse=True)
    flat, some = kinds.astype(np.float32), kinds.reshape(-1, *inks.shape[1:])
    areas = flat.sum(axis=1)
    total, best = areas[:, None] + areas[None], np.zeros((len(kinds), len(kinds)), np.float32)
    for turns, mirrored in product(range(4), (False, True)):
        turned = np.rot90(some[:, :, ::-1] if mirrored else some, turns, axes=(1, 2))
        common = flat @ turned.reshape(len(kinds), -1).astype(np.float32).T
        np.maximum(best, common / (total - common), out=best)
    return best[np.ix_(number, number)]


def group_subjects(subjects: list[str], likeness: NDArray[np.float32]) -> list[list[str]]:
    """Groups of at least two subjects that pairs above `BOUND` join, in order."""
    names, number = np.unique(subjects, return_inverse=True)
    rows, columns = np.nonzero(likeness > BOUND)
    joined = coo_matrix((np.ones(len(rows)), (number[rows], number[columns])), shape=(len(names),) * 2)
    groups = defaultdict(list)
    for name, group in zip(names.tolist(), connected_components(joined, directed=False)[1], strict=True):
        groups[group].append(name)
    return sorted(group for group in groups.values() if len(group) > 1)


def describe_split(emoji: list[Emoji], likeness: NDArray[np.float32], share: float, pairs: int) -> None:
    """Print the counts of both sides, and the most alike pairs across them."""
    held = np.array([is_held_out(one.subject, share) for one in emoji])
    for side, chosen in (("train", ~held), ("test", held)):
        some = {one.subject for one, inside in zip(emoji, chosen, strict=True) if inside}
        groups = {load_alike().get(subject, subject) for subject in some}
        print(f"{side}: {chosen.sum()} drawings, {len(some)} subjects, {len(groups)} groups")
    across = likeness[np.ix_(held, ~held)]
    print(f"nearest on the other side, mean over test: {across.max(axis=1).mean():.3f}")
    test, train = np.flatnonzero(held), np.flatnonzero(~held)
    for place in np.argsort(across, axis=None)[::-1][:pairs]:
        row, column = np.unravel_index(place, across.shape)
        one, other = emoji[test[row]], emoji[train[column]]
        print(f"{across[row, column]:.3f} {one.id} {one.subject} | {other.id} {other.subject}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--pairs", type=int, default=20)
    parser.add_argument("--test-share", type=float, default=TEST_SHARE)
    given = parser.parse_args()
    emoji, inks = read_inks()
    likeness = measure_likeness(inks)
    if given.write:
        groups = group_subjects([one.subject for one in emoji], likeness)
        ALIKE.write_text("".join(f"{'; '.join(group)}\n" for group in groups), encoding="utf-8")
        load_alike.cache_clear()
    describe_split(emoji, likeness, given.test_share, given.pairs)


if __name__ == "__main__":
    main()
