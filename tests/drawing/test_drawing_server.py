"""The page's server: pictures through the socket, files, history, and whom it answers."""

from __future__ import annotations

import base64
import io
import json
import shlex
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from command import call_command
from PIL import Image
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from lepbench.api.suites import make_suite
from lepbench.config import parse_config
from lepbench.detectors import Canny
from lepbench.drawing.artist import Artist, Settings
from lepbench.drawing.drawing import PageDrawing, rasterise_drawing
from lepbench.drawing.history import History, HistoryEntry
from lepbench.drawing.offer import list_live, list_models, make_offer
from lepbench.drawing.server import MOST_BYTES, make_app
from lepbench.drawing.studio import FULL
from lepbench.errors import LepbenchError
from lepbench.images import to_pixels, to_tensor
from lepbench.methods import Method, ModelConfig, Request
from lepbench.methods.drawn import draw_request
from lepbench.metrics.edges import edge_counts, precision_recall_f1
from lepbench.suites import load_suite

TOKEN = "token"
SQUARE = [[0.2, 0.2], [0.8, 0.2], [0.8, 0.8], [0.2, 0.8], [0.2, 0.2]]
DRAWING = {"prompt": "a red fish", "strokes": [{"points": [[*point, 0.5] for point in SQUARE], "weight": 1}]}
HEADERS = {"host": "localhost", "origin": "http://localhost"}


@pytest.fixture
def models(tiny_pipeline_folder: Path) -> list[ModelConfig]:
    settings = {"backbone": str(tiny_pipeline_folder), "sampler": {"steps": 2}}
    return [parse_config({"name": "tiny", **settings, "method": "unguided"}, ModelConfig, "")]


@pytest.fixture
def client(models: list[ModelConfig], tmp_path: Path) -> Iterator[TestClient]:
    app = make_app(Artist(models, device="cpu"), History(tmp_path / "history"), make_offer(models), TOKEN)
    with TestClient(app, base_url="http://localhost") as client:
        yield client


def make_job(number: int = 1, quality: str = "better", **settings: Any) -> str:
    chosen = {"model": "tiny", **settings}
    return json.dumps({"number": number, "quality": quality, "drawing": DRAWING, "settings": chosen})


def hear_end(socket: Any) -> dict[str, Any]:
    while (message := socket.receive_json())["kind"] in ("progress", "state"):
        pass
    return dict(message)


def test_a_picture_is_that_of_the_method(client: TestClient, models: list[ModelConfig]) -> None:
    with client.websocket_connect(f"/{TOKEN}/pictures", headers=HEADERS) as socket:
        socket.send_text(make_job(seed=3, count=2))
        message = hear_end(socket)
    assert [one["seed"] for one in message["pictures"]] == [3, 4]
    shown = [np.asarray(Image.open(io.BytesIO(read_url(one["url"])))) for one in message["pictures"]]
    artist = Artist(models, device="cpu")
    backbone = artist._find_backbone(models[0])
    sketch = rasterise_drawing(PageDrawing.model_validate(DRAWING), backbone.choose_size(None, None)).sketch
    method = models[0].method.build(backbone, models[0].sampler)
    for seed, picture in zip((3, 4), shown, strict=True):
        drawn = method.draw([Request("any.png", "a red fish", sketch, seed)])
        assert np.array_equal(picture, to_pixels(drawn)[0])


def test_bytes_of_a_method_are_pixels() -> None:
    """A method may give uint8 [B, 3, H, W] in place of numbers in [0, 1]."""

    class Bytes(Method):
        def draw(self, requests: Sequence[Request]) -> torch.Tensor:
            return torch.arange(3 * 4 * 5, dtype=torch.uint8).view(1, 3, 4, 5)

    request = Request("any.png", "any", np.ones((4, 5), np.bool_), 0)
    picture, edges = draw_request(Bytes(), request)
    assert (picture.shape, edges) == ((4, 5, 3), None)
    assert picture[1, 2].tolist() == [7, 27, 47]


def read_url(url: str) -> bytes:
    return base64.b64decode(url.removeprefix("data:image/png;base64,"))


@pytest.mark.slow
def test_a_drawing_is_followed_and_edges_are_shown(tmp_path: Path) -> None:
    models = list_models([])
    artist = Artist(models, list_live([]), "cpu")
    item = load_suite("sketchworld-edges-v1")[1]
    rows, columns = np.nonzero(item.sketch)
    dots = [{"points": [[(x + 0.5) / 64, (y + 0.5) / 64, 0.5]]} for y, x in zip(rows, columns, strict=True)]
    drawing = PageDrawing.model_validate({"prompt": item.prompt, "strokes": dots})
    assert np.array_equal(rasterise_drawing(drawing, (64, 64)).sketch, item.sketch)
    steps: list[tuple[int, int]] = []
    shown = artist.draw(drawing, Settings(model="predictor"), "live", lambda *step: steps.append(step))
    assert shown.edges is not None
    assert steps[0] == (0, 1)
    assert steps[1:] == [(done, steps[-1][1]) for done in range(1, len(steps))]
    found = Canny(low=0.3, high=0.6)(to_tensor(shown.pictures[0][None]))
    counts = edge_counts(found, torch.tensor(item.sketch)[None], (1.0,))
    assert precision_recall_f1(counts).f1[0] > 0.7


def test_what_was_drawn_better_is_there_after_a_restart(client: TestClient, tmp_path: Path) -> None:
    with client.websocket_connect(f"/{TOKEN}/pictures", headers=HEADERS) as socket:
        socket.send_text(make_job(1, "live"))
        assert hear_end(socket)["entry"] is None
        socket.send_text(make_job(2))
        name = hear_end(socket)["entry"]
    later = History(tmp_path / "history")
    assert later.list_names() == [name] == client.get(f"/{TOKEN}/history").json()
    entry = HistoryEntry.model_validate(client.get(f"/{TOKEN}/history/{name}").json())
    assert entry.drawing == PageDrawing.model_validate(DRAWING)
    assert client.get(f"/{TOKEN}/history/{name}/0.png").content == later.read_picture(name, 0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model": "other"}, "no model 'other' here; choose of: tiny"),
        ({"seed": -1}, "seed"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_job_that_cannot_be_is_one_line(client: TestClient, change: dict[str, Any], message: str) -> None:
    with client.websocket_connect(f"/{TOKEN}/pictures", headers=HEADERS) as socket:
        socket.send_text(make_job(**change))
        found = hear_end(socket)
        assert found["kind"] == "error"
        assert message in found["message"]
        socket.send_text(make_job())
        assert hear_end(socket)["kind"] == "pictures"


def test_a_page_that_vanishes_disturbs_no_other(client: TestClient) -> None:
    for _ in range(3):
        with client.websocket_connect(f"/{TOKEN}/pictures", headers=HEADERS) as socket:
            socket.send_text(make_job())
    with (
        client.websocket_connect(f"/{TOKEN}/pictures", headers=HEADERS) as one,
        client.websocket_connect(f"/{TOKEN}/pictures", headers=HEADERS) as two,
    ):
        one.send_text(make_job(1))
        two.send_text(make_job(1))
        assert hear_end(one)["kind"] == hear_end(two)["kind"] == "pictures"


@pytest.mark.parametrize("path", ["/", "/offer", "/history", "/tokens/offer", "/token/../offer"])
def test_nothing_answers_without_the_token(client: TestClient, path: str) -> None:
    assert client.get(path).status_code in (400, 404)


@pytest.mark.parametrize("name", ["x", "....", "20260101T000000-000000", "%2e%2e"])
def test_the_history_reads_its_own_entries_alone(client: TestClient, name: str) -> None:
    assert client.get(f"/{TOKEN}/history/{name}/0.png").status_code in (400, 404)


def test_only_this_machine_and_this_page_are_answered(client: TestClient) -> None:
    assert client.get(f"/{TOKEN}/offer", headers={"host": "evil.example"}).status_code == 400
    foreign = HEADERS | {"origin": "http://evil.example"}
    with (
        pytest.raises(WebSocketDisconnect),
        client.websocket_connect(f"/{TOKEN}/pictures", headers=foreign) as socket,
    ):
        socket.receive_json()


def test_the_browser_is_told_to_load_nothing_from_elsewhere(client: TestClient) -> None:
    answer = client.get(f"/{TOKEN}/")
    assert answer.status_code == 200
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    for name in ("page.js", "canvas.js", "files.js", "pictures.js", "socket.js", "page.css"):
        text = client.get(f"/{TOKEN}/{name}").text
        assert "http" not in text.replace("http://www.w3.org/2000/svg", "")


def test_files_are_imported_and_exported(client: TestClient, models: list[ModelConfig]) -> None:
    body = json.dumps({"drawing": DRAWING, "settings": {"model": "tiny", "scale": 1.5}})
    files = {
        kind: client.post(f"/{TOKEN}/export/{kind}", content=body)
        for kind in ("svg", "png", "suite", "command")
    }
    assert {answer.status_code for answer in files.values()} == {200}
    strokes = client.post(f"/{TOKEN}/import?name=a.svg", content=files["svg"].content).json()
    assert len(strokes) == 1
    with zipfile.ZipFile(io.BytesIO(files["command"].content)) as archive:
        command = archive.read("draw.sh").decode()
        model = ModelConfig.model_validate(yaml.safe_load(archive.read("model.yaml")))
    assert command == (
        "lepbench sample --model model.yaml --prompt 'a red fish' --sketch sketch.png --no-thin --seed 0 "
        "--out picture.png\n"
    )
    assert model == models[0]
    refused = client.post(f"/{TOKEN}/import?name=a.svg", content=b"<svg/>")
    assert refused.status_code == 400
    assert "shows no lines" in refused.json()["message"]
    assert client.post(f"/{TOKEN}/import", content=b"0" * (MOST_BYTES + 1)).status_code == 413
    assert "choose of: svg" in client.post(f"/{TOKEN}/export/exe", content=body).json()["message"]


def test_an_exported_suite_is_made(client: TestClient, tmp_path: Path) -> None:
    body = json.dumps({"drawing": DRAWING, "settings": {"model": "tiny"}})
    content = client.post(f"/{TOKEN}/export/suite", content=body).content
    zipfile.ZipFile(io.BytesIO(content)).extractall(tmp_path / "folder")
    suite = make_suite("folder", tmp_path / "folder", tmp_path / "suite", size=64, progress=False)
    assert [item.prompt for item in suite] == ["a red fish"]
    assert suite[0].sketch.sum() > 100


def test_an_exported_command_draws_the_same_picture(
    client: TestClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    body = json.dumps({"drawing": DRAWING, "settings": {"model": "tiny", "seed": 5, "count": 2}})
    content = client.post(f"/{TOKEN}/export/command", content=body).content
    zipfile.ZipFile(io.BytesIO(content)).extractall(tmp_path)
    with client.websocket_connect(f"/{TOKEN}/pictures", headers=HEADERS) as socket:
        socket.send_text(make_job(seed=5, count=2))
        shown = [read_url(one["url"]) for one in hear_end(socket)["pictures"]]
    monkeypatch.chdir(tmp_path)
    words = shlex.split((tmp_path / "draw.sh").read_text())[1:]
    assert call_command(monkeypatch, *words, "--device", "cpu") == 0, capsys.readouterr().err
    drawn = [tmp_path / f"picture-{seed}.png" for seed in (5, 6)]
    for path, picture in zip(drawn, shown, strict=True):
        assert np.array_equal(np.asarray(Image.open(path)), np.asarray(Image.open(io.BytesIO(picture))))


def test_a_page_hears_when_the_model_is_loaded(models: list[ModelConfig], tmp_path: Path) -> None:
    broken = [models[0].model_copy(update={"backbone": "mini@99"})]
    for offered, message in ((models, ""), (broken, "no embedded model 'mini@99'")):
        artist, history = Artist(offered, device="cpu"), History(tmp_path / "history")
        app = make_app(artist, history, make_offer(offered), TOKEN, prepares=True)
        with (
            TestClient(app, base_url="http://localhost") as client,
            client.websocket_connect(f"/{TOKEN}/pictures", headers=HEADERS) as socket,
        ):
            while not (state := socket.receive_json())["ready"]:
                pass
            assert state["kind"] == "state"
            assert message in state["message"]


def test_a_rested_picture_is_not_kept_and_has_the_better_settings(client: TestClient) -> None:
    with client.websocket_connect(f"/{TOKEN}/pictures", headers=HEADERS) as socket:
        socket.send_text(make_job(1, "rested", count=3))
        rested = hear_end(socket)
        socket.send_text(make_job(2, "better", count=1))
        better = hear_end(socket)
    assert rested["entry"] is None
    assert rested["pictures"] == better["pictures"]


def test_too_many_pages_are_told_so(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lepbench.drawing.studio.MOST_PAGES", 1)
    with client.websocket_connect(f"/{TOKEN}/pictures", headers=HEADERS) as one:
        assert one.receive_json()["kind"] == "state"
        with (
            client.websocket_connect(f"/{TOKEN}/pictures", headers=HEADERS) as two,
            pytest.raises(WebSocketDisconnect) as closed,
        ):
            two.receive_json()
        assert closed.value.code == FULL


def test_models_are_told_apart_and_can_draw(tmp_path: Path) -> None:
    paths = [tmp_path / f"{number}.yaml" for number in range(2)]
    for path in paths:
        path.write_text("name: same\nmethod: unguided\n")
    with pytest.raises(LepbenchError, match="two models have one name"):
        list_models(paths)
    paths[1].write_text("name: other\nmethod: {name: precomputed, folder: pictures}\n")
    with pytest.raises(LepbenchError, match="'precomputed' has no backbone that could draw here"):
        list_models(paths)


def test_words_are_offered_for_the_embedded_model_alone(models: list[ModelConfig]) -> None:
    assert "red" in make_offer(list_models([])).words["colour"]
    assert make_offer(models).words == {}
