"""A model under evaluation, however it is given."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from lepbench.backbones.resolve import INDEX, name_model
from lepbench.config import load_config, parse_config
from lepbench.embedded import is_embedded
from lepbench.errors import LepbenchError
from lepbench.evaluation.layout import RECORD
from lepbench.methods import METHODS, Method, MethodConfig, ModelConfig
from lepbench.methods.precomputed import Precomputed, PrecomputedConfig
from lepbench.methods.python import ARGUMENTS, PythonMethod, make_python_config
from lepbench.methods.unguided import Unguided, UnguidedConfig
from lepbench.registry import suggest_entry
from lepbench.submitted import UNKNOWN, find_module, hash_code, hash_module, is_ours

ModelLike = str | Path | Mapping[str, Any] | ModelConfig | MethodConfig | Method | Callable[..., Any]
"""A YAML file, its content, a configuration, the name of a method, or a method at hand."""


class Model(NamedTuple):
    """A configuration, and the method at hand that draws instead of the one it would build.

    `stateful` where the method may hold what its source does not tell: a closure, arguments, a notebook.
    """

    config: ModelConfig
    method: Method | None = None
    stateful: bool = False


def read_model(model: ModelLike, name: str | None = None) -> Model:
    """The model that is given.

    Args:
        model: a path of a YAML file; a mapping of its keys; a `ModelConfig`; a method's configuration or its
            name, with the default backbone; a `Method`; or a callable
            `(prompts, sketches, seeds, size) -> pictures` (see `PythonMethod`).
        name: in tables; the one in the file, or that of the method or callable, unless given.

    Raises:
        LepbenchError: it is none of these, or a key does not fit.
    """
    if isinstance(model, str | Path):
        return Model(_rename(_read_named(model), name))
    if isinstance(model, Mapping):
        document = {"name": name, **model} if name is not None and "name" not in model else dict(model)
        return Model(_rename(parse_config(document, ModelConfig, "model"), name))
    if isinstance(model, ModelConfig):
        return Model(_rename(model, name))
    if isinstance(model, MethodConfig):
        return Model(ModelConfig(name=name or model.name, method=model))
    if isinstance(model, Method) and is_ours(model):
        return Model(_rename(describe_method(model), name))
    if isinstance(model, Method):
        return _take(model, type(model), name, model)
    if callable(model) and not isinstance(model, type):
        _check_callable(model)
        config = make_python_config(model)
        return _take(model, model, name, PythonMethod(config.target, model, hash_code(model)))
    named = f"the class {model.__name__}" if isinstance(model, type) else type(model).__name__
    raise LepbenchError(
        f"{named} is no model",
        "give a YAML file, a dict, a configuration, a method, or a callable "
        "(prompts, sketches, seeds, size) -> pictures",
    )


def describe_method(method: Method) -> ModelConfig:
    """The configuration that builds a method of lepbench as it is.

    Raises:
        LepbenchError: none does: its predictor was not loaded from a folder, or it draws by a callable.
    """
    fix = "give its configuration, or a callable"
    config = UnguidedConfig() if isinstance(method, Unguided) else getattr(method, "config", None)
    if isinstance(method, Precomputed):
        config = PrecomputedConfig(folder=method.folder)
    if not isinstance(config, MethodConfig):
        raise LepbenchError(f"{type(method).__name__} has no configuration that a record could hold", fix)
    predictor = getattr(method, "predictor", None)
    if predictor is not None:
        if predictor.folder is None:
            raise LepbenchError("the method's predictor was not loaded from a folder", "save it, and load it")
        config = config.model_copy(update={"predictor": name_model(predictor.folder)})
    if not config.needs_backbone:
        return ModelConfig(name=config.name, method=config)
    own: Any = method
    return ModelConfig(name=config.name, backbone=own.backbone.name, sampler=own.sampler, method=config)


def is_stateless(thing: Any) -> bool:
    """Whether all that a function does follows from the file that defines it: no closure, no notebook."""
    plain = inspect.isfunction(thing) and thing.__closure__ is None and "<locals>" not in thing.__qualname__
    return plain and UNKNOWN not in hash_module(find_module(thing)).values()


def _read_named(model: str | Path) -> ModelConfig:
    path = Path(model)
    if path.is_file() or path.suffix in (".yaml", ".yml"):
        return load_config(path, ModelConfig)
    if str(model) in METHODS:
        return parse_config({"name": str(model), "method": str(model)}, ModelConfig, str(model))
    if (path / RECORD).is_file():
        raise LepbenchError(f"{path} is a run that is done", f"write load_record({str(path)!r})")
    if (path / INDEX).is_file() or is_embedded(model):
        raise LepbenchError(
            f"{str(model)!r} is a backbone, which a method draws with",
            f"""write {{"name": "mine", "backbone": {str(model)!r}, "method": "unguided"}}""",
        )
    raise LepbenchError(
        f"{str(model)!r} is no file, and no method",
        f"give a YAML file, or a method; {suggest_entry(str(model), METHODS)}",
    )


def _check_callable(model: Callable[..., Any]) -> None:
    """Refuse what cannot be called as a method is, before a picture is asked for.

    Raises:
        LepbenchError: it is a pipeline, which is called otherwise, or does not take four things.
    """
    wanted = f"({', '.join(ARGUMENTS)}) -> pictures"
    if hasattr(model, "components") or hasattr(model, "pipe"):
        raise LepbenchError(
            f"a {type(model).__name__} is not called as {wanted}",
            "write a function of these four that calls it",
        )
    try:
        inspect.signature(model).bind(*ARGUMENTS)
    except ValueError:
        return  # Python does not know what it takes
    except TypeError as error:
        name = getattr(model, "__name__", type(model).__name__)
        raise LepbenchError(
            f"{name} cannot be called as {wanted}: {error}", "change its parameters"
        ) from error


def _take(model: Any, named: Any, name: str | None, method: Method) -> Model:
    """A method at hand, under a configuration that says where it is defined."""
    stateful = not is_stateless(model)
    config = make_python_config(named)
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", config.target.rpartition(":")[2]).strip("-._")
    return Model(ModelConfig(name=name or plain or "python", method=config), method, stateful)


def _rename(config: ModelConfig, name: str | None) -> ModelConfig:
    if name is None or name == config.name:
        return config
    return parse_config({**config.model_dump(), "name": name}, ModelConfig, "model")
