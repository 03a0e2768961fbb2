import { Sketchpad } from "./canvas.js";
import { fetchJson, importStrokes, readTime, saveExport } from "./files.js";
import { Pictures, addThumbnail } from "./pictures.js";
import { PictureSocket } from "./socket.js";

const REST_MS = 1200;
const KEPT = "drawing";
const SETTINGS = ["model", "preset", "scale", "stop", "seed", "count"];
const KINDS = { colour: "colours", texture: "patterns", shape: "things", relation: "relations", background: "backgrounds" };
const NAMES = { live: "live", rested: "better", better: "better" };

const at = (id) => document.getElementById(id);
const say = (text, fault = false) => {
  at("status").textContent = text;
  at("status").classList.toggle("fault", fault);
};
const guard = (act) => async (event) => {
  try {
    await act(event);
  } catch (error) {
    say(error.message, true);
  }
};
const pictures = new Pictures(() => at("show-edges").checked, () => at("show-sketch").checked);
const pad = new Sketchpad(at("canvas"), changed);
let offer = { models: [], presets: [], words: {} };
let asked = 0;
let compared = null;
let second = 0;
let resting = 0;
const socket = new PictureSocket(`ws://${location.host}${location.pathname}pictures`, hear, (open, why) => {
  if (!open) say(why, true);
  else askLive(true);
});

// What is asked for

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
  clearTimeout(resting);
  if (!at("live").checked || !pad.strokes.length || !at("model").value) return;
  if (now) at("canvas").dataset.asked = asked = socket.askNow(makeRequest());
  else socket.askLive(makeRequest());
}

function rest() {
  clearTimeout(resting);
  resting = setTimeout(() => !pad.drawn && socket.ask("rested", makeRequest()), REST_MS);
}

function askBetter() {
  clearTimeout(resting);
  pictures.clear();
  compared = at("compare").value || null;
  say("drawing");
  socket.ask("better", makeRequest());
}

function changed(what) {
  if (what === "choice") {
    showChoice();
    return;
  }
  askLive(what === "stroke");
  pictures.layOver(pad.strokes);
  if (what === "stroke") sessionStorage.setItem(KEPT, JSON.stringify(readDrawing()));
}

// What is heard

function hear(message) {
  if (message.kind === "error") say(message.message, true);
  if (message.kind === "state") showState(message);
  if (message.kind === "progress") pictures.count(message.done, message.total);
  if (message.kind === "pictures") showPictures(message);
}

function showState({ ready, message }) {
  if (message) say(message, true);
  else say(ready ? "draw something" : "loading the model; the first picture waits for it");
}

async function showPictures(message) {
  const side = message.number === second ? "second" : "first";
  if (message.quality !== "better") pictures.hideSecond();
  const model = offer.models.find((one) => one.name === message.model);
  const by = message.quality === "live" && model?.live ? `${message.model} on ${model.live}` : message.model;
  const shown = message.pictures.map(({ seed, url }, place) => ({
    url,
    edges: place ? null : message.edges,
    caption: `${NAMES[message.quality]}, by ${by}, seed ${seed}`,
    short: `${message.model}, seed ${seed}`,
  }));
  const answers = message.quality === "live" && message.number === asked;
  await pictures.show(side, shown[0]);
  Object.assign(pictures.frames[side].figure.dataset, { quality: message.quality, number: message.number });
  let waited = "";
  if (answers && performance.getEntriesByName("stroke").length) {
    const { duration } = performance.measure("stroke to picture", "stroke");
    waited = `, ${Math.round(duration)} ms after the stroke`;
    performance.clearMarks("stroke");
  }
  say([`${message.seconds.toFixed(2)} s${waited}`, ...message.notes].join("; "));
  if (message.quality === "live" && at("rest").checked) rest();
  if (message.quality !== "better") return;
  for (const one of shown) pictures.add(side, one);
  if (compared) second = socket.ask("better", makeRequest(compared));
  compared = null;
  await listHistory();
}

function showChoice() {
  const weight = pad.chosen ? pad.chosen.weight : pad.weight;
  at("whose").textContent = pad.chosen ? `stroke ${pad.strokes.indexOf(pad.chosen) + 1}` : "new strokes";
  at("weight").value = weight;
  at("weight-shown").textContent = weight;
}

// History and files

async function listHistory() {
  const names = await fetchJson("history");
  at("history").replaceChildren();
  at("empty").hidden = names.length > 0;
  for (const name of names.slice(0, 60)) {
    addThumbnail(at("history"), `history/${name}/0.png`, readTime(name), guard(() => openEntry(name)));
  }
}

async function openEntry(name) {
  const { drawing, settings } = await fetchJson(`history/${name}`);
  const offered = offer.models.some((one) => one.name === settings.model);
  at("prompt").value = drawing.prompt;
  for (const key of SETTINGS) if (key !== "model" || offered) at(key).value = settings[key] ?? "";
  showSteering();
  pictures.clear();
  at("live").checked = false;
  pad.replace(drawing.strokes);
  const found = [...Array(settings.count).keys()].map((place) => ({
    url: `history/${name}/${place}.png`,
    caption: `kept ${readTime(name)}, by ${settings.model}, seed ${settings.seed + place}`,
    short: `seed ${settings.seed + place}`,
  }));
  for (const one of found) pictures.add("first", one);
  await pictures.show("first", found[0]);
  at("live").checked = true;
  if (!offered) say(`${settings.model} is not offered now: another model draws`, true);
}

async function importFile() {
  const [file] = at("import").files;
  if (!file) return;
  at("import").value = "";
  const strokes = await importStrokes(file);
  pad.replace([...pad.strokes, ...strokes]);
  say(`${strokes.length} strokes of ${file.name}`);
}

async function layPaper() {
  const [file] = at("trace").files;
  if (!file) return;
  at("trace").value = "";
  const paper = await createImageBitmap(file).catch(() => null);
  if (!paper) throw new Error(`${file.name} is no picture that the browser reads`);
  pad.paper = paper;
  at("untrace").hidden = false;
  pad.paint();
}

async function exportFile() {
  const kind = at("export").value;
  at("export").value = "";
  if (kind) say(`saved ${await saveExport(kind, makeRequest())}`);
}

// What is offered and pressed

function chooseTool(tool) {
  pad.tool = tool;
  for (const name of ["pen", "select"]) at(name).setAttribute("aria-pressed", String(name === tool));
  at("canvas").dataset.tool = tool;
  if (tool === "pen") pad.choose(null);
}

function showSteering() {
  at("steering").disabled = !offer.models.find((one) => one.name === at("model").value)?.steered;
}

// A word goes to where the prompt is being written.
function addWord(word) {
  const prompt = at("prompt");
  const before = prompt.value.slice(0, prompt.selectionStart).trimEnd();
  const after = prompt.value.slice(prompt.selectionEnd).trimStart();
  prompt.value = [before, word, after].filter(Boolean).join(" ");
  const place = before.length + word.length + (before ? 1 : 0);
  prompt.focus();
  prompt.setSelectionRange(place, place);
  askLive(true);
}

function offerWords(kind, words) {
  const row = document.createElement("div");
  row.className = "words";
  row.setAttribute("role", "group");
  row.setAttribute("aria-label", KINDS[kind] ?? kind);
  const name = document.createElement("span");
  name.className = "soft";
  name.textContent = KINDS[kind] ?? kind;
  const list = document.createElement("div");
  row.append(name, list);
  for (const word of words) {
    const button = document.createElement("button");
    button.textContent = word;
    button.addEventListener("click", () => addWord(word));
    list.append(button);
  }
  at("words").append(row);
}

function fillOffer() {
  for (const model of offer.models) {
    at("model").add(new Option(`${model.name} (${model.backbone})`, model.name));
    at("compare").add(new Option(model.name, model.name));
  }
  for (const preset of offer.presets) at("preset").add(new Option(preset, preset));
  at("words").hidden = !Object.keys(offer.words).length;
  at("words").open = matchMedia("(min-width: 640px)").matches;
  for (const [kind, words] of Object.entries(offer.words)) offerWords(kind, words);
  showSteering();
}

function recall() {
  const kept = JSON.parse(sessionStorage.getItem(KEPT) ?? "null");
  if (!kept) return;
  at("prompt").value = kept.prompt;
  pad.replace(kept.strokes);
}

const presses = {
  pen: () => chooseTool("pen"),
  select: () => chooseTool("select"),
  undo: () => pad.undo(),
  redo: () => pad.redo(),
  clear: () => pad.replace([]),
  better: askBetter,
  untrace: () => {
    pad.paper = null;
    at("untrace").hidden = true;
    pad.paint();
  },
};
for (const [id, act] of Object.entries(presses)) at(id).addEventListener("click", act);
const changes = { import: guard(importFile), trace: guard(layPaper), export: guard(exportFile), model: showSteering };
for (const [id, act] of Object.entries(changes)) at(id).addEventListener("change", act);
at("weight").addEventListener("input", () => (at("weight-shown").textContent = at("weight").value));
at("weight").addEventListener("change", () => pad.setWeight(Number(at("weight").value)));
for (const id of ["show-edges", "show-sketch"]) at(id).addEventListener("change", () => pictures.layOver(pad.strokes));
for (const id of ["prompt", "live", ...SETTINGS]) at(id).addEventListener("change", () => askLive(true));

document.addEventListener("keydown", (event) => {
  const control = event.ctrlKey || event.metaKey;
  const typing = ["INPUT", "SELECT"].includes(event.target.tagName) && !["range", "checkbox"].includes(event.target.type);
  const act = control
    ? { z: () => (event.shiftKey ? pad.redo() : pad.undo()), Enter: askBetter }[event.shiftKey ? event.key.toLowerCase() : event.key]
    : { p: presses.pen, s: presses.select, Delete: () => pad.remove(), Backspace: () => pad.remove() }[event.key];
  if (!act || (typing && event.key !== "Enter")) return;
  event.preventDefault();
  act();
});

offer = await fetchJson("offer");
fillOffer();
recall();
await listHistory();
