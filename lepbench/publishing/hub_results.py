"""What the hub shows of a benchmark: `eval.yaml` of its data set, and `.eval_results/NAME.yaml` of a model.

Sources: huggingface.co/docs/hub/eval-results; `huggingface_hub.EvalResultEntry`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import yaml
from pydantic import Field, field_validator

from lepbench.config import Config
from lepbench.errors import LepbenchError
from lepbench.evaluation.conditions import MODEL
from lepbench.evaluation.protocol import Protocol
from lepbench.evaluation.record import Record
from lepbench.evaluation.summary import list_metrics
from lepbench.hub import report_upload_errors
from lepbench.publishing.results import choose_figures
from lepbench.suites import Suite

if TYPE_CHECKING:
    from huggingface_hub import EvalResultEntry

EVAL = "eval.yaml"
RESULTS = ".eval_results"
FRAMEWORK = "lepbench"


class BenchmarkTask(Config):
    """A figure that models have a value of."""

    id: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=100)
    config: str | None = None
    split: str | None = None


class Benchmark(Config):
    """Content of `eval.yaml`, at the root of a data set's repository."""

    name: str = Field(min_length=1, max_length=200)
    description: str
    evaluation_framework: str = Field(default=FRAMEWORK, pattern=r"^[a-z0-9][a-z0-9._-]*$")
    tasks: tuple[BenchmarkTask, ...] = Field(min_length=1)

    @field_validator("tasks")
    @classmethod
    def _are_several(cls, tasks: tuple[BenchmarkTask, ...]) -> tuple[BenchmarkTask, ...]:
        if len({task.id for task in tasks}) < len(tasks):
            raise ValueError("two tasks have one id")
        return tasks


class ResultSource(Config):
    """Where a result comes from, as the hub shows it; a name, user or organisation needs an address."""

    url: str | None = Field(default=None, pattern=r"^https://\S+$", max_length=500)
    name: str | None = Field(default=None, max_length=100)
    user: str | None = Field(default=None, max_length=100)
    org: str | None = Field(default=None, max_length=100)


def make_benchmark(
    suite: Suite,
    protocol: Protocol,
    metrics: Sequence[str] = (),
    *,
    config: str | None = None,
    split: str | None = None,
) -> Benchmark:
    """A suite under a protocol as a benchmark: a task a figure.

    Args:
        metrics: names of figures; none for the one that ranks.
        config: of the data set, in which the items are.
        split: likewise.

    Raises:
        LepbenchError: a figure is not one of the protocol's, or none is given and none ranks.
    """
    chosen = choose_figures(metrics, list_metrics(protocol), protocol.rank_by, protocol.name)
    return Benchmark(
        name=suite.name,
        description=suite.definition.description,
        tasks=tuple(
            BenchmarkTask(id=name_task(protocol, name), config=config, split=split) for name in chosen
        ),
    )


def name_task(protocol: Protocol, metric: str) -> str:
    """The id of a figure's task: the protocol's name, as scores compare under one alone, and the figure's."""
    return re.sub(r"[^A-Za-z0-9._-]", "-", f"{protocol.name}.{metric}")


def format_benchmark(benchmark: Benchmark) -> str:
    """A benchmark as YAML."""
    return _dump(benchmark.model_dump(mode="json", exclude_none=True))


def make_results(
    record: Record,
    dataset: str,
    metrics: Sequence[str] = (),
    *,
    revision: str | None = None,
    date: str | None = None,
    source: ResultSource | None = None,
) -> list[EvalResultEntry]:
    """The figures of a run's model as results of a benchmark, an entry a task.

    Args:
        record: verified.
        dataset: `owner/name` of the data set that has the suite and its `eval.yaml`.
        metrics: names of figures; none for the one that ranks.
        revision: the data set's commit.
        date: ISO 8601; the hub takes that of the commit unless given.

    Raises:
        LepbenchError: a figure is not known or has no value, or a name is none of the hub's.
    """
    entry = _find_class()
    check_repository(dataset)
    given = source or ResultSource()
    figures = record.rows[MODEL.name]
    entries = []
    terms = record.protocol
    for name in choose_figures(metrics, list_metrics(terms), terms.rank_by, terms.name):
        value = figures[name].value
        if value is None:
            raise LepbenchError(f"{name} of {record.identity.model.name} has no value", "name other figures")
        try:
            made = entry(
                dataset_id=dataset,
                task_id=name_task(terms, name),
                value=value,
                dataset_revision=revision,
                date=date,
                source_url=given.url,
                source_name=given.name,
                source_user=given.user,
                source_org=given.org,
                notes=_describe(record, name),
            )
        except ValueError as error:
            raise LepbenchError(f"the source has no address: {error}", "give --source-url") from error
        entries.append(made)
    return entries


def format_results(entries: Sequence[EvalResultEntry]) -> str:
    """Results as YAML, by the hub's own writer."""
    from huggingface_hub import eval_result_entries_to_yaml

    return _dump(eval_result_entries_to_yaml(list(entries)))


def push_file(content: str, path: str, repo_id: str, repo_type: str) -> str:
    """Upload a file to a repository that there is; the commit's address.

    Args:
        path: in the repository.
        repo_type: "dataset" or "model".

    Raises:
        LepbenchError: the name is none, or the hub refuses or cannot be reached.
    """
    from huggingface_hub import HfApi

    check_repository(repo_id)
    with report_upload_errors(repo_id):
        commit = HfApi().upload_file(
            path_or_fileobj=content.encode(),
            path_in_repo=path,
            repo_id=repo_id,
            repo_type=repo_type,
            commit_message=f"Write {path}",
        )
    return str(commit.commit_url)


def check_repository(repo_id: str) -> None:
    """Refuse what is no `owner/name` of the hub.

    Raises:
        LepbenchError: it is none.
    """
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils._validators import validate_repo_id

    try:
        validate_repo_id(repo_id)
    except HFValidationError as error:
        raise LepbenchError(
            f"{repo_id!r} is no repository of the hub: {error}", "write OWNER/NAME"
        ) from error
    if "/" not in repo_id:
        raise LepbenchError(f"{repo_id!r} is no repository of the hub", "write OWNER/NAME")


def _find_class() -> type[EvalResultEntry]:
    try:
        from huggingface_hub import EvalResultEntry
    except ImportError as error:
        raise LepbenchError(
            "this huggingface_hub knows no results of evaluations", "pip install --upgrade huggingface_hub"
        ) from error
    return EvalResultEntry


def _describe(record: Record, metric: str) -> str:
    """What decides a figure, and its interval, in a line."""
    figure, identity = record.rows[MODEL.name][metric], record.identity
    low, high = figure.low, figure.high
    said = (
        ""
        if low is None or high is None
        else f", {record.protocol.confidence:.0%} interval {low:.4g} to {high:.4g}"
    )
    hashes = {"suite": identity.suite_sha256, "protocol": identity.protocol_sha256, "record": record.id}
    return (
        f"{metric} by lepbench {identity.packages['lepbench']}, {identity.items} items{said}; "
        f"{', '.join(f'{name} {digest[:12]}' for name, digest in hashes.items())}"
    )


def _dump(document: Any) -> str:
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=110)
