"""A board as the site shows it: lines with their figures and ranks, and what is known of them from runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from lepbench.evaluation.compare import Comparison, compare
from lepbench.evaluation.conditions import MODEL
from lepbench.evaluation.figures import Figure, choose_main_metrics
from lepbench.evaluation.record import Record
from lepbench.evaluation.verification_levels import SELF_REPORTED
from lepbench.publishing.board_cells import check_lines
from lepbench.publishing.board_guard import GUARD, has_failed
from lepbench.publishing.board_lines import LEVEL, BoardLine, read_terms
from lepbench.publishing.board_table import describe_rank, read_figures, split_lines
from lepbench.publishing.pages.ranks import Ranks, rank_by_intervals

COSTS = {"seconds": "s a picture", "passes": "passes", "tflop": "TFLOP"}
"""What a picture costs, by what it is called in a record, with its heading."""


@dataclass(frozen=True)
class SiteRun:
    """A run whose line is on a board."""

    folder: Path
    record: Record


@dataclass(frozen=True)
class SiteLine:
    """A model on a board.

    Attributes:
        given: its cells as the board has them.
        ranks: best and worst; None for a model that takes no part.
        costs: of a picture, by what it is called.
        run: None where it is not at hand.
    """

    model: str
    given: BoardLine
    figures: Mapping[str, Figure]
    ranks: Ranks | None
    costs: Mapping[str, float]
    run: SiteRun | None

    @property
    def level(self) -> str:
        """How far it was checked."""
        return self.given.get(LEVEL, SELF_REPORTED)

    @property
    def guard(self) -> str:
        """What the guard found; empty where it did not look."""
        return self.given.get(GUARD, "")

    @property
    def failed(self) -> bool:
        """Whether the guard found its pictures to be made for the judges."""
        return has_failed(self.given)


@dataclass(frozen=True)
class SiteBoard:
    """A board.

    Attributes:
        metric: what ranks, or the first of the main figures where none does.
        ranked: whether it ranks.
        tested: whether ranks are by a paired test, not by intervals.
        comparison: of the runs at hand; None of fewer than two.
        lines: those that were checked, then the self-reported ones.
    """

    suite: str
    protocol: str
    description: str
    rank: str
    metric: str
    ranked: bool
    confidence: float
    levels: Sequence[str]
    lines: Sequence[SiteLine]
    tested: bool = False
    comparison: Comparison | None = None

    @property
    def runs(self) -> list[SiteRun]:
        """The runs at hand."""
        return [line.run for line in self.lines if line.run is not None]

    @property
    def leaders(self) -> list[str]:
        """The models that may be the best."""
        return [line.model for line in self.lines if line.ranks is not None and line.ranks[0] == 1]


def read_board(path: Path, runs: Mapping[str, SiteRun]) -> SiteBoard | None:
    """A board that is checked; None where it has no lines.

    Args:
        runs: by the hash of their records.

    Raises:
        LepbenchError: something on it cannot be.
    """
    found, terms = check_lines(path), read_terms(path)
    if not found:
        return None
    checked, apart = split_lines(found)
    figures = {line["model"]: read_figures(line) for line in (*checked, *apart)}
    known = figures[found[0]["model"]]
    metric = terms.get("rank_by") or next(iter(choose_main_metrics(known)), next(iter(known)))
    taking_part = {line["model"]: figures[line["model"]][metric] for line in checked or apart}
    ranked = terms.get("rank_by") is not None
    ranks = rank_by_intervals(taking_part, metric) if ranked else {}
    return SiteBoard(
        suite=path.parent.name,
        protocol=path.stem,
        description=str(terms.get("description", "")),
        rank=describe_rank(path, terms),
        metric=metric,
        ranked=ranked,
        confidence=float(terms["confidence"]),
        levels=[str(level) for level in terms.get("levels", ())],
        lines=[
            _make_line(line, figures[line["model"]], ranks.get(line["model"]), runs.get(line["record"]))
            for line in (*checked, *apart)
        ],
    )


def _make_line(
    line: BoardLine, figures: Mapping[str, Figure], ranks: Ranks | None, run: SiteRun | None
) -> SiteLine:
    return SiteLine(line["model"], line, figures, ranks=ranks, costs=_read_costs(run), run=run)


def _read_costs(run: SiteRun | None) -> dict[str, float]:
    cost: Any = None if run is None else run.record.cost.get(MODEL.name)
    found = {name: getattr(cost, name, None) for name in COSTS}
    return {name: value for name, value in found.items() if value is not None}


def compare_runs(board: SiteBoard, most: int) -> SiteBoard:
    """A board whose runs at hand are compared pair by pair; its ranks are those of the test if all are.

    Where lines have ranks, those without take no part: they would widen the test's correction.

    Args:
        most: runs; of more, the first.

    Raises:
        LepbenchError: a run cannot be read.
    """
    ranked = [line.run for line in board.lines if line.run is not None and line.ranks is not None]
    folders = [run.folder for run in (ranked or board.runs)[:most]]
    if len(folders) < 2:
        return board
    found = compare(folders, metrics=[board.metric])
    board = replace(board, comparison=found)
    ranks = {one.run: one.ranks for one in found.standings if one.metric == board.metric}
    taking_part = [line.model for line in board.lines if line.ranks is not None]
    if not board.ranked or set(ranks) != set(taking_part):
        return board
    lines = [replace(line, ranks=ranks.get(line.model)) for line in board.lines]
    return replace(board, lines=lines, tested=True)
