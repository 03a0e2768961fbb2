"""A Python callable as a method: `(prompts, sketches, seeds, size) -> images`, by its module's name."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from types import ModuleType
from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import Field, field_validator
from torch import Tensor

from lepbench.backbones import Backbone
from lepbench.errors import LepbenchError
from lepbench.guidance import SamplerSettings
from lepbench.methods.base import METHODS, Method, MethodConfig, Request
from lepbench.methods.pictures import read_pictures
from lepbench.plugins import import_plugin
from lepbench.submitted import explain_faults, hash_code, hash_file

PythonCallable = Callable[..., Any]
"""`(prompts, sketches, seeds, size) -> pictures`; see `PythonMethod`."""
ARGUMENTS = ("prompts", "sketches", "seeds", "size")
TARGET = re.compile(r"[^:]*[^:\s]:[A-Za-z_][\w.]*")
OPTIONS = "check 'method.options'"


@METHODS.register("python")
class PythonConfig(MethodConfig):
    """The callable and its options. Its code runs only after it is trusted."""

    needs_backbone: ClassVar[bool] = False
    name: Literal["python"] = "python"
    target: str
    """`package.module:factory`, or `file.py:factory`. The factory takes the options and returns a callable
    `(prompts, sketches, seeds, size) -> pictures`; a function of these parameters is the callable itself."""
    options: dict[str, Any] = Field(default_factory=dict)
    """Keyword arguments of the factory, or of the function."""

    @field_validator("target")
    @classmethod
    def _named(cls, target: str) -> str:
        if not TARGET.fullmatch(target):
            raise ValueError(f"{target!r} names no callable; write package.module:name or file.py:name")
        return target

    def build(self, backbone: Backbone | None, sampler: SamplerSettings) -> PythonMethod:
        place, _, name = self.target.rpartition(":")
        module = import_plugin(place, f"method {self.name!r}")
        found = find_callable(module, name)
        if found is None:
            raise LepbenchError(f"{place} has no callable {name!r}", "check 'method.target'")
        # What is found may have been imported from elsewhere, and the module decides what it is called with.
        code = hash_file(module) | hash_code(found)
        return PythonMethod(self.target, call_factory(found, self), code)


def find_callable(module: ModuleType, name: str) -> Any:
    """What a module calls `name`, as `function` or `Class.method`; None for what others defined.

    Only the module's file is trusted: a name must not lead through what it imports to any function there is.
    """
    found: Any = module
    for part in name.split("."):
        found = getattr(found, part, None)
        if inspect.ismodule(found):
            return None
        if inspect.isroutine(found) or inspect.isclass(found):
            found = found if getattr(found, "__module__", None) == module.__name__ else None
    return found if callable(found) else None


@dataclass(frozen=True)
class PythonMethod(Method):
    """Draws by a callable from outside.

    The callable is called with B prompts, their sketches bool [B, H, W], true on a stroke, their seeds and
    the side of the pictures in px. It returns B pictures of that size: a tensor [B, 3, H, W] or an array
    [B, H, W, 3], float in [0, 1] or uint8, or a sequence of PIL images.

    Attributes:
        label: what to call it in an error.
        callable: draws.
        code: SHA-256 of the files that define it, by name.
    """

    label: str
    callable: PythonCallable
    code: dict[str, str] = field(default_factory=dict)

    @property
    def weights(self) -> dict[str, str]:
        return self.code

    def draw(self, requests: Sequence[Request]) -> Tensor:
        sketches = np.stack([request.sketch for request in requests])
        drawn = self.callable(
            [request.prompt for request in requests],
            sketches,
            [request.seed for request in requests],
            int(sketches.shape[1]),
        )
        return read_pictures(drawn, len(requests), self.label)


def call_factory(found: Callable[..., Any], config: PythonConfig) -> PythonCallable:
    """The callable that draws: `found` itself where it has the parameters, or else what it returns.

    Raises:
        LepbenchError: it does not take the options, raises, or returns nothing that can be called.
    """
    try:
        signature = inspect.signature(found)
    except (TypeError, ValueError):
        signature = inspect.Signature()
    draws = tuple(signature.parameters)[: len(ARGUMENTS)] == ARGUMENTS
    with explain_faults(config.target, found, fix=OPTIONS):
        if draws:
            signature.bind(*ARGUMENTS, **config.options)
            return partial(found, **config.options)
        made = found(**config.options)
    if not callable(made):
        raise LepbenchError(
            f"{config.target} returned {type(made).__name__}, which cannot be called",
            f"return a callable ({', '.join(ARGUMENTS)}) -> pictures",
        )
    draw: PythonCallable = made
    return draw


def make_python_config(thing: Any) -> PythonConfig:
    """What a record says of a callable at hand: where it is defined, as far as Python knows."""
    while isinstance(thing, partial):
        thing = thing.func
    named = thing if hasattr(thing, "__qualname__") else type(thing)
    module = getattr(named, "__module__", None) or "__main__"
    name = str(named.__qualname__).replace("<locals>.", "").replace("<", "").replace(">", "")
    return PythonConfig(target=f"{module}:{name}")
