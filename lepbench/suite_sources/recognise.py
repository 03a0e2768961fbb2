"""Whether a suite that is there is the one that a source makes, by what its definition says."""

from __future__ import annotations

import json
from typing import Any

from lepbench.suite_sources.base import Candidates, SuiteSource
from lepbench.suite_sources.write import announce_drawing, announce_suite
from lepbench.suites.definition import SuiteDefinition


def list_differences(about: SuiteDefinition, source: SuiteSource, name: str) -> list[str]:
    """In what a suite is another than `write_suite` makes of a source under a name; empty: in nothing.

    The hash in its definition pins its items, and loading it has held them against it. The words of its
    description do not count.

    Raises:
        LepbenchError: there is nothing to read.
    """
    found = source.open()
    said = announce_suite(found, name) | _spread(announce_drawing(found, source))
    known = {key: getattr(about, key) for key in SuiteDefinition.model_fields}
    known |= _spread(about.drawn.model_dump(mode="json"))
    differing = [key for key, value in said.items() if _plain(value) != _plain(known.get(key))]
    return differing if _holds_all(about, source, found) else [*differing, "items"]


def _spread(drawn: dict[str, Any]) -> dict[str, Any]:
    """Each setting of the corpus for itself."""
    return {"corpus": drawn["corpus"], "seed": drawn["seed"], **drawn["settings"]}


def _holds_all(about: SuiteDefinition, source: SuiteSource, found: Candidates) -> bool:
    """Whether it has as many items as are taken, or fewer and there were no more candidates."""
    return about.items == source.most or (about.items < source.most and about.drawn.considered == found.count)


def _plain(value: Any) -> Any:
    """A value as a file has it, where lists and tuples are one."""
    return json.loads(json.dumps(value, default=str))
