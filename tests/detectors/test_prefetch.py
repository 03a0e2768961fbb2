"""Fetching weights: only on demand, whole or not at all, and held to their hash ever after."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import torch
from tiny_network import Tiny, save_torch

from lepbench.detectors import identify_detector
from lepbench.detectors.prefetch import prefetch
from lepbench.detectors.weights import PUBLISHED, find_prefetched, lock_path, place_of, read_lock
from lepbench.errors import LepbenchError
from lepbench.files import sha256_file

IMAGES = torch.rand(1, 3, 8, 8, generator=torch.Generator().manual_seed(0))


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv("LEPBENCH_CACHE", str(folder))
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.delenv("TRANSFORMERS_OFFLINE", raising=False)
    return folder


@pytest.fixture
def published(tmp_path: Path) -> Path:
    (tmp_path / "site").mkdir()
    return save_torch(tmp_path / "site" / "published.pth")


class Handler(SimpleHTTPRequestHandler):
    def log_message(self, *args: object) -> None:
        pass

    def send_header(self, keyword: str, value: str) -> None:
        longer = keyword == "Content-Length" and self.path.endswith("?cut")
        super().send_header(keyword, str(int(value) + 10) if longer else value)


@pytest.fixture
def site(published: Path) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=published.parent)) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def test_without_a_hash_nothing_is_fetched_unless_trusted(cache: Path, published: Path) -> None:
    with pytest.raises(
        LepbenchError, match="no sha256 of 'dexined' is known here; give it with --sha256, or"
    ):
        prefetch("dexined", str(published))
    assert not files(cache)
    found = prefetch("dexined", str(published), trust=True)
    lock = read_lock(found.path)
    assert lock is not None
    assert found.sha256 == lock.sha256 == sha256_file(published)
    assert (lock.size, lock.known) == (published.stat().st_size, False)
    assert found.path == place_of("dexined") == cache / "detectors" / "dexined" / "DexiNed_BIPED_10.pth"
    assert files(cache) == ["DexiNed_BIPED_10.pth", "DexiNed_BIPED_10.pth.lock.json"]


@pytest.mark.parametrize("scheme", ["path", "file", "http"])
def test_a_told_hash_lets_the_file_through(published: Path, site: str, scheme: str) -> None:
    source = {"path": str(published), "file": published.as_uri(), "http": site + published.name}[scheme]
    seen: list[tuple[int, int]] = []
    digest = sha256_file(published)
    found = prefetch(
        "dexined", source, digest, progress=lambda stage, done, total: seen.append((done, total))
    )
    assert found.path.read_bytes() == published.read_bytes()
    lock = read_lock(found.path)
    assert lock is not None
    assert lock.known
    assert seen[-1] == (published.stat().st_size,) * 2
    assert torch.equal(Tiny().soft(IMAGES), Tiny(weights=published, sha256=digest).soft(IMAGES))
    assert identify_detector(Tiny()) == identify_detector(Tiny(weights=published, sha256=digest))


def test_the_published_address_is_the_default(published: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PUBLISHED, "dexined", published.as_uri())
    assert prefetch("dexined", trust=True).sha256 == sha256_file(published)


def test_another_file_is_refused_and_leaves_nothing(cache: Path, published: Path) -> None:
    with pytest.raises(LepbenchError, match=f"has SHA-256 {sha256_file(published)}, not {'a' * 64}"):
        prefetch("dexined", str(published), "a" * 64)
    assert not files(cache)


def test_the_lock_holds_later_files_to_the_first(published: Path) -> None:
    first = prefetch("dexined", str(published), trust=True)
    save_torch(published, seed=1)
    with pytest.raises(LepbenchError, match=f"not {first.sha256}"):
        prefetch("dexined", str(published), trust=True)
    assert find_prefetched("dexined") == first
    other = prefetch("dexined", str(published), sha256_file(published))
    assert find_prefetched("dexined") == other != first


def test_what_is_here_is_not_fetched_again(published: Path) -> None:
    first = prefetch("dexined", str(published), trust=True)
    published.unlink()
    assert prefetch("dexined") == prefetch("dexined", sha256=first.sha256) == first


def test_damage_after_fetching_is_found(published: Path) -> None:
    found = prefetch("dexined", str(published), trust=True)
    found.path.write_bytes(found.path.read_bytes()[:-1] + b"!")
    for work in (lambda: Tiny().soft(IMAGES), lambda: identify_detector(Tiny()), lambda: prefetch("dexined")):
        with pytest.raises(LepbenchError, match=f"not {found.sha256}"):
            work()
    assert prefetch("dexined", str(published)) == found


def test_weights_without_their_lock_are_not_taken(published: Path) -> None:
    found = prefetch("dexined", str(published), trust=True)
    lock = lock_path(found.path)
    lock.write_text("{}")
    with pytest.raises(LepbenchError, match="is damaged"):
        find_prefetched("dexined")
    lock.unlink()
    with pytest.raises(LepbenchError, match="run 'lepbench prefetch dexined'"):
        find_prefetched("dexined")


def test_a_download_that_breaks_off_leaves_nothing(cache: Path, site: str, published: Path) -> None:
    with pytest.raises(LepbenchError, match="broke off after"):
        prefetch("dexined", f"{site}{published.name}?cut", trust=True)
    assert not files(cache)


@pytest.mark.parametrize("variable", ["HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"])
def test_offline_only_files_are_taken(
    monkeypatch: pytest.MonkeyPatch, site: str, published: Path, variable: str
) -> None:
    monkeypatch.setenv(variable, "1")
    for source in (None, site + published.name):
        with pytest.raises(LepbenchError, match="cannot be fetched offline; give a file with --from"):
            prefetch("dexined", source, trust=True)
    assert prefetch("dexined", str(published), trust=True).path.is_file()


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        ({"name": "dexned"}, "no weights 'dexned' are known; did you mean 'dexined'"),
        ({"name": "dexined", "sha256": "abc"}, "'abc' is no sha256"),
        ({"name": "dexined", "source": "no/such.pth", "trust": True}, "no such file: no/such.pth"),
        ({"name": "dexined", "source": "ftp://a/b.pth", "trust": True}, "no such file: ftp://a/b.pth"),
        ({"name": "dexined", "source": "file:///no/such.pth", "trust": True}, "cannot be fetched"),
        ({"name": "dexined", "source": "http://[bad", "trust": True}, "cannot be fetched"),
    ],
)
def test_mistakes_are_one_line(settings: dict[str, Any], line: str) -> None:
    with pytest.raises(LepbenchError) as caught:
        prefetch(**settings)
    assert line in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_absent_page_is_one_line(site: str) -> None:
    with pytest.raises(LepbenchError, match=r"cannot be fetched: .*[Nn]ot found"):
        prefetch("dexined", site + "absent.pth", trust=True)
