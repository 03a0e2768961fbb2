"""Which edge maps a suite of a built set holds: those that were built, or new ones."""

from __future__ import annotations

from typing import NamedTuple

from lepbench.data.manifest import BuildRecipe
from lepbench.detectors import Canny, Detector, identify_detector, restore_detector
from lepbench.errors import LepbenchError


class Maps(NamedTuple):
    """The sketches of a suite.

    Attributes:
        size: of pictures and sketches, px.
        detector: whose map of a sample is held against a sketch.
        anew: whether it makes the sketches; they are those of the set if not.
        edges: whether the sketches are its maps of the pictures.
    """

    size: int
    detector: Detector
    anew: bool
    edges: bool = True


def plan_maps(recipe: BuildRecipe, size: int | None, detector: Detector | None, place: str) -> Maps:
    """The maps of a suite of a set: never resized, but made anew at another size.

    Args:
        size: of the suite, px; the set's unless given.
        detector: by which maps are made anew; the set's unless given.
        place: what an error calls the set.

    Raises:
        LepbenchError: the set's pictures have many sizes and none is given, its detector is not here, or its
            sketches are people's drawings and would have to be resized.
    """
    wanted = size or recipe.size
    if wanted is None:
        raise LepbenchError(f"{place} holds pictures of many sizes", "give --size")
    if detector is not None:
        same = recipe.edges == "binary" and identify_detector(detector) == recipe.detector
        return Maps(wanted, detector, anew=not same or wanted != recipe.size)
    if recipe.edges == "drawn":
        if wanted != recipe.size:
            raise LepbenchError(
                f"{place} holds people's drawings at {recipe.size} px, which are not resized",
                "leave out --size, or give --detector for edge maps",
            )
        return Maps(wanted, Canny(), anew=False, edges=False)
    try:
        found = restore_detector(recipe.detector)
    except LepbenchError as error:
        raise LepbenchError(f"{place}: {error}", "give --detector for other maps") from error
    # A map of strengths is rounded; its detector gives the exact one.
    return Maps(wanted, found, anew=wanted != recipe.size or recipe.edges == "soft")
