"""A team outlives its workers: who dies is replaced, who hangs is ended, and nothing is done twice."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from lepbench.engines import Processes, choose_engine
from lepbench.engines.base import WorkerLostError
from lepbench.errors import LepbenchError


class Part(NamedTuple):
    number: int
    entries: int = 1


class Job:
    """Notes in a folder who opened it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def open(self) -> None:
        (self.folder / f"opened-{os.getpid()}").touch()


def work(job: Job, piece: Part, progress: Any) -> int:
    tries = len(list(job.folder.glob(f"try-{piece.number}-*")))
    (job.folder / f"try-{piece.number}-{tries}").touch()
    if piece.number == 1 and not tries:
        os._exit(9)
    if piece.number == 2:
        os._exit(9)
    if piece.number == 3:
        time.sleep(600)
    if piece.number == 4:
        raise WorkerLostError("the accelerator is gone")
    return piece.number


def replace(piece: Part, reason: str) -> str:
    return reason


@pytest.mark.slow
def test_what_workers_do_not_finish_is_replaced_and_the_rest_is_done_once(tmp_path: Path) -> None:
    parts = [Part(number) for number in range(8)]
    told: list[int] = []
    with Processes(2, timeout=5.0).start(work, Job(tmp_path)) as team:
        found: dict[Part, Any] = dict(team.run(parts, told.append, replace))
        again: dict[Part, Any] = dict(team.run([Part(6)], told.append, replace))
    assert {part.number: result for part, result in found.items()} == {
        **{number: number for number in (0, 1, 5, 6, 7)},
        2: "a worker process ended, perhaps because memory ran out",
        3: "it took longer than 5 s",
        4: "the accelerator is gone",
    }
    assert again == {Part(6): 6}
    assert sum(told) == 9
    tries = {n: len(list(tmp_path.glob(f"try-{n}-*"))) for n in range(8)}
    assert tries == {0: 1, 1: 2, 2: 2, 3: 1, 4: 2, 5: 1, 6: 2, 7: 1}
    # Two from the start, and one for each of the six that were lost, unless nothing was left to do.
    assert 6 <= len(list(tmp_path.glob("opened-*"))) <= 8


@pytest.mark.slow
def test_a_worker_that_ended_while_it_had_nothing_to_do_is_replaced(tmp_path: Path) -> None:
    with Processes(1).start(work, Job(tmp_path)) as team:
        assert dict(team.run([Part(0)], lambda more: None)) == {Part(0): 0}
        (opened,) = tmp_path.glob("opened-*")
        os.kill(int(opened.name.partition("-")[2]), signal.SIGKILL)
        time.sleep(0.5)
        assert dict(team.run([Part(5)], lambda more: None)) == {Part(5): 5}
    assert len(list(tmp_path.glob("opened-*"))) == 2


def test_without_a_replacement_a_lost_piece_ends_the_run(tmp_path: Path) -> None:
    with pytest.raises(LepbenchError, match="a worker process ended"):
        list(Processes(1).run(work, Job(tmp_path), [Part(2)], lambda more: None))


class Unopenable(Job):
    def open(self) -> None:
        os._exit(9)


def test_workers_that_only_end_end_the_run(tmp_path: Path) -> None:
    with (
        Processes(1).start(work, Unopenable(tmp_path)) as team,
        pytest.raises(LepbenchError, match="workers in a row ended"),
    ):
        list(team.run([Part(0)], lambda more: None, replace))


def test_engines_are_chosen_by_what_is_asked_for() -> None:
    assert type(choose_engine(None, None)).__name__ == "InProcess"
    assert type(choose_engine(None, 2)).__name__ == "Processes"
    assert type(choose_engine(None, None, timeout=9)).__name__ == "Processes"
    for asked in ({"workers": 2}, {"timeout": 9.0, "workers": None}):
        with pytest.raises(LepbenchError, match="engine 'here'"):
            choose_engine("here", **asked)
