"""The workflow of pull requests checks their boards by the code of the base, and can write nothing."""

from __future__ import annotations

from pathlib import Path

import yaml

WORKFLOW = Path(__file__).parents[2] / ".github" / "workflows" / "leaderboard.yml"


def test_a_pull_request_is_checked_without_rights() -> None:
    # YAML 1.1 reads the key `on` as true.
    found = yaml.safe_load(WORKFLOW.read_text(encoding="utf-8"))
    assert found[True] == {"pull_request": {"paths": ["leaderboards/**"]}}
    assert found["permissions"] == {"contents": "read"}
    steps = found["jobs"]["check"]["steps"]
    checkouts = [step["with"] for step in steps if step.get("uses", "").startswith("actions/checkout@")]
    assert [given["path"] for given in checkouts] == ["base", "request"]
    assert checkouts[0]["ref"] == "${{ github.event.pull_request.base.sha }}"
    assert not any(given["persist-credentials"] for given in checkouts)
    commands = [step["run"] for step in steps if "run" in step]
    assert commands[0].endswith(" ./base")
    assert commands[-1] == "lepbench leaderboard check request/leaderboards"
