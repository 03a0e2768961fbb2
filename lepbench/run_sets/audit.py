"""Audit a leaderboard: are its figures those of scenes that nobody can have tuned to?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from lepbench.backbones import choose_device
from lepbench.errors import LepbenchError
from lepbench.evaluation.conditions import MODEL
from lepbench.evaluation.features import read_features
from lepbench.evaluation.judges import load_judges
from lepbench.evaluation.layout import SUITES
from lepbench.evaluation.protocol import Protocol
from lepbench.evaluation.protocols import select_protocol
from lepbench.evaluation.record import Record
from lepbench.evaluation.references import load_references
from lepbench.evaluation.run import evaluate
from lepbench.evaluation.samples_table import read_samples
from lepbench.evaluation.summary import number_pictures, resample_conditions
from lepbench.judges import Judges
from lepbench.methods import ModelConfig
from lepbench.metrics.statistics import Draws, Interval
from lepbench.publishing.board_lines import BoardLine, read_lines
from lepbench.publishing.board_table import read_figures
from lepbench.publishing.leaderboard import make_line
from lepbench.publishing.results import choose_figures
from lepbench.registry import suggest_name
from lepbench.run_sets.follow import Follow
from lepbench.run_sets.last_backbone import LastBackbone
from lepbench.suite_sources import FreshSource, write_suite
from lepbench.suite_sources.recognise import list_differences
from lepbench.suite_sources.sketchworld import RECIPES
from lepbench.suites import Suite, load_suite
from lepbench.suites.definition import DEFINITION

SEED = 0
"""Of the order of resamples."""
SAME = ("backbone", "method", "sampler")
"""Columns of a board that say what drew; a model of another drawing is not the one on the board."""


@dataclass(frozen=True)
class AuditedFigure:
    """A figure of a model on public and on fresh items.

    Attributes:
        board: as it is published; None where the board has no such figure.
        public: on the board's items, drawn here or read back.
        fresh: on the fresh items.
        difference: fresh less public; items of both are resampled, independently of each other.
    """

    model: str
    metric: str
    board: float | None
    public: Interval
    fresh: Interval
    difference: Interval

    @property
    def differs(self) -> bool:
        """Whether the interval of the difference excludes 0."""
        return self.difference.low > 0 or self.difference.high < 0


@dataclass
class Audit:
    """A board, and the fresh suite that its models are held against.

    Runs lie in `out/SUITE/PROTOCOL/MODEL`, as those of a set do: what is done is read back.

    Args:
        board: the CSV file of a suite that ships and has a recipe.
        secret: the file that chooses the fresh scenes, made where there is none.
        items: how many of them.
        out: folder of the runs and the suite.

    Raises:
        LepbenchError: the board is of another suite, or of another protocol than the present one.
    """

    board: Path
    secret: Path
    items: int
    out: Path
    device: str = "auto"
    load: LastBackbone = field(default_factory=LastBackbone)

    def __post_init__(self) -> None:
        name = self.board.parent.name
        if name not in RECIPES:
            raise LepbenchError(
                f"no fresh items of suite {name!r} can be drawn", f"audit a board of {', '.join(RECIPES)}"
            )
        self.source = FreshSource(secret=self.secret, recipe=name, items=self.items)
        self.suite = load_suite(name)
        self.protocol = select_protocol(self.suite, self.board.stem)
        self.lines: dict[str, BoardLine] = {line["model"]: line for line in read_lines(self.board)[0]}
        for line in self.lines.values():
            if (line["suite_sha256"], line["protocol_sha256"]) != (self.suite.sha256, self.protocol.sha256):
                raise LepbenchError(
                    f"{self.board} is of another suite or protocol", "evaluate its models again"
                )

    def perform(
        self, models: Sequence[ModelConfig], metrics: Sequence[str], follow: Follow
    ) -> Iterator[AuditedFigure]:
        """The figures of each model, once both of its runs are done.

        Args:
            metrics: names of figures; none for the one that ranks the board.
            follow: shows the suite and the runs.

        Raises:
            LepbenchError: a model is not on the board, or there with other settings; a figure is not known;
                or a run fails.
        """
        known = read_figures(next(iter(self.lines.values()))) if self.lines else {}
        chosen = choose_figures(metrics, known, self.protocol.rank_by, str(self.board))
        for model in models:
            if model.name not in self.lines:
                fix = suggest_name(model.name, self.lines)
                raise LepbenchError(f"{self.board} has no model {model.name!r}", fix)
        fresh = self._find_fresh(follow)
        judges = load_judges(self.protocol, str(choose_device(self.device)))
        for model in models:
            line = self.lines[model.name]
            items = self.suite.count_originals(int(line["items"]))
            public = self._run(model, self.suite, items, judges=judges, follow=follow)
            _check_same(self.board, line, public)
            drawn = self._run(model, fresh, len(fresh), judges=judges, follow=follow)
            yield from self._compare(line, public, drawn, chosen)

    def _find_fresh(self, follow: Follow) -> Suite:
        """The fresh suite, made unless it is there.

        Raises:
            LepbenchError: another one is there.
        """
        name = f"{self.suite.name}-fresh"
        folder = self.out / SUITES / name
        if not (folder / DEFINITION).is_file():
            with follow(f"suite {name}") as progress:
                write_suite(self.source, folder, progress, name)
        suite = Suite(folder)
        if differing := list_differences(suite.definition, self.source, name):
            raise LepbenchError(
                f"{folder} is of another draw (differs in {', '.join(differing)})", "choose another --out"
            )
        return suite

    def _run(self, model: ModelConfig, suite: Suite, items: int, *, judges: Judges, follow: Follow) -> Record:
        name = f"{suite.name}/{self.protocol.name}/{model.name}"
        with follow(name) as progress:
            record = evaluate(
                model,
                suite,
                self.out / name,
                limit=items,
                device=self.device,
                judges=judges,
                protocol=self.protocol,
                load=self.load,
                progress=progress,
            )
        if record.failed[MODEL.name]:
            raise LepbenchError(f"samples of {name} failed", "run the same command again to retry them")
        return record

    def _compare(
        self, line: BoardLine, public: Record, fresh: Record, metrics: Sequence[str]
    ) -> Iterator[AuditedFigure]:
        published, level = read_figures(line), self.protocol.confidence
        known, new = (resample_model(record, self.protocol) for record in (public, fresh))
        for metric in metrics:
            if metric not in known or metric not in new:
                raise LepbenchError(f"{metric} of {line['model']!r} has no value", "name other figures")
            yield AuditedFigure(
                line["model"],
                metric,
                board=published[metric].value,
                public=known[metric].interval(level),
                fresh=new[metric].interval(level),
                difference=subtract_independent(new[metric], known[metric]).interval(level),
            )


def resample_model(record: Record, protocol: Protocol) -> dict[str, Draws]:
    """The figures of a run's model with their resamples."""
    folder = record.require_folder()
    samples = number_pictures(read_samples(folder, protocol))
    features = read_features(folder, record.features_sha256)
    return resample_conditions(samples, features, load_references(protocol), protocol, rows=(MODEL.name,))[
        MODEL.name
    ]


def subtract_independent(first: Draws, second: Draws) -> Draws:
    """The difference of two values of items that have nothing in common.

    Resamples of as many items are of the same places in both lists; mixed, they pair nothing.
    """
    mixed = np.random.default_rng(SEED).permutation(second.draws)
    return first.minus(Draws(second.value, mixed))


def _check_same(board: Path, line: BoardLine, record: Record) -> None:
    made = make_line(record)
    for column in SAME:
        if made[column] != line[column]:
            raise LepbenchError(
                f"{line['model']!r} is on {board} with {column} {line[column]!r}, not {made[column]!r}",
                "give the model as it was evaluated",
            )
