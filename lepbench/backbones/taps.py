"""Tap positions of a network, and forward hooks that are removed at the end of a context."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from torch import nn

from lepbench.errors import LepbenchError


class _AllRead(Exception):  # noqa: N818
    """Every tap has been read; nobody outside `tapped` sees it."""


_STEP = re.compile(r"(\w+)((?:\[-?\d+\])*)")


def find_module(root: nn.Module, path: str) -> nn.Module:
    """The module at a path with attributes and indices; indices may be negative.

    Raises:
        LepbenchError: there is none; the message names the path and the part that fails.
    """
    module: Any = root
    for part in path.split("."):
        parsed = _STEP.fullmatch(part)
        try:
            if parsed is None:
                raise AttributeError
            module = getattr(module, parsed[1])
            for index in re.findall(r"-?\d+", parsed[2]):
                module = module[int(index)]
        except (AttributeError, IndexError, TypeError):
            raise LepbenchError(
                f"no tap {path!r} in this network: {part!r} does not exist",
                "name modules of this backbone's network",
            ) from None
    if not isinstance(module, nn.Module):
        raise LepbenchError(
            f"tap {path!r} is not a module of this network", "name a module, not a weight or a list"
        )
    return module


@contextmanager
def collect_taps(network: nn.Module, names: Sequence[str], whole: bool = True) -> Iterator[dict[str, Any]]:
    """Collect the outputs of the named modules while the block runs.

    Args:
        whole: whether a pass runs to its end. If not, the pass is stopped when the last of the
            modules has returned.

    Yields:
        A dict from name to the module's output in the latest forward pass, in the graph if one is being
        recorded. Empty before the first pass.

    Raises:
        LepbenchError: a name does not exist; all hooks are removed in this case too.
    """
    modules = {name: find_module(network, name) for name in names}
    outputs: dict[str, Any] = {}
    enough = None if whole else len(modules)
    handles = [
        module.register_forward_hook(_keeper(outputs, name, enough)) for name, module in modules.items()
    ]
    try:
        yield outputs
    except _AllRead:
        pass
    finally:
        for handle in handles:
            handle.remove()


def _keeper(outputs: dict[str, Any], name: str, enough: int | None) -> Any:
    """A forward hook that stores an output under `name`, and stops the pass after `enough` outputs."""

    def keep(module: nn.Module, inputs: Any, output: Any) -> None:
        outputs[name] = output
        if len(outputs) == enough:
            raise _AllRead

    return keep
