"""A predictor's options within a larger configuration: any registered kind, by its name."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, SerializeAsAny, ValidationError

from lepbench.errors import LepbenchError
from lepbench.faults import explain, quote_value
from lepbench.predictors.base import PREDICTORS
from lepbench.predictors.config import PredictorOptions
from lepbench.registry import limit_list


def select_options(config: str | dict[str, Any] | PredictorOptions) -> PredictorOptions:
    """The options that a kind's name, or a mapping with `name` and settings, asks for; without a name, `mlp`.

    Raises:
        LepbenchError: no such kind, a key it does not know, or a value it does not take.
    """
    if isinstance(config, PredictorOptions):
        return config
    if not isinstance(config, (str, dict)):
        raise LepbenchError(
            f"predictor must be a name, or keys with values, not {quote_value(config)}",
            f"choose one of: {limit_list(list(PREDICTORS))}",
        )
    settings = {"name": config} if isinstance(config, str) else {"name": "mlp", **config}
    kind = PREDICTORS.get(str(settings["name"])).options_kind
    try:
        return kind.model_validate(settings)
    except ValidationError as error:
        raise LepbenchError(explain(error, kind, ("predictor",))) from error


# A field of this type takes any registered kind in a larger configuration, and writes its settings back.
AnyPredictor = Annotated[SerializeAsAny[PredictorOptions], BeforeValidator(select_options)]
