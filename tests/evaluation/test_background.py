"""Jobs beside the caller: in order, one at a time, and none of their errors is lost."""

from __future__ import annotations

import threading

import pytest

from lepbench.evaluation.background import BackgroundJobs

PATIENCE = 30


def test_jobs_run_in_order_and_are_done_at_the_end() -> None:
    done: list[int] = []
    with BackgroundJobs() as background:
        for number in range(9):
            background.start(done.append, number)
    assert done == list(range(9))


def test_the_caller_goes_on_beside_a_job_and_waits_before_the_next() -> None:
    go_on, order = threading.Event(), []

    def first() -> None:
        assert go_on.wait(PATIENCE)
        order.append("first")

    with BackgroundJobs() as background:
        background.start(first)
        order.append("caller")
        go_on.set()
        background.start(lambda: order.append("second"))
        assert order[:2] == ["caller", "first"]
    assert order == ["caller", "first", "second"]


def fail() -> None:
    raise OSError("no room")


def test_an_error_is_raised_by_the_next_start() -> None:
    later: list[int] = []

    def run() -> None:
        with BackgroundJobs() as background:
            background.start(fail)
            background.start(later.append, 1)

    with pytest.raises(OSError, match="no room"):
        run()
    assert later == []


def test_an_error_of_the_last_job_is_raised_at_the_end() -> None:
    with pytest.raises(OSError, match="no room"), BackgroundJobs() as background:
        background.start(fail)


def test_an_interrupted_block_lets_its_job_finish() -> None:
    interrupted, done = threading.Event(), []

    def job() -> None:
        assert interrupted.wait(PATIENCE)
        done.append(1)

    def run() -> None:
        with BackgroundJobs() as background:
            background.start(job)
            interrupted.set()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run()
    assert done == [1]
