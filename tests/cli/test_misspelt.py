"""Misspelt commands and options: one line with the nearest, exit code 2."""

from __future__ import annotations

import sys

import pytest

from lepbench.cli.app import VERBS, main


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["evalute"], "no command 'evalute'; did you mean 'evaluate'?"),
        (["build_data"], "did you mean 'build-data'?"),
        (["train"], "did you mean 'train-lep'?"),
        (["xyzzy"], f"choose one of: {', '.join(sorted(VERBS))}"),
        (["list", "sutes"], "no command 'sutes' of 'list'; did you mean 'suites'?"),
        (["score", "imges"], "did you mean 'images'?"),
        (["suite", "exprt"], "did you mean 'export'?"),
        (["data", "verfy"], "did you mean 'verify'?"),
        (["leaderboard", "ad"], "did you mean 'add'?"),
        (["mini", "gate"], "did you mean 'gates'?"),
        (["list", "suites", "--jsn"], "Did you mean '--json'?"),
        (["evaluate", "--otu", "x"], "'--out'"),
    ],
)
def test_what_is_misspelt_is_one_line_with_the_nearest(
    words: list[str], said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["lepbench", *words])
    with pytest.raises(SystemExit) as left:
        main()
    out, err = capsys.readouterr()
    assert left.value.code == 2
    assert out == ""
    assert err.count("\n") == 1
    assert said in err
