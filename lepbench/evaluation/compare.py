"""Comparison of runs: which differences are significant?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from lepbench.errors import LepbenchError
from lepbench.evaluation.conditions import CONDITIONS, MODEL, REAL, UNGUIDED
from lepbench.evaluation.directions import SIGNS, find_direction
from lepbench.evaluation.features import read_features
from lepbench.evaluation.notebook import render_tables
from lepbench.evaluation.parts import check_protocol, find_other_judge
from lepbench.evaluation.protocol import Protocol
from lepbench.evaluation.record import Record, read_record
from lepbench.evaluation.references import load_references
from lepbench.evaluation.sample import OK
from lepbench.evaluation.samples_table import read_samples
from lepbench.evaluation.summary import list_main_metrics, number_pictures, resample_conditions
from lepbench.metrics.statistics import Draws, Interval, holm

SHOWN = tuple(kind.name for kind in (MODEL, UNGUIDED, REAL))
"""Conditions that a comparison reads: the model, and the ends of its skill scale."""
SIGNIFICANT = 0.05
RESAMPLES_A_TEST = 1000
"""A corrected p value is at least 2 tests / (resamples + 1): with this number per test 0.002."""


@dataclass(frozen=True)
class Difference:
    """Run `first` less run `second` on one metric.

    Attributes:
        interval: of the paired difference.
        p_value: two-sided, corrected (Holm) for every difference of the comparison.
    """

    metric: str
    first: str
    second: str
    interval: Interval
    p_value: float

    @property
    def significant(self) -> bool:
        return self.p_value < SIGNIFICANT


@dataclass(frozen=True)
class Standing:
    """One run on one metric.

    Attributes:
        interval: of the figure.
        skill: (figure - unguided) / (real - unguided) of the same run, unguided 0 and real 1; None where real
            pictures are not significantly better than unguided ones, or neither side of the metric is better.
        ranks: best and worst rank that no significant difference speaks against; ties share theirs. None
            where neither side of the metric is better.
    """

    metric: str
    run: str
    interval: Interval
    skill: float | None
    ranks: tuple[int, int] | None


@dataclass(frozen=True, repr=False)
class Comparison:
    """Result of `lepbench compare`."""

    samples: int
    left_out: int
    """Number of samples that failed in some run, and are excluded from all."""
    standings: list[Standing]
    differences: list[Difference]

    def to_frame(self, part: Literal["standings", "differences"] = "standings") -> pd.DataFrame:
        """One of its two tables.

        Args:
            part: "standings", a line a metric and run: `value`, the ends `low` and `high` of its interval,
                `skill`, `best_rank` and `worst_rank`; or "differences", a line a metric and pair of runs:
                `value` of the first less the second, `low`, `high`, `p_value` and `significant`.

        Raises:
            LepbenchError: there is no such part.
        """
        if part == "standings":
            lines = [
                {"metric": one.metric, "run": one.run, **one.interval._asdict(), **_rank(one)}
                for one in self.standings
            ]
            return pd.DataFrame(lines).set_index(["metric", "run"])
        if part != "differences":
            raise LepbenchError(f"a comparison has no {part!r}", 'write "standings" or "differences"')
        columns = ["metric", "first", "second", "value", "low", "high", "p_value", "significant"]
        found = [
            (one.metric, one.first, one.second, *one.interval, one.p_value, one.significant)
            for one in self.differences
        ]
        return pd.DataFrame(found, columns=columns).set_index(["metric", "first", "second"])

    def __repr__(self) -> str:
        runs = ", ".join(dict.fromkeys(one.run for one in self.standings))
        return f"Comparison({runs}, {self.samples} samples; to_frame() has the figures)"

    def _repr_html_(self) -> str:
        """How a notebook shows it: both tables."""
        return render_tables(
            {
                f"Standings on {self.samples} samples": self.to_frame(),
                "Paired differences": self.to_frame("differences"),
            }
        )


def _rank(one: Standing) -> dict[str, float | int | None]:
    best, worst = one.ranks or (None, None)
    return {"skill": one.skill, "best_rank": best, "worst_rank": worst}


def compare(
    folders: Sequence[Path], every_metric: bool = False, *, metrics: Sequence[str] | None = None
) -> Comparison:
    """Compare two or more finished runs on the same samples.

    Args:
        folders: of `lepbench evaluate`, each with its own model name.
        every_metric: all metrics, not only the main ones.
        metrics: these instead; p values are corrected for their number.

    Raises:
        LepbenchError: a folder holds no run, two have the same name, or they are not comparable.
    """
    records = [read_record(folder) for folder in folders]
    check_comparable(folders, records)
    protocol = records[0].protocol
    names = [record.identity.model.name for record in records]
    tables = [_samples(folder, protocol) for folder in folders]
    common, left_out = _common(tables)
    shared = {name: select_samples(table, common) for name, table in zip(names, tables, strict=True)}
    features = {
        name: read_features(folder, record.features_sha256)
        for name, folder, record in zip(names, folders, records, strict=True)
    }
    references = load_references(protocol)

    def draw(rules: Protocol, rows: Sequence[str]) -> dict[str, dict[str, dict[str, Draws]]]:
        return {
            name: resample_conditions(table, features[name], references, rules, rows=rows)
            for name, table in shared.items()
        }

    rows = draw(protocol, SHOWN)
    chosen = list_main_metrics(protocol) if metrics is None else metrics
    metrics = [
        metric
        for metric in rows[names[0]][MODEL.name]
        if all(metric in rows[run][MODEL.name] for run in names) and (every_metric or metric in chosen)
    ]
    enough = RESAMPLES_A_TEST * len(metrics) * len(names) * (len(names) - 1) // 2
    finer = protocol.model_copy(update={"resamples": enough, "kid_subsamples": enough})
    differences = _differences(draw(finer, (MODEL.name,)), metrics, protocol)
    standings = [
        _standing(metric, run, rows=rows[run], differences=differences, protocol=protocol)
        for metric in metrics
        for run in names
    ]
    return Comparison(len(common), left_out, standings, differences)


def _differences(
    rows: dict[str, dict[str, dict[str, Draws]]], metrics: Sequence[str], protocol: Protocol
) -> list[Difference]:
    """Every pair of runs on every metric that has resamples."""
    drawn = [
        (metric, first, second, rows[first][MODEL.name][metric].minus(rows[second][MODEL.name][metric]))
        for metric in metrics
        for first, second in combinations(rows, 2)
        if len(rows[first][MODEL.name][metric].draws) > 1
    ]
    adjusted = holm([draws.p_value() for *_, draws in drawn])
    return [
        Difference(metric, first, second, interval=draws.interval(protocol.confidence), p_value=float(p))
        for (metric, first, second, draws), p in zip(drawn, adjusted, strict=True)
    ]


def _standing(
    metric: str,
    run: str,
    rows: dict[str, dict[str, Draws]],
    differences: Sequence[Difference],
    protocol: Protocol,
) -> Standing:
    sign = SIGNS[find_direction(metric)]
    lead = []
    for other in differences:
        if other.metric == metric and run in (other.first, other.second) and other.significant:
            ahead = sign * other.interval.value > 0
            lead.append(ahead if run == other.first else not ahead)
    runs = {name for other in differences for name in (other.first, other.second)} | {run}
    ranks = (1 + lead.count(False), len(runs) - lead.count(True))
    return Standing(
        metric,
        run,
        interval=rows[MODEL.name][metric].interval(protocol.confidence),
        skill=_skill(metric, rows, protocol) if sign else None,
        ranks=ranks if sign else None,
    )


def _skill(metric: str, rows: dict[str, dict[str, Draws]], protocol: Protocol) -> float | None:
    drawn = [rows[row][metric] for row in SHOWN if metric in rows.get(row, {})]
    if len(drawn) < 3:
        return None
    model, unguided, real = drawn
    gap = real.minus(unguided).interval(protocol.confidence)
    if not (gap.high < 0 if find_direction(metric) == "lower" else gap.low > 0):
        return None
    return model.minus(unguided).value / gap.value


def _samples(folder: Path, protocol: Protocol) -> pd.DataFrame:
    return number_pictures(read_samples(folder, protocol))


def _keys(table: pd.DataFrame) -> pd.Series[Any]:
    return table["item_id"] + "-" + table["sample_index"].astype(str)


def _common(tables: Sequence[pd.DataFrame]) -> tuple[set[str], int]:
    """Samples that succeeded in every run, and the number of the others."""
    models = [table[table["row"] == MODEL.name] for table in tables]
    good = [set(_keys(model[model["status"] == OK])) for model in models]
    common = set.intersection(*good)
    if not common:
        raise LepbenchError("no sample was drawn by every run", "compare runs of the same items")
    return common, len(models[0]) - len(common)


def select_samples(table: pd.DataFrame, common: set[str]) -> pd.DataFrame:
    """The lines of common samples, and of their items in conditions that are drawn once an item."""
    once = table["row"].isin([kind.name for kind in CONDITIONS.values() if not kind.repeats])
    items = {key.rpartition("-")[0] for key in common}
    return table[_keys(table).isin(common) | (once & table["item_id"].isin(items))]


def check_comparable(folders: Sequence[Path], records: Sequence[Record]) -> None:
    """Refuse runs that do not compare.

    Raises:
        LepbenchError: two have one name, one was scored by a protocol that is another by now, or they differ
            in a term; the message names it.
    """
    for folder, record in zip(folders, records, strict=True):
        check_protocol(folder, record.protocol, record.identity.protocol_sha256)
    for key in ("suite_sha256", "protocol_sha256", "items", "samples_per_item"):
        wanted = getattr(records[0].identity, key)
        for folder, record in zip(folders, records, strict=True):
            found = getattr(record.identity, key)
            if found != wanted:
                terms = find_differing_term(record.protocol, records[0].protocol)
                said = terms if terms and key == "protocol_sha256" else (key, found, wanted)
                raise LepbenchError(
                    f"{folder} has {said[0]} {said[1]} and {folders[0]} {said[2]}: they do not compare",
                    "evaluate again under the same terms",
                )
    for folder, record in zip(folders, records, strict=True):
        weights = record.identity.weights, records[0].identity.weights
        if other := find_other_judge(record.protocol, *weights):
            raise LepbenchError(
                f"{folder} was scored by another {other} than {folders[0]}: they do not compare",
                "evaluate again with the same files",
            )
    names = [record.identity.model.name for record in records]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise LepbenchError(f"two runs are both called {twice!r}", "rename one in its YAML")


def find_differing_term(first: Protocol, second: Protocol) -> tuple[str, Any, Any] | None:
    """The first term in which two protocols differ, other than their name, and its values."""
    ours, theirs = first.describe(), second.describe()
    differing = [name for name in ours if ours[name] != theirs.get(name)]
    # What follows from other terms, or only says where files lie, is named last.
    ordered = sorted(differing, key=lambda name: name in ("name", "description", "reference"))
    return next(((name, ours[name], theirs.get(name)) for name in ordered), None)
