"""What a report says beside figures and pictures: settings, cost, hashes, checks, commands."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lepbench.evaluation.compare import Comparison
from lepbench.evaluation.conditions import MODEL, REAL, UNGUIDED
from lepbench.evaluation.directions import SIGNS, find_direction
from lepbench.evaluation.figures import head_metrics
from lepbench.evaluation.record import Record
from lepbench.publishing.origin import describe_origin
from lepbench.publishing.pages.report_figures import Headline, HeadlineRow, find_condition
from lepbench.publishing.pages.report_runs import ReportedRun

Facts = list[tuple[str, str]]
"""What is stated, and what it is."""


@dataclass(frozen=True)
class RunFacts:
    """What is said of a run.

    Attributes:
        level: how far it was checked, and what of it.
        settings: the MODEL.yaml that draws it.
        commands: what reproduces and checks it.
    """

    name: str
    origin: str
    level: str
    refused: str
    checks: Facts
    facts: Facts
    settings: str
    commands: str
    hashes: Facts
    packages: Facts


@dataclass(frozen=True)
class Comparing:
    """A difference of two runs."""

    title: str
    first: str
    second: str
    text: str
    interval: str
    p_value: str
    better: str


def describe_run(run: ReportedRun) -> RunFacts:
    """The facts of a run."""
    record, found = run.record, run.verification
    return RunFacts(
        run.name,
        describe_origin(record),
        level="refused" if run.refused else found.level if found else "not checked",
        refused=run.refused,
        checks=[(check.name, str(check)) for check in found.checks] if found else [],
        facts=list(_list_facts(record)),
        settings=record.identity.model.write_yaml(),
        commands=write_commands(run),
        hashes=_list_hashes(record),
        packages=list(record.identity.packages.items()),
    )


def write_commands(run: ReportedRun) -> str:
    """The commands that draw and score the same run, and check it."""
    identity, suite = run.record.identity, run.suite
    named, out = f"--suite {shlex.quote(identity.suite)}", shlex.quote(f"runs/{run.name}")
    parts = ["lepbench evaluate", shlex.quote(f"{run.name}.yaml"), named]
    parts.append(f"--protocol {shlex.quote(run.record.protocol.name)}")
    if identity.items != suite.definition.default_items:
        parts.append(f"--limit {suite.count_originals(identity.items)}")
    if identity.samples_per_item > 1:
        parts.append(f"--samples-per-item {identity.samples_per_item}")
    return "\n".join(
        [" ".join([*parts, f"--out {out}"]), f"lepbench verify {out} {named} --images --redraw 4"]
    )


def list_differences(found: Comparison | None) -> list[Comparing]:
    """The paired differences of a comparison."""
    if found is None:
        return []
    titles = head_metrics(list(dict.fromkeys(one.metric for one in found.differences)))
    rows = []
    for one in found.differences:
        low, high = one.interval.low, one.interval.high
        sign = SIGNS[find_direction(one.metric)] * one.interval.value
        better = "" if not one.significant or not sign else one.first if sign > 0 else one.second
        rows.append(
            Comparing(
                titles[one.metric],
                one.first,
                one.second,
                text=f"{one.interval.value:+.3f}",
                interval=f"{low:+.3f} to {high:+.3f}",
                p_value=f"{one.p_value:.3f}" if one.p_value >= 0.001 else "< 0.001",
                better=better,
            )
        )
    return rows


def summarise(headline: Headline, runs: Sequence[ReportedRun]) -> str:
    """The report in a sentence or two."""
    identity = runs[0].record.identity
    leading = [_say(row) for row in headline.rows if not row.reference]
    title = headline.title[:1].upper() + headline.title[1:]
    sentence = f"{title}: {'; '.join(leading)}"
    references = [
        f"{row.name} {row.text}"
        for row in headline.rows
        if row.reference and find_condition(row.name) in (UNGUIDED.name, REAL.name)
    ]
    if references:
        sentence += f". For comparison: {', '.join(references)}"
    return (
        f"{sentence}. On {runs[0].record.sample_count} samples of {identity.items} items of {identity.suite}."
    )


def _say(row: HeadlineRow) -> str:
    return f"{row.name} {row.text}" + (f" ({row.interval})" if row.interval else "")


def _list_facts(record: Record) -> Iterator[tuple[str, str]]:
    identity, machine = record.identity, record.machine
    yield "suite", f"{identity.suite}, {identity.items} items, samples of each: {identity.samples_per_item}"
    yield "protocol", record.protocol.name
    if record.protocol.description:
        yield "what it measures", record.protocol.description
    if record.protocol.judges:
        yield "judges", ", ".join(judge.label for judge in record.protocol.judges)
    if record.submitted_code:
        yield "code of the submitter", ", ".join(record.submitted_code)
    yield from (("note", note) for note in record.notes)
    cost = record.cost.get(MODEL.name)
    if cost is not None:
        tflop = "" if cost.tflop is None else f", {cost.tflop:.3g} TFLOP"
        yield "cost of a picture", f"{cost.seconds:.3g} s, {cost.passes:g} passes of the denoiser{tflop}"
    yield "machine", _describe_machine(machine.model_dump())
    if record.truncated:
        yield "captions cut by the judge", str(record.truncated)
    if record.cut_captions:
        yield "captions cut by the backbone", str(len(record.cut_captions))


def _describe_machine(machine: Mapping[str, Any]) -> str:
    parts = [machine["accelerator"], f"{machine['cores']} cores", machine["processor"], machine["system"]]
    return ", ".join(str(part) for part in parts if part)


def _list_hashes(record: Record) -> Facts:
    identity = record.identity
    named = {
        "record": record.id,
        "suite": identity.suite_sha256,
        "protocol": identity.protocol_sha256,
        "samples.parquet": record.samples_sha256,
    }
    return [*named.items(), *identity.weights.items()]
