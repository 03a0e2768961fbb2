"""What the hub takes as a card, by its client's own classes and by the values that its documentation allows.

`RepoCard.validate` asks the hub itself. Without a connection there remain the client's reader of cards, its
classes of metadata, its rules of names, and the tasks that it knows: a module each among the types of its
inference client.
"""

from __future__ import annotations

import pkgutil
import re
from typing import Any

from huggingface_hub import DatasetCard, DatasetCardData, ModelCard, ModelCardData
from huggingface_hub.inference._generated import types
from huggingface_hub.utils._validators import validate_repo_id

from lepbench.data.hub_licences import IDENTIFIERS

TASKS = {module.name.replace("_", "-") for module in pkgutil.iter_modules(types.__path__)}
SIZES = re.compile(r"n<1K|1K<n<10K|10K<n<100K|100K<n<1M|1M<n<10M|10M<n<100M|100M<n<1B|n>1B")
"""Of huggingface_hub's `DatasetCardData`; those beyond a billion in one."""
NAME = re.compile(r"[a-z0-9][a-z0-9._-]*")


def check_model_card(text: str) -> dict[str, Any]:
    """The metadata of a model's card, which fail here where they are none."""
    card = ModelCard(text)
    fields = card.data.to_dict()
    assert isinstance(card.data, ModelCardData)
    check_licence(fields)
    for name in list_values(fields, "base_model"):
        validate_repo_id(name)
        assert "/" in name, name
    assert NAME.fullmatch(fields["library_name"])
    assert fields.get("pipeline_tag", "text-to-image") in TASKS
    return fields


def check_dataset_card(text: str) -> dict[str, Any]:
    """The metadata of a data set's card, which fail here where they are none."""
    card = DatasetCard(text)
    fields = card.data.to_dict()
    assert isinstance(card.data, DatasetCardData)
    assert "license" in fields
    check_licence(fields)
    assert set(fields["task_categories"]) <= TASKS
    assert all(SIZES.fullmatch(size) for size in fields["size_categories"])
    assert isinstance(fields["pretty_name"], str)
    for config in fields["configs"]:
        assert re.fullmatch(r"\w+", config["config_name"])
        assert all({"split", "path"} == set(files) for files in config["data_files"])
    return fields


def check_licence(fields: dict[str, Any]) -> None:
    """A licence is one of the hub's list, and one that is not there has a name that could be."""
    named = list_values(fields, "license")
    assert set(named) <= IDENTIFIERS
    assert ("other" in named) == ("license_name" in fields)
    assert NAME.fullmatch(fields.get("license_name", "a"))
    assert all(isinstance(tag, str) for tag in fields.get("tags", ()))


def list_values(fields: dict[str, Any], key: str) -> list[str]:
    """A field that has one value or several."""
    value = fields.get(key, [])
    return value if isinstance(value, list) else [value]
