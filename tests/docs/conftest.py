"""What the guides' tests share: a process that runs their commands, and the blocks of pages."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from guide_driver import Driver, start_driver


@pytest.fixture(scope="session")
def driver() -> Iterator[Driver]:
    """Imports the libraries once for all guides."""
    with start_driver() as started:
        yield started
