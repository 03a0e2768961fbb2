"""A picture of one request as pixels, with the edges that the method predicted."""

from __future__ import annotations

from typing import NamedTuple

from lepbench.images import Pixels, to_pixels
from lepbench.methods.base import Method, Request
from lepbench.progress import Progress, ignore_progress


class DrawnPicture(NamedTuple):
    """What was drawn for a request.

    Attributes:
        picture: uint8 [H, W, 3].
        edges: predicted at the last guided step, dark on light, uint8 [H, W, 3]; None where none are.
    """

    picture: Pixels
    edges: Pixels | None


def draw_request(method: Method, request: Request, progress: Progress = ignore_progress) -> DrawnPicture:
    """Draw one picture.

    Args:
        progress: called with (stage, done, total), as by `Method.draw_with_edges`.
    """
    drawn = method.draw_with_edges([request], progress)
    edges = None if drawn.edges is None else to_pixels(1 - drawn.edges())[0]
    return DrawnPicture(to_pixels(drawn.pictures)[0], edges)
