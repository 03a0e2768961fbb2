// The pictures of the page: one frame a method, thumbnails below, the bar of steps.

import { paintStrokes } from "./canvas.js";

const find = (side) => {
  const figure = document.getElementById(side);
  const part = (kind) => figure.querySelector(kind);
  return { figure, picture: part(".picture"), edges: part(".edges"), lines: part(".lines"), caption: part("figcaption") };
};

export class Pictures {
  constructor(showsEdges, showsLines) {
    this.showsEdges = showsEdges;
    this.showsLines = showsLines;
    this.frames = { first: find("first"), second: find("second") };
    this.strip = document.getElementById("pictures");
    this.bar = document.getElementById("progress");
  }

  show(side, { url, edges = null, caption }) {
    const frame = this.frames[side];
    frame.figure.hidden = false;
    frame.picture.hidden = false;
    frame.picture.src = url;
    frame.picture.alt = `Picture: ${caption}`;
    // Small pictures are enlarged whole pixel by whole pixel.
    frame.picture.onload = () => frame.picture.classList.toggle("small", frame.picture.naturalWidth <= 128);
    frame.caption.textContent = caption;
    if (edges) frame.edges.src = edges;
    else frame.edges.removeAttribute("src");
    this.layOver();
    return frame.picture.decode().catch(() => {});
  }

  // What a second method drew is out of date once the first draws something else.
  hideSecond() {
    this.frames.second.figure.hidden = true;
  }

  layOver(strokes = this.strokes ?? []) {
    this.strokes = strokes;
    for (const { edges, lines } of Object.values(this.frames)) {
      edges.hidden = !this.showsEdges() || !edges.hasAttribute("src");
      lines.hidden = !this.showsLines();
      if (!lines.hidden) paintStrokes(lines, strokes);
    }
  }

  clear() {
    this.strip.replaceChildren();
    this.hideSecond();
  }

  add(side, picture) {
    addThumbnail(this.strip, picture.url, picture.short, () => this.show(side, picture));
  }

  count(done, total) {
    this.bar.max = total;
    this.bar.value = done;
  }
}

export function addThumbnail(list, url, text, chosen) {
  const button = document.createElement("button");
  const image = document.createElement("img");
  image.src = url;
  image.alt = "";
  button.append(image, text);
  button.addEventListener("click", chosen);
  list.append(button);
}
