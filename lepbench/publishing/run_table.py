"""Several runs of one suite and protocol as one table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from lepbench.errors import LepbenchError
from lepbench.evaluation.compare import SIGNIFICANT, Comparison, check_comparable, compare
from lepbench.evaluation.conditions import CONDITIONS, MODEL, OVERLAY, REAL, UNGUIDED
from lepbench.evaluation.record import Record, read_record
from lepbench.evaluation.summary import list_main_metrics
from lepbench.publishing.origin import describe_origin
from lepbench.publishing.results import (
    TIE,
    Line,
    ResultsTable,
    choose_metrics,
    find_best,
    make_columns,
)
from lepbench.registry import suggest_name

SHOWN = (MODEL.name, UNGUIDED.name, REAL.name)
"""The rows that are shown unless others are asked for."""


def tabulate_runs(
    folders: Sequence[Path],
    *,
    metrics: Sequence[str] = (),
    rows: Sequence[str] = SHOWN,
    tested: bool = True,
) -> ResultsTable:
    """A line a run, and the reference rows once where they are the same.

    Figures are the records' own. Which runs tie with the best is tested as `compare` does, paired and
    corrected for all figures and pairs of the table.

    Args:
        folders: of finished runs, one or more.
        metrics: figures by name, or by name without judge; the main ones unless given.
        rows: names of conditions.
        tested: whether differences are; memory and time grow with the square of the number of runs.

    Raises:
        LepbenchError: the runs do not compare, or there is no such figure or row.
    """
    check_rows(rows)
    records = [read_record(folder) for folder in folders]
    if len(records) > 1:
        check_comparable(folders, records)
    known = records[0].rows[MODEL.name]
    main = list_main_metrics(records[0].protocol, known)
    chosen = choose_metrics(metrics, known) if metrics else list(main)
    lines = list_lines(records, rows)
    columns = [
        column
        for column in make_columns(chosen, known)
        if metrics or any(line.figures[column.metric].value is not None for line in lines)
    ]
    table = ResultsTable(
        title=f"{records[0].identity.suite} by {records[0].protocol.name}",
        columns=columns,
        lines=lines,
        confidence=records[0].protocol.confidence,
        notes=[*describe_terms(records[0]), *describe_runs(records, rows)],
    )
    if len(records) == 1 or MODEL.name not in rows or not columns:
        return table
    if not tested:
        return mark_leaders(table)
    return mark_best(table, compare(folders, metrics=[column.metric for column in columns]))


def check_rows(rows: Sequence[str]) -> None:
    """Refuse rows that no table has.

    Raises:
        LepbenchError: there is one; the message suggests the nearest.
    """
    for row in rows:
        if row not in CONDITIONS:
            raise LepbenchError(f"there is no row {row!r}", suggest_name(row, CONDITIONS))


def list_lines(records: Sequence[Record], rows: Sequence[str]) -> list[Line]:
    """The lines of runs, then those of their references in the order of a record's rows."""
    names = [record.identity.model.name for record in records]
    runs = [Line(name, record.rows[MODEL.name]) for name, record in zip(names, records, strict=True)]
    lines = runs if MODEL.name in rows else []
    for row in CONDITIONS:
        if row in rows and row != MODEL.name:
            lines = [*lines, *_list_references(row, names, records)]
    if not lines:
        raise LepbenchError(f"no run has the row {', '.join(rows)}", "choose other --rows")
    return lines


def _list_references(row: str, names: Sequence[str], records: Sequence[Record]) -> list[Line]:
    """A reference row once for all runs with the same figures; it names them where there are others."""
    groups: list[tuple[Record, list[str]]] = []
    for name, record in zip(names, records, strict=True):
        if row in record.rows:
            same = next((owners for first, owners in groups if first.rows[row] == record.rows[row]), None)
            if same is None:
                groups.append((record, [name]))
            else:
                same.append(name)
    alone = len(groups) == 1
    return [
        Line(row if alone else f"{row} ({', '.join(owners)})", record.rows[row], reference=True)
        for record, owners in groups
    ]


def mark_leaders(table: ResultsTable) -> ResultsTable:
    """The table with its best figures marked, without a test of what ties with them."""
    best = frozenset((name, metric) for metric, leaders in _find_leaders(table).items() for name in leaders)
    return replace(table, best=best, marks="{best}: best; differences are not tested")


def _find_leaders(table: ResultsTable) -> dict[str, list[str]]:
    """The runs whose figure is best, by metric."""
    runs = [line for line in table.lines if not line.reference]
    return {column.metric: find_best(runs, column.metric) for column in table.columns}


def mark_best(table: ResultsTable, found: Comparison) -> ResultsTable:
    """The table with its best figures marked, and those that tie with them."""
    tested = {one.metric for one in found.differences}
    ties = {
        (name, metric)
        for metric, leaders in _find_leaders(table).items()
        for name in _find_ties(found, metric, leaders)
    }
    untested = [column.title for column in table.columns if column.metric not in tested]
    marks = f"{{best}}: best; {TIE}: not significantly different from the best"
    marks += f" (paired test, Holm-corrected over all runs and figures shown, p ≥ {SIGNIFICANT:g})"
    if untested:
        marks += f"; not tested, having no resamples: {', '.join(untested)}"
    return replace(mark_leaders(table), ties=frozenset(ties), marks=marks)


def _find_ties(found: Comparison, metric: str, leaders: Sequence[str]) -> list[str]:
    """The runs that no significant difference parts from one of the leaders."""
    pairs = [
        {one.first, one.second} for one in found.differences if one.metric == metric and not one.significant
    ]
    return [name for pair in pairs if pair & set(leaders) for name in pair - set(leaders)]


def describe_terms(record: Record) -> list[str]:
    """What all figures of a table have in common."""
    identity, protocol = record.identity, record.protocol
    items, variants = identity.items, len(protocol.levels) if "variants" in protocol.measures else 0
    whole = f" ({items // variants} with {variants} variants)" if variants and items % variants == 0 else ""
    counted = (
        f"suite {identity.suite}, {record.sample_count} samples: "
        f"{items} items{whole}, {identity.samples_per_item} each"
    )
    labels = ", ".join(judge.label for judge in protocol.judges)
    return [counted, f"protocol {protocol.name}" + (f", judges {labels}" if labels else "")]


def describe_runs(records: Sequence[Record], rows: Sequence[str]) -> list[str]:
    """What is said of single runs: where their pictures are from, failures, cost; equal sentences once."""
    notes = [*_share(records, describe_origin), *_share(records, _describe_failures)]
    if UNGUIDED.name in rows or OVERLAY.name in rows:
        notes += _share(records, _describe_reference)
    return [*notes, *_share(records, _describe_cost)]


def _share(records: Sequence[Record], describe: Callable[[Record], str]) -> list[str]:
    """What is said of each run, once for those of which it is the same; runs are named where it differs."""
    said: dict[str, list[str]] = {}
    for record in records:
        said.setdefault(describe(record), []).append(record.identity.model.name)
    alone = len(said) == 1
    return [text if alone else f"{', '.join(names)}: {text}" for text, names in said.items() if text]


def _describe_failures(record: Record) -> str:
    failed = record.failed.get(MODEL.name, 0)
    return f"{failed} of {record.sample_count} samples failed and are in no figure" if failed else ""


def _describe_reference(record: Record) -> str:
    reference = record.identity.model.reference
    if reference is None:
        return ""
    return f"{UNGUIDED.name} is {reference.backbone} by {reference.describe_sampler()}"


def _describe_cost(record: Record) -> str:
    cost = record.cost.get(MODEL.name)
    if cost is None:
        return ""
    tflop = "" if cost.tflop is None else f", {cost.tflop:.3g} TFLOP"
    where = record.machine.accelerator or record.identity.device
    return f"{cost.seconds:.3g} s{tflop} and {cost.passes:g} passes a picture on {where}"
