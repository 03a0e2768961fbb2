"""Files of URLs, weights of detectors and packages as needs: asked for, fetched, and found here."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from lepbench.detectors import weights
from lepbench.detectors.dexined import Dexined
from lepbench.detectors.needs import DetectorWeights
from lepbench.errors import LepbenchError
from lepbench.files import sha256_bytes
from lepbench.judges import InceptionJudgeConfig
from lepbench.needs import BrokenNeed, NeededFile, Package, UrlFile, refuse_unusable
from lepbench.progress import ignore_progress

CONTENT = b"weights of something"
DIGEST = sha256_bytes(CONTENT)


class Handler(SimpleHTTPRequestHandler):
    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture(autouse=True)
def online(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEPBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.delenv("TRANSFORMERS_OFFLINE", raising=False)


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    """A file that a server of this machine has."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "net.pth").write_bytes(CONTENT)
    handler = partial(Handler, directory=tmp_path / "site")
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/net.pth"
        server.shutdown()
        thread.join()


def test_a_judges_file_of_a_url_is_measured_and_fetched_once(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    judge = InceptionJudgeConfig(weights=url, sha256=DIGEST, library="torch-fidelity")
    need, package = judge.list_needs()
    assert isinstance(need, UrlFile)
    assert isinstance(package, Package)
    assert need.list_files() == [NeededFile("net.pth", len(CONTENT), DIGEST, here=False)]
    assert not need.is_here()
    (fetched,) = need.fetch(ignore_progress)
    assert fetched == ("net.pth", len(CONTENT), DIGEST)
    assert need.is_here()
    (tmp_path / "site" / "net.pth").unlink()
    assert need.fetch(ignore_progress) == [fetched]
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(LepbenchError, match="cannot be fetched offline; unset HF_HUB_OFFLINE"):
        UrlFile("judge", url, "0" * 64).list_files()


def test_what_a_server_lacks_is_said_in_one_line(url: str) -> None:
    with pytest.raises(LepbenchError, match=r"other\.pth cannot be asked for: .*404"):
        UrlFile("judge", url.replace("net", "other"), DIGEST).list_files()


def test_weights_of_a_detector_are_trusted_or_known(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(weights.PUBLISHED, "dexined", url)
    need = next(need for need in Dexined().list_needs() if isinstance(need, DetectorWeights))
    assert need.list_files() == [NeededFile("net.pth", len(CONTENT), None, here=False)]
    with pytest.raises(LepbenchError, match="no sha256 of 'dexined' is known here"):
        need.fetch(ignore_progress)
    assert DetectorWeights(need.what, "dexined", trust=True).fetch(ignore_progress)[0].sha256 == DIGEST
    assert need.is_here()
    assert need.list_files() == [NeededFile("net.pth", len(CONTENT), DIGEST, here=True)]
    assert not DetectorWeights(need.what, "dexined", "0" * 64).is_here()


def test_what_no_download_brings_is_refused_with_what_to_do(tmp_path: Path) -> None:
    absent = Package("detector 'hed'", "no_such_package", "pip install no-such-package")
    assert not absent.is_here()
    assert Package("a test", "pytest", "pip install pytest").is_here()
    missing = InceptionJudgeConfig(weights=str(tmp_path / "gone.pt"), sha256=DIGEST).list_needs()
    assert [type(need) for need in missing] == [BrokenNeed]
    with pytest.raises(LepbenchError) as said:
        refuse_unusable([absent, *missing, UrlFile("judge", "http://nowhere/x", DIGEST)])
    assert str(said.value) == (
        f"detector 'hed': package no_such_package; judge 'inception': missing file {tmp_path / 'gone.pt'}; "
        "run 'pip install no-such-package'; check the path"
    )
