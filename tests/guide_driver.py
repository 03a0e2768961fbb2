"""Runs the commands of guides: each in a process of its own, which need not import the libraries again.

As a program it reads commands from stdin and writes their exit codes to stdout.
"""

from __future__ import annotations

import importlib
import os
import runpy
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PRELOADED = (
    "diffusers.models.autoencoders.autoencoder_kl",
    "diffusers.models.controlnets.controlnet",
    "diffusers.models.unets.unet_2d_condition",
    "diffusers.pipelines.controlnet.pipeline_controlnet",
    "diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion",
    "transformers.models.clip.modeling_clip",
    "transformers.models.dinov2.modeling_dinov2",
    "matplotlib.backends.backend_agg",
    "lepbench.api.data",
    "lepbench.api.running",
    "lepbench.api.suites",
    "lepbench.publishing.pages.report",
    "lepbench.publishing.publish",
)
"""What most commands import; the libraries' own packages import a class only when it is asked for."""
SHELL = """
ask() { printf '%s\\0' "$#" "$PWD" "$@" >&"$ASK"; read -r ended <&"$ANSWER"; return "$ended"; }
lepbench() { ask lepbench "$@"; }
python() { ask python "$@"; }
"""
"""Functions of bash that hand their words to the driver; without a driver they fail."""
OUT, ERR = "guide.out", "guide.err"

Driver = subprocess.Popen[bytes]


@contextmanager
def start_driver() -> Iterator[Driver]:
    """A driver, which ends with the block."""
    driver = subprocess.Popen([sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        yield driver
    finally:
        driver.kill()
        driver.communicate()


def run_script(driver: Driver, script: str, folder: Path) -> tuple[int, str, str]:
    """Run a script of bash in a folder: its exit code, and what commands wrote to stdout and stderr."""
    assert driver.stdin is not None
    assert driver.stdout is not None
    ask, answer = driver.stdin.fileno(), driver.stdout.fileno()
    (folder / "guide.sh").write_text(SHELL + script)
    done = subprocess.run(
        ["bash", "-e", "guide.sh"],
        cwd=folder,
        env={**os.environ, "ASK": str(ask), "ANSWER": str(answer)},
        pass_fds=(ask, answer),
    )
    said = [path.read_text() if (path := folder / name).is_file() else "" for name in (OUT, ERR)]
    return done.returncode, said[0], said[1]


def serve() -> None:
    """Answer commands until the end."""
    for name in PRELOADED:
        importlib.import_module(name)
    while count := read_word():
        place, *words = (read_word() for _ in range(int(count) + 1))
        child = os.fork()
        if not child:
            run_command(Path(place), words)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


def read_word() -> str:
    """What stdin has up to the next NUL."""
    word = b""
    while (byte := os.read(0, 1)) not in (b"", b"\0"):
        word += byte
    return word.decode()


def run_command(place: Path, words: list[str]) -> None:
    """Be one command of a guide, in its folder."""
    from lepbench.cli.app import main

    os.chdir(place)
    os.environ["LEPBENCH_CACHE"] = str(place / "cache")
    for stream, name, mode in ((0, os.devnull, "rb"), (1, OUT, "ab"), (2, ERR, "ab")):
        with Path(name).open(mode) as kept:
            os.dup2(kept.fileno(), stream)
    print("$", *words, file=sys.stderr, flush=True)
    sys.argv = words if words[0] == "lepbench" else words[1:]
    ended = 0
    try:
        main() if words[0] == "lepbench" else runpy.run_path(words[1], run_name="__main__")
    except SystemExit as left:
        ended = int(left.code or 0)
    except BaseException:
        sys.excepthook(*sys.exc_info())
        ended = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(ended)


if __name__ == "__main__":
    serve()
