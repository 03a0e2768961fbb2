"""How many threads the libraries beneath compute in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


def set_one_thread() -> None:
    """Compute in one thread from now on: workers by the dozen would only take turns in theirs."""
    _set_threads(1, 1)


def count_threads() -> int:
    """In how many threads networks compute here."""
    import torch

    return torch.get_num_threads()


@contextmanager
def use_threads(number: int) -> Iterator[None]:
    """A block in so many threads, the same wherever it runs: networks round differently in more or fewer."""
    import cv2
    import torch

    before = torch.get_num_threads(), cv2.getNumThreads()
    _set_threads(number, number)
    try:
        yield
    finally:
        _set_threads(*before)


def _set_threads(of_torch: int, of_opencv: int) -> None:
    import cv2
    import torch

    torch.set_num_threads(of_torch)
    cv2.setNumThreads(of_opencv)
