"""Sketch-guided generation methods, one file each; importing this package fills `METHODS`."""

from lepbench.methods.base import (
    METHODS,
    AnyMethod,
    Method,
    MethodConfig,
    Request,
    check_drawing,
    describe_drawing,
)
from lepbench.methods.clean_edges import CleanEdgesConfig
from lepbench.methods.controlled import ControlledConfig
from lepbench.methods.lep import LepConfig
from lepbench.methods.model import ModelConfig, hash_model_code, hash_sampler_code
from lepbench.methods.precomputed import PrecomputedConfig
from lepbench.methods.python import PythonConfig
from lepbench.methods.sdedit import SdeditConfig
from lepbench.methods.unguided import UnguidedConfig

__all__ = [
    "METHODS",
    "AnyMethod",
    "CleanEdgesConfig",
    "ControlledConfig",
    "LepConfig",
    "Method",
    "MethodConfig",
    "ModelConfig",
    "PrecomputedConfig",
    "PythonConfig",
    "Request",
    "SdeditConfig",
    "UnguidedConfig",
    "check_drawing",
    "describe_drawing",
    "hash_model_code",
    "hash_sampler_code",
]
