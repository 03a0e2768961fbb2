"""`lepbench suite show`: what a suite holds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click


@click.command("show")
@click.argument("suite", metavar="NAME")
@click.option("--sheet", type=click.Path(path_type=Path), help="PNG to write: the first 16 items.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def show_command(suite: str, sheet: Path | None, as_json: bool) -> None:
    """Show what suite NAME holds: a name or a folder.

    \b
    Examples:
      lepbench suite show sketchworld-edges-v1
      lepbench suite show photographs --sheet photographs.png
    """
    from lepbench.files import write_bytes
    from lepbench.images import encode_png
    from lepbench.suites import load_suite
    from lepbench.suites.describe import describe_suite, draw_suite_sheet

    chosen = load_suite(suite)
    about = describe_suite(chosen)
    if sheet is not None:
        write_bytes(sheet, encode_png(draw_suite_sheet(chosen.take(len(chosen)))))
        about["sheet"] = str(sheet)
    click.echo(json.dumps(about) if as_json else format_suite(about))


def format_suite(about: dict[str, Any]) -> str:
    """What is known of a suite as lines of text."""
    drawn = about["drawn"]
    settings = {key: value for key, value in about["detector"].items() if key != "name" and value is not None}
    lines = {
        "suite": about["name"],
        "what": about["description"],
        "items": f"{about['items']}, scored by default: {about['default_items']}; {about['size']} px",
        "truths": ", ".join(about["truths"]) or "none",
        "classes": _count(about["classes"]) or "none",
        "protocol": about["protocol"],
        "detector": " ".join([about["detector"]["name"], *(f"{key}={settings[key]}" for key in settings)]),
        "licence": about["licence"],
        "made of": f"{drawn['corpus']}, {drawn['considered']} looked at",
        "left out": _count(drawn["left_out"]) or "0",
        "changes": _count(drawn["changes"]) or "none",
        "prompts": "\n          ".join(about["prompts"]),
    }
    if "levels" in about:
        lines["variants"] = f"of {about['variants_of']}: {', '.join(about['levels'])}"
    if "sheet" in about:
        lines["sheet"] = about["sheet"]
    return "\n".join(f"{key:<10}{value}" for key, value in lines.items())


def _count(counts: dict[str, int], most: int = 8) -> str:
    """Names with their numbers, the rest of many summed up."""
    shown = [f"{count} {name}" for name, count in list(counts.items())[:most]]
    return ", ".join([*shown, *([f"{len(counts) - most} more"] if len(counts) > most else [])])
