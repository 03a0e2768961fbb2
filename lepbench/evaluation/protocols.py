"""Which protocol scores a suite: one that ships, a plug-in's or a user's; and what the suite allows."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from lepbench.config import load_document, parse_config, read_yaml
from lepbench.detectors import identify_detector, select_detector
from lepbench.errors import LepbenchError
from lepbench.evaluation.directions import find_direction
from lepbench.evaluation.figure_names import strip_label
from lepbench.evaluation.measures.base import Measure, make_measure
from lepbench.evaluation.measures.levels import list_sample_figures
from lepbench.evaluation.protocol import ITEMS, Protocol
from lepbench.evaluation.references import hash_reference
from lepbench.judges import ABILITIES, JudgeConfig, select_judge
from lepbench.judges.base import require_labels
from lepbench.registry import Registry, suggest_name
from lepbench.submitted import explain_faults, is_ours
from lepbench.suites import TRUTHS, Suite

FOLDER = Path(__file__).parents[1] / "protocols"
"""Of the protocols that ship, a YAML file each."""
VARIANTS = "variants"
"""The measure that keeps which item a variant is of."""
OURS = "lepbench-"
"""What the names of protocols of lepbench's own begin with, and no others."""
NO_JUDGES = "none"

PROTOCOLS: Registry[Callable[[Suite], Protocol]] = Registry("protocol")
"""Protocols by name, each made for a suite: its size is a term, and its detectors, where none are pinned."""


def select_protocol(
    suite: Suite,
    choice: str | Path | None = None,
    *,
    judges: str | Path | Sequence[JudgeConfig] | None = None,
    reference: Path | None = None,
) -> Protocol:
    """The protocol by which a suite is scored.

    Args:
        choice: a name in `PROTOCOLS`, or a YAML file of the terms that differ from another protocol, its name
            among them; None for the suite's own.
        judges: instead of the protocol's: a YAML file of a list of them, or "none"; measures that need others
            are left out then.
        reference: a folder of `lepbench statistics make` instead of the protocol's reference.

    Raises:
        LepbenchError: there is no such protocol, it has a term that is not known or a name that is not its
            own, or the suite lacks what a measure needs.
    """
    fitted = _fit(_pin(read_protocol(suite, choice, judges=judges, reference=reference)), suite)
    if _is_file(choice):
        _check_rank(fitted)
        _check_levels(fitted)
    elif fitted.rank_by not in _list_figures(fitted):
        # What code makes of another protocol may measure less.
        fitted = fitted.model_copy(update={"rank_by": None})
    return fitted


def read_protocol(
    suite: Suite,
    choice: str | Path | None = None,
    *,
    judges: str | Path | Sequence[JudgeConfig] | None = None,
    reference: Path | None = None,
) -> Protocol:
    """`select_protocol`, without a look at what the suite allows or at files of judges and detectors.

    Raises:
        LepbenchError: there is no such protocol, it has a term that is not known, or a name not its own.
    """
    name = suite.definition.protocol if choice is None else str(choice)
    protocol = _read_file(suite, Path(name)) if _is_file(choice) else _make(suite, name)
    if judges is not None:
        protocol = replace_judges(protocol, *_read_judges(judges))
    return protocol if reference is None else _replace_reference(protocol, reference)


def _is_file(choice: str | Path | None) -> bool:
    return choice is not None and Path(choice).suffix in (".yaml", ".yml")


def _make(suite: Suite, name: str) -> Protocol:
    make = PROTOCOLS.get(name)
    with explain_faults(f"protocol {name!r}", make):
        protocol = make(suite)
    if not isinstance(protocol, Protocol) or protocol.name != name:
        found = repr(protocol.name) if isinstance(protocol, Protocol) else type(protocol).__name__
        raise LepbenchError(f"protocol {name!r} is made as {found}", "return a Protocol of that name")
    if name.startswith(OURS) and not is_ours(make):
        raise LepbenchError(f"protocol {name!r} does not ship", f"give it a name without {OURS!r}")
    return protocol


def _read_file(suite: Suite, path: Path) -> Protocol:
    """A user's file: the terms that differ from the protocol that it `extends`, or from the suite's own."""
    terms = load_document(path, Protocol)
    extended = terms.pop("extends", suite.definition.protocol)
    name = terms.get("name")
    if not isinstance(name, str) or name.startswith(OURS):
        raise LepbenchError(
            f"{path}: a protocol with terms of its own has a name of its own, not {name!r}",
            f"give a 'name' that does not begin with {OURS!r}",
        )
    base = _make(suite, str(extended)).model_dump(mode="json")
    if "measures" in terms:
        # What ranks, and what is taken where it is known, belong to the measures that were replaced.
        base |= {"rank_by": None, "where_known": []}
    if "judges" in terms:
        # Statistics that ship are of a judge that was replaced.
        base |= {"reference": ITEMS, "reference_sha256": None}
    return _complete({**base, **terms}, suite, str(path))


def make_shipped_protocol(suite: Suite, name: str | None = None) -> Protocol:
    """A protocol that ships, made for a suite: by name, or the suite's own.

    Raises:
        LepbenchError: there is none of that name, or a detector of the suite is unknown here.
    """
    path = FOLDER / f"{name or suite.definition.protocol}.yaml"
    if not path.is_file():
        raise LepbenchError(f"no protocol {path.stem!r} ships", f"choose one of: {', '.join(PROTOCOLS)}")
    return _complete(load_document(path, Protocol), suite, path.stem)


def _complete(terms: dict[str, Any], suite: Suite, label: str) -> Protocol:
    """Terms with the size and the detectors of the suite where they name none."""
    about = suite.definition
    given = {
        "size": about.size,
        "detector": about.detector,
        "contour_detector": about.contour_detector,
        "levels": about.levels,
    }
    protocol = parse_config({**given, **terms}, Protocol, label)
    if protocol.size != about.size:
        raise LepbenchError(
            f"{label}: {protocol.name} scores at {protocol.size} px, suite {suite.name!r} has {about.size}",
            f"make the suite at --size {protocol.size}, or choose another protocol",
        )
    return protocol


def _read_judges(given: str | Path | Sequence[JudgeConfig]) -> tuple[tuple[JudgeConfig, ...], str]:
    """Judges, and what a protocol with them is called after them."""
    if not isinstance(given, str | Path):
        return tuple(given), "with-other-judges"
    if str(given) == NO_JUDGES:
        return (), "without-judges"
    return read_judges(Path(given)), f"with-{_write_name(Path(given).stem)}"


def read_judges(path: Path) -> tuple[JudgeConfig, ...]:
    """The judges of a YAML file: a list of them, or a mapping with the key `judges`, as a protocol is.

    Raises:
        LepbenchError: the file cannot be read, or a judge is none.
    """
    document = read_yaml(path)
    listed = document.get("judges") if isinstance(document, dict) else document
    if not isinstance(listed, list) or not listed:
        raise LepbenchError(
            f"{path} lists no judges", "write '- name: clip' and its settings, one for each judge"
        )
    try:
        return tuple(select_judge(one) for one in listed)
    except LepbenchError as error:
        raise LepbenchError(f"{path}: {error}") from error


def replace_judges(protocol: Protocol, judges: tuple[JudgeConfig, ...], suffix: str) -> Protocol:
    """A protocol with other judges, under another name; measures without a judge are left out.

    Raises:
        LepbenchError: two judges share a label.
    """
    try:
        require_labels(judges)
    except ValueError as error:
        raise LepbenchError(str(error)) from error
    able = {ability for judge in judges for ability in judge.abilities}
    kept = [name for name in protocol.measures if set(make_measure(name).abilities) <= able]
    same = judges == protocol.judges
    ranks = protocol.rank_by in _list_figures(protocol.model_copy(update={"measures": tuple(kept)}))
    return protocol.model_copy(
        update={
            "judges": judges,
            "measures": tuple(kept),
            "rank_by": protocol.rank_by if ranks else None,
            "name": _rename(protocol, suffix),
            # Statistics that ship are of a judge that may be gone.
            "reference": protocol.reference if same else ITEMS,
            "reference_sha256": protocol.reference_sha256 if same else None,
        }
    )


def _replace_reference(protocol: Protocol, folder: Path) -> Protocol:
    """A protocol with other real pictures, called after their hash: the folder may be moved."""
    other = protocol.model_copy(update={"reference": str(folder), "reference_sha256": None})
    digest = hash_reference(other)
    if digest is None:
        raise LepbenchError(
            f"protocol {protocol.name} has no judge of features to compare with {folder}",
            "leave --statistics out, or give --judges",
        )
    return other.model_copy(update={"name": _rename(protocol, f"against-{digest[:12]}")})


def _rename(protocol: Protocol, suffix: str) -> str:
    return f"{protocol.name.removeprefix(OURS)}-{suffix}"


def _write_name(text: str) -> str:
    return re.sub(r"[^a-z0-9._-]+", "-", text.lower()).strip("-.") or "other"


def _pin(protocol: Protocol) -> Protocol:
    """The protocol with the hashes of the files behind its judges and its reference, where they lie here.

    Raises:
        LepbenchError: the reference is not the one that is pinned already.
    """
    judges, found = tuple(judge.pin() for judge in protocol.judges), hash_reference(protocol)
    if protocol.reference_sha256 not in (None, found):
        raise LepbenchError(
            f"protocol {protocol.name} pins its reference by {protocol.reference_sha256}, "
            f"and {protocol.reference!r} has {found}",
            "restore it, or leave 'reference_sha256' out",
        )
    return protocol.model_copy(update={"judges": judges, "reference_sha256": found})


def _fit(protocol: Protocol, suite: Suite) -> Protocol:
    """The protocol with the measures that are taken of this suite.

    Raises:
        LepbenchError: the suite lacks what a measure needs, or was made by another detector.
    """
    for name in protocol.measures:
        if lacking := find_lacking(make_measure(name), protocol, suite):
            raise LepbenchError(
                f"protocol {protocol.name} measures {name!r}, which needs {lacking[0]}",
                _advise(lacking[0], protocol, suite),
            )
    # Without its columns variants would be resampled as if they were independent items.
    grouping = [VARIANTS] if suite.definition.variants_of is not None else []
    known = [
        name
        for name in dict.fromkeys((*protocol.where_known, *grouping))
        if name not in protocol.measures and not find_lacking(make_measure(name), protocol, suite)
    ]
    return protocol.model_copy(update={"measures": (*protocol.measures, *known), "where_known": ()})


def _advise(lacking: str, protocol: Protocol, suite: Suite) -> str:
    """What to do about a measure that lacks something."""
    if lacking not in _compare_detectors(protocol, suite):
        return "choose another --protocol or suite"
    settings = protocol.detector.model_dump(mode="json", exclude={"name"}, exclude_none=True)
    options = [f"--detector {protocol.detector.name}"]
    options += [f"--detector-set {key}={value}" for key, value in settings.items()]
    return f"choose another --protocol, or make the suite with {' '.join(options)}"


def _check_rank(protocol: Protocol) -> None:
    """Refuse to rank by a figure that is not measured, or that has no better side."""
    figures = _list_figures(protocol)
    if protocol.rank_by is not None and protocol.rank_by not in figures:
        raise LepbenchError(
            f"protocol {protocol.name} ranks by {protocol.rank_by!r}, which it does not measure",
            suggest_name(protocol.rank_by, figures),
        )
    if protocol.rank_by is not None and find_direction(protocol.rank_by) == "none":
        raise LepbenchError(
            f"protocol {protocol.name} ranks by {protocol.rank_by!r}, of which neither side is better",
            "rank by another figure, or by none: null",
        )


def _check_levels(protocol: Protocol) -> None:
    """Refuse figures by level that are not measured, or not of single samples."""
    figures = list_sample_figures(protocol) if protocol.by_level else []
    known = {*figures, *map(strip_label, figures)}
    for name in protocol.by_level:
        if name not in known:
            raise LepbenchError(
                f"protocol {protocol.name} gives {name!r} by level, and no measure gives that of a sample",
                suggest_name(name, known),
            )


def _list_figures(protocol: Protocol) -> list[str]:
    """Every figure of a protocol's measures."""
    figures: list[str] = []
    for measure in map(make_measure, protocol.measures):
        with explain_faults(f"measure {type(measure).__name__!r}", measure):
            figures += measure.metrics(protocol)
    return figures


def find_lacking(measure: Measure, protocol: Protocol, suite: Suite) -> list[str]:
    """What a measure needs and neither the suite nor the protocol's judges give, in words."""
    held, needed = suite.definition.truths, measure.find_truths(protocol)
    truths = [f"{TRUTHS[truth]}, and suite {suite.name!r} has none" for truth in needed if truth not in held]
    judges = [
        f"a judge of {ABILITIES[ability]}, and the protocol has none"
        for ability in measure.abilities
        if not protocol.find_judges(ability)
    ]
    return truths + judges + (_compare_detectors(protocol, suite) if "edges" in needed else [])


def _compare_detectors(protocol: Protocol, suite: Suite) -> list[str]:
    """Why the sketches are not maps as the protocol's detector makes them: those of two never agree."""
    made, sought = select_detector(suite.definition.detector), protocol.detector
    if identify_detector(made) == identify_detector(sought):
        return []
    return [f"sketches by {_describe(sought)}, and those of suite {suite.name!r} are by {_describe(made)}"]


def _describe(detector: Any) -> str:
    settings = detector.model_dump(mode="json", exclude={"name"}, exclude_none=True)
    listed = ", ".join(f"{key}={value}" for key, value in settings.items())
    return f"{detector.name}({listed})"


def _register_shipped() -> None:
    for path in sorted(FOLDER.glob("*.yaml")):
        make = partial(make_shipped_protocol, name=path.stem)
        make.__doc__ = " ".join(str(load_document(path, Protocol)["description"]).split())
        PROTOCOLS.register(path.stem)(make)


_register_shipped()
