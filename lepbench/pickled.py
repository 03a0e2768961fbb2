"""An object on its way to the worker processes that this one begins, with what reading it there needs."""

from __future__ import annotations

import os
import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lepbench.errors import LepbenchError
from lepbench.hub import list_pinned, pin_revisions
from lepbench.plugins import IMPORT, load_plugins
from lepbench.submitted import describe_error
from lepbench.trust import trusting_code


@dataclass(frozen=True)
class Pickled:
    """Written by this process, and read by processes that it began and by no other.

    Attributes:
        content: the object, pickled.
        imports: `$LEPBENCH_IMPORT`, which it may need to be read.
        place: the working folder, to which relative paths are meant.
        pinned: the commits of models of the hub, by `owner/name`.
        trusts: whether code may run that has not run before.
    """

    content: bytes
    imports: str
    place: str
    pinned: dict[str, str]
    trusts: bool

    @contextmanager
    def read(self) -> Iterator[Any]:
        """A block in a worker with the object, under the terms of the process that sent it.

        Raises:
            LepbenchError: code that it needs is not here, or not trusted.
        """
        if Path(self.place).is_dir():
            os.chdir(self.place)
        if self.imports:
            os.environ[IMPORT] = self.imports
        with trusting_code(self.trusts), pin_revisions(self.pinned):
            load_plugins()
            yield pickle.loads(self.content)


def pickle_for_workers(thing: Any, trusts: bool) -> Pickled:
    """An object for the workers that this process begins.

    Raises:
        LepbenchError: it cannot be sent, as a function of a notebook cannot.
    """
    try:
        content = pickle.dumps(thing)
    except Exception as error:  # whatever an object from outside does when it is pickled
        said = f"the work cannot be sent to other processes: {describe_error(error)}"
        raise LepbenchError(said, "take engine 'here'") from error
    return Pickled(content, os.environ.get(IMPORT, ""), str(Path.cwd()), pinned=list_pinned(), trusts=trusts)
