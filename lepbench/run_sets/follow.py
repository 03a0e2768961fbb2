"""How a set shows what it does."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

from lepbench.progress import Progress

Follow = Callable[[str], AbstractContextManager[Progress]]
"""Called with a line on the suite or run that begins; a block in which its progress is shown."""
