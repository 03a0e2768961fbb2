import { Sketchpad, paintStrokes } from "./canvas.js";
import { PictureSocket } from "./socket.js";

const at = (id) => document.getElementById(id);
const say = (text, fault = false) => {
  at("status").textContent = text;
  at("status").classList.toggle("fault", fault);
};
const pad = new Sketchpad(at("canvas"), changed);
const socket = new PictureSocket(`ws://${location.host}${location.pathname}pictures`, hear, (open) => {
  say(open ? "draw something" : "the server is gone; is lepbench draw still running?", !open);
  if (open) askLive(true);
});
let offer = { models: [], presets: [], words: {} };
let begun = 0;
let compared = null;

function readSettings(model = at("model").value) {
  const number = (id) => (at(id).value === "" ? null : Number(at(id).value));
  return {
    model,
    preset: at("preset").value || null,
    scale: number("scale"),
    stop: number("stop"),
    seed: number("seed") ?? 0,
    count: number("count") ?? 1,
  };
}

const readDrawing = () => ({ prompt: at("prompt").value, strokes: pad.strokes });
const makeRequest = (model) => ({ drawing: readDrawing(), settings: readSettings(model) });

function askLive(now) {
  if (!at("live").checked || !pad.strokes.length || !at("model").value) return;
  begun = performance.now();
  if (now) socket.askNow(makeRequest());
  else socket.askLive(makeRequest());
}

function askBetter() {
  at("pictures").replaceChildren();
  compared = at("compare").value || null;
  say("drawing");
  socket.ask("better", makeRequest());
}

function changed(what) {
  if (what === "choice") showChoice();
  else askLive(what === "stroke");
  if (!at("lines").hidden) paintStrokes(at("lines"), pad.strokes);
}

function showChoice() {
  const weight = pad.chosen ? pad.chosen.weight : pad.weight;
  at("whose").textContent = pad.chosen ? "the chosen stroke" : "new strokes";
  at("weight").value = weight;
  at("weight-shown").textContent = weight;
}

function hear(message) {
  if (message.kind === "error") say(message.message, true);
  if (message.kind === "progress") {
    at("progress").max = message.total;
    at("progress").value = message.done;
  }
  if (message.kind === "pictures") showPictures(message);
}

function showPictures(message) {
  show(message.pictures[0].url, message.edges, `${at("prompt").value}, by ${message.quality} sampling`);
  const waited = message.quality === "live" ? `, ${Math.round(performance.now() - begun)} ms after the stroke` : "";
  say([`${message.seconds.toFixed(2)} s${waited}`, ...message.notes].join("; "));
  if (message.quality !== "better") return;
  for (const one of message.pictures) addThumbnail(at("pictures"), one.url, `seed ${one.seed}`, () => show(one.url, null, `seed ${one.seed}`));
  listHistory();
  if (compared) {
    const other = compared;
    compared = null;
    socket.ask("better", makeRequest(other));
  }
}

function show(url, edges, text) {
  at("picture").src = url;
  at("picture").alt = text;
  if (edges) at("edges").src = edges;
  else at("edges").removeAttribute("src");
  at("edges").hidden = !edges || !at("show-edges").checked;
}

function addThumbnail(list, url, text, chosen) {
  const button = document.createElement("button");
  const image = document.createElement("img");
  image.src = url;
  image.alt = text;
  button.append(image, text);
  button.addEventListener("click", chosen);
  list.append(button);
}

async function fetchJson(path, options) {
  const answer = await fetch(path, options);
  if (answer.status === 413) throw new Error("the file is larger than 4 MB");
  const found = await answer.json();
  if (!answer.ok) throw new Error(found.message);
  return found;
}

const guard = (act) => async (event) => {
  try {
    await act(event);
  } catch (error) {
    say(error.message, true);
  }
};

async function listHistory() {
  const names = await fetchJson("history");
  at("history").replaceChildren();
  for (const name of names.slice(0, 60)) {
    const time = `${name.slice(9, 11)}:${name.slice(11, 13)}:${name.slice(13, 15)}`;
    addThumbnail(at("history"), `history/${name}/0.png`, time, guard(() => openEntry(name)));
  }
}

async function openEntry(name) {
  const { drawing, settings } = await fetchJson(`history/${name}`);
  at("prompt").value = drawing.prompt;
  for (const key of ["model", "preset", "scale", "stop", "seed", "count"]) at(key).value = settings[key] ?? "";
  showSteering();
  pad.replace(drawing.strokes);
  show(`history/${name}/0.png`, null, drawing.prompt);
}

async function importFile() {
  const [file] = at("import").files;
  if (!file) return;
  at("import").value = "";
  const strokes = await fetchJson(`import?name=${encodeURIComponent(file.name)}`, { method: "POST", body: file });
  pad.replace([...pad.strokes, ...strokes]);
  say(`${strokes.length} strokes of ${file.name}`);
}

async function layPaper() {
  const [file] = at("trace").files;
  if (!file) return;
  at("trace").value = "";
  pad.paper = await createImageBitmap(file);
  at("untrace").hidden = false;
  pad.paint();
}

async function exportFile() {
  const kind = at("export").value;
  at("export").value = "";
  if (!kind) return;
  const body = JSON.stringify({ drawing: readDrawing(), settings: readSettings() });
  const answer = await fetch(`export/${kind}`, { method: "POST", body });
  if (!answer.ok) throw new Error((await answer.json()).message);
  const link = document.createElement("a");
  link.href = URL.createObjectURL(await answer.blob());
  link.download = /filename="(.*)"/.exec(answer.headers.get("Content-Disposition"))[1];
  link.click();
  URL.revokeObjectURL(link.href);
}

function chooseTool(tool) {
  pad.tool = tool;
  for (const name of ["pen", "select"]) at(name).setAttribute("aria-pressed", String(name === tool));
  if (tool === "pen") pad.choose(null);
}

function showSteering() {
  const model = offer.models.find((one) => one.name === at("model").value);
  at("steering").disabled = !model?.steered;
}

function addWord(word) {
  const prompt = at("prompt");
  prompt.value = `${prompt.value} ${word}`.trim();
  prompt.focus();
  askLive(true);
}

function fillOffer() {
  for (const model of offer.models) {
    at("model").add(new Option(`${model.name} (${model.backbone})`, model.name));
    at("compare").add(new Option(model.name, model.name));
  }
  for (const preset of offer.presets) at("preset").add(new Option(preset, preset));
  for (const [kind, words] of Object.entries(offer.words)) {
    const row = document.createElement("div");
    row.className = "words";
    row.setAttribute("aria-label", `Known ${kind}`);
    for (const word of words) {
      const button = document.createElement("button");
      button.textContent = word;
      button.addEventListener("click", () => addWord(word));
      row.append(button);
    }
    at("words").append(row);
  }
  showSteering();
}

at("pen").addEventListener("click", () => chooseTool("pen"));
at("select").addEventListener("click", () => chooseTool("select"));
at("undo").addEventListener("click", () => pad.undo());
at("redo").addEventListener("click", () => pad.redo());
at("clear").addEventListener("click", () => pad.replace([]));
at("weight").addEventListener("input", () => (at("weight-shown").textContent = at("weight").value));
at("weight").addEventListener("change", () => pad.setWeight(Number(at("weight").value)));
at("better").addEventListener("click", askBetter);
at("import").addEventListener("change", guard(importFile));
at("trace").addEventListener("change", guard(layPaper));
at("export").addEventListener("change", guard(exportFile));
at("untrace").addEventListener("click", () => {
  pad.paper = null;
  at("untrace").hidden = true;
  pad.paint();
});
at("show-edges").addEventListener("change", () => {
  at("edges").hidden = !at("show-edges").checked || !at("edges").hasAttribute("src");
});
at("show-sketch").addEventListener("change", () => {
  at("lines").hidden = !at("show-sketch").checked;
  paintStrokes(at("lines"), pad.strokes);
});
for (const id of ["prompt", "seed", "model", "scale", "stop", "live"]) at(id).addEventListener("change", () => askLive(true));
at("model").addEventListener("change", showSteering);

document.addEventListener("keydown", (event) => {
  const control = event.ctrlKey || event.metaKey;
  const typing = ["INPUT", "SELECT"].includes(event.target.tagName) && event.target.type !== "range";
  const act = control
    ? { z: () => (event.shiftKey ? pad.redo() : pad.undo()), Enter: askBetter }[event.shiftKey ? event.key.toLowerCase() : event.key]
    : { p: () => chooseTool("pen"), s: () => chooseTool("select"), Delete: () => pad.remove(), Backspace: () => pad.remove() }[event.key];
  if (!act || (typing && event.key !== "Enter")) return;
  event.preventDefault();
  act();
});

offer = await fetchJson("offer");
fillOffer();
await listHistory();
