"""`lepbench list`: list registered components by the names used in configurations."""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from lepbench.cli.console import say_note
from lepbench.cli.verbs import VerbGroup
from lepbench.config import Config
from lepbench.errors import LepbenchError

if TYPE_CHECKING:
    from lepbench.detectors import Detector
    from lepbench.guidance.presets import Preset
    from lepbench.judges import JudgeConfig

REGISTRIES = {
    "engines": ("lepbench.engines", "ENGINES"),
    "measures": ("lepbench.evaluation.measures", "MEASURES"),
    "methods": ("lepbench.methods", "METHODS"),
    "predictors": ("lepbench.predictors", "PREDICTORS"),
    "schedulers": ("lepbench.guidance.schedulers", "SCHEDULERS"),
    "sketches": ("lepbench.sketches", "SKETCHES"),
    "sources": ("lepbench.data.sources", "SOURCES"),
    "suite-sources": ("lepbench.suite_sources", "SUITE_SOURCES"),
}
"""Subject -> module and name of its registry."""
ABOUT = {
    "engines": "Ways to run a build of triplets",
    "measures": "What a protocol counts of pictures",
    "methods": "Ways to draw pictures from prompts and sketches",
    "predictors": "Networks that read edges off a denoiser",
    "schedulers": "Schedulers of a sampler",
    "sketches": "Corpora of people's drawings",
    "sources": "Corpora that triplets are built of",
    "suite-sources": "Corpora that suites are made of",
}
"""Subject -> what it is."""

as_json = click.option("--json", "wanted_json", is_flag=True, help="Print one JSON list.")


@click.group(cls=VerbGroup)
def command() -> None:
    """List registered components by the names used in configurations.

    \b
    Examples:
      lepbench list backbones
      lepbench list taps --backbone sd15 --latent 64x64 --json
      lepbench list words
    """


def _lister(subject: str, module: str, name: str) -> click.Command:
    """The command that lists a registry."""

    @command.command(subject, help=f"{ABOUT[subject]}.")
    @as_json
    def listing(wanted_json: bool) -> None:
        registry = getattr(importlib.import_module(module), name)
        _print([{"name": entry, "what": _what(registry.get(entry))} for entry in registry], wanted_json)

    return listing


for _subject, _where in REGISTRIES.items():
    _lister(_subject, *_where)


@command.command("detectors")
@as_json
def detectors_command(wanted_json: bool) -> None:
    """Edge detectors: binary or soft, missing requirements, every setting with its default, what was checked.

    "checked" says with which published maps or code its maps were compared, and what could not be.
    Weights come with 'lepbench prefetch NAME', packages with 'pip install lepbench[annotators]'.
    """
    from lepbench.detectors import DETECTORS

    _print([_detector_row(name, DETECTORS.get(name)) for name in DETECTORS], wanted_json)


def _detector_row(name: str, detector: type[Detector]) -> dict[str, Any]:
    missing = detector.missing()
    fields = {key: field for key, field in detector.model_fields.items() if key != "name"}
    return {
        "name": name,
        "kind": "binary" if detector.binary else "soft",
        "state": f"needs {missing}" if missing else "ready",
        "settings": {
            field.alias or key: "?" if field.is_required() else field.default for key, field in fields.items()
        },
        "checked": detector.checked,
    }


@command.command("judges")
@as_json
def judges_command(wanted_json: bool) -> None:
    """Kinds of judges: what they can do, the settings that one must have, and what they are.

    `judges:` of a protocol and a file for --judges list judges by these names; docs/judges.md says how.
    """
    from lepbench.judges import JUDGES

    _print([_judge_row(name, JUDGES.get(name)) for name in JUDGES], wanted_json)


def _judge_row(name: str, judge: type[JudgeConfig]) -> dict[str, Any]:
    needed = [key for key, field in judge.model_fields.items() if key != "name" and field.is_required()]
    return {
        "name": name,
        "abilities": ", ".join(judge.able),
        "needs": ", ".join(needed) or "nothing",
        "what": _what(judge),
    }


@command.command("presets")
@as_json
def presets_command(wanted_json: bool) -> None:
    """Presets: passes and backward passes of one image, their cost, and the settings.

    Cost is in TFLOP on the shape of Stable Diffusion 1.5 at 512 px, without the autoencoder, and in how many
    times less that is than what the paper's settings take, implemented literally.
    """
    from lepbench.guidance.presets import PRESETS

    rows = [_preset_row(name, PRESETS.get(name)) for name in PRESETS]
    heads = ("preset", "passes", "gradients", "TFLOP", "times less", "settings")
    _print(rows, wanted_json, heads)


def _preset_row(name: str, preset: Preset) -> dict[str, Any]:
    from lepbench.guidance.preset_cost import divide_literal, estimate_tflop
    from lepbench.guidance.presets import COUNTS

    tflop, share = estimate_tflop(preset), divide_literal(preset)
    return {
        "name": name,
        "passes": preset.passes,
        "gradients": preset.gradients,
        "tflop": None if tflop is None else round(tflop, 1),
        "times_less": None if share is None else round(share, 1),
        "settings": _text(preset.model_dump(exclude_defaults=True, exclude=set(COUNTS))),
    }


@command.command("protocols")
@as_json
def protocols_command(wanted_json: bool) -> None:
    """Protocols that ship or that plug-ins add: their judges by label, and what they are."""
    from lepbench.evaluation.protocols import PROTOCOLS

    _print(
        [
            {"name": name, "judges": _list_labels(name), "what": _what(PROTOCOLS.get(name))}
            for name in PROTOCOLS
        ],
        wanted_json,
    )


def _list_labels(protocol: str) -> str:
    """The judges of a protocol that ships; what a plug-in makes depends on the suite."""
    from lepbench.config import load_document
    from lepbench.evaluation.protocol import Protocol
    from lepbench.evaluation.protocols import FOLDER
    from lepbench.judges import select_judge

    path = FOLDER / f"{protocol}.yaml"
    if not path.is_file():
        return "made for a suite"
    judges = load_document(path, Protocol).get("judges", [])
    return ", ".join(select_judge(judge).label for judge in judges) or "none"


@command.command("plugins")
@as_json
def plugins_command(wanted_json: bool) -> None:
    """Modules that installed packages announce as plug-ins, and whether they could be imported."""
    from lepbench.plugins import load_plugins

    found = load_plugins()
    if not found:
        say_note("no installed package announces plug-ins; docs/plugins.md says how one does")
    _print(
        [
            {"name": p.name, "module": p.module, "package": p.package, "state": p.error or "ready"}
            for p in found
        ],
        wanted_json,
    )


@command.command("suites")
@as_json
def suites_command(wanted_json: bool) -> None:
    """Suites that ship or that plug-ins add: truths, protocol, items, side in px, and what they are."""
    from lepbench.suites import list_suites, load_suite

    rows = [load_suite(name).definition for name in list_suites()]
    _print(
        [
            {
                "name": row.name,
                "protocol": row.protocol,
                "truths": ", ".join(row.truths),
                "items": row.items,
                "px": row.size,
                "what": row.description,
            }
            for row in rows
        ],
        wanted_json,
    )


@command.command("controls")
@as_json
def controls_command(wanted_json: bool) -> None:
    """Published control modules for the method 'controlled', and their published settings.

    A module that is not listed is used as well, if its configuration says what its control picture is.
    """
    from lepbench.methods.known_controls import load_known_controls

    rows = [
        {
            "name": name,
            "family": known.family,
            "polarity": known.polarity,
            "channels": known.channels,
            "range": list(known.range),
            "detector": known.detector,
            "settings": known.list_settings(),
            "licence": known.licence or "not stated",
        }
        for name, known in load_known_controls().items()
    ]
    _print(rows, wanted_json)


@command.command("backbones")
@as_json
def backbones_command(wanted_json: bool) -> None:
    """Released models whose true configurations are known; no weights of theirs ship.

    A configuration's `backbone:` takes an embedded name, a folder or a hub id of any of these kinds.
    """
    from lepbench.backbones.known import load_known

    rows = [
        {"name": name, "family": model.family.name, "parameters": model.parameters}
        for name, model in load_known().items()
    ]
    _print(rows, wanted_json)


@command.command("taps")
@click.option("--backbone", required=True, help="Short name, embedded name, folder or hub id.")
@click.option("--latent", help="Size of the latent, HEIGHTxWIDTH  [default: the model's own].")
@as_json
def taps_command(backbone: str, latent: str | None, wanted_json: bool) -> None:
    """Tap positions of a backbone, in order: position, channels, height and width. Needs no weights.

    \b
    Examples:
      lepbench list taps --backbone sd15 --latent 64x64 --json
      lepbench list taps --backbone flux-dev --latent 96x128
    """
    from lepbench.backbones.known import find_denoiser
    from lepbench.backbones.survey import measure_tap_shapes

    family, config = find_denoiser(backbone)
    side = family.latent_side(config)
    size = _size(latent, family.size_multiple(config)) if latent else (side, side)
    _print([tap._asdict() for tap in measure_tap_shapes(family, config, size)], wanted_json)


@command.command("words")
@click.option("--backbone", default="mini@1", show_default=True, help="Embedded name.")
@as_json
def words_command(backbone: str, wanted_json: bool) -> None:
    """Phrases that the captions of an embedded backbone are made of, and their kinds.

    Prompts of other words give shapeless pictures.
    """
    from lepbench.mini.words import list_known_phrases

    _print([{"phrase": phrase, "kind": kind} for phrase, kind in list_known_phrases(backbone)], wanted_json)


def _size(text: str, multiple: int) -> tuple[int, int]:
    """Height and width of a latent, written HxW; both must be multiples of `multiple`."""
    parsed = re.fullmatch(r"(\d+)x(\d+)", text)
    if parsed is None:
        raise LepbenchError(f"--latent {text!r} is no size", "write HEIGHTxWIDTH, such as 64x96")
    height, width = int(parsed[1]), int(parsed[2])
    if not height or not width or height % multiple or width % multiple:
        raise LepbenchError(f"this backbone has no latent of {text}", f"choose multiples of {multiple}")
    return height, width


def _what(entry: Any) -> str:
    """A registered entry in one line: its settings, its diffusers class, or its docstring's first line."""
    if isinstance(entry, Config):
        return _text(entry.model_dump())
    return str(getattr(entry, "class_name", None) or (entry.__doc__ or "").strip().split("\n")[0])


def _print(rows: list[dict[str, Any]], wanted_json: bool, heads: Sequence[str] = ()) -> None:
    """Print rows as JSON or as aligned text, under heads where numbers need them."""
    if wanted_json:
        click.echo(json.dumps(rows))
        return
    texts = [[_text(cell) for cell in row.values()] for row in rows]
    headed = [list(heads), *texts] if heads and rows else texts
    widths = [max(map(len, column)) for column in zip(*headed, strict=True)]
    numeric = [isinstance(cell, int | float | None) for cell in rows[0].values()] if rows else []
    for text in headed:
        cells = zip(numeric, text, widths, strict=True)
        line = (f"{t:>{w}}" if is_number else f"{t:<{w}}" for is_number, t, w in cells)
        click.echo("  ".join(line).rstrip())


def _text(cell: Any) -> str:
    if cell is None:
        return "-"
    if isinstance(cell, dict):
        return " ".join(f"{key}={'none' if value is None else value}" for key, value in cell.items())
    return f"{cell:,}" if isinstance(cell, int) else str(cell)
