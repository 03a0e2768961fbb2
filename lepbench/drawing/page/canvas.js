// A canvas of vector strokes: points in a unit square, with pressure and weight.

const REACH = 0.03;
const NEAR = 0.004;

export class Sketchpad {
  constructor(canvas, changed) {
    this.canvas = canvas;
    this.changed = changed;
    this.strokes = [];
    this.past = [];
    this.future = [];
    this.tool = "pen";
    this.weight = 1;
    this.chosen = null;
    this.paper = null;
    this.drawn = null;
    canvas.addEventListener("pointerdown", (event) => this.begin(event));
    canvas.addEventListener("pointermove", (event) => this.move(event));
    for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, () => this.end());
    canvas.addEventListener("keydown", (event) => this.step(event));
    this.paint();
  }

  place(event) {
    const box = this.canvas.getBoundingClientRect();
    const pressure = event.pressure > 0 ? event.pressure : 0.5;
    const held = (value) => Math.min(2, Math.max(-1, value));
    return [held((event.clientX - box.left) / box.width), held((event.clientY - box.top) / box.height), pressure];
  }

  begin(event) {
    if (event.button !== 0) return;
    event.preventDefault();
    this.canvas.focus();
    if (this.tool === "select") {
      this.choose(this.find(this.place(event)));
      return;
    }
    this.canvas.setPointerCapture(event.pointerId);
    this.remember();
    this.drawn = { points: [this.place(event)], weight: this.weight };
    this.strokes = [...this.strokes, this.drawn];
    this.paint();
  }

  move(event) {
    if (!this.drawn) return;
    // A pen moves more often than the page is painted.
    const events = event.getCoalescedEvents?.() ?? [];
    for (const one of events.length ? events : [event]) {
      const point = this.place(one);
      const last = this.drawn.points.at(-1);
      if (Math.hypot(point[0] - last[0], point[1] - last[1]) >= NEAR && this.drawn.points.length < 5000) {
        this.drawn.points.push(point);
      }
    }
    this.paint();
    this.changed("drawing");
  }

  end() {
    if (!this.drawn) return;
    this.drawn = null;
    performance.mark("stroke");
    this.changed("stroke");
  }

  find([x, y]) {
    let best = null;
    let least = REACH;
    for (const stroke of this.strokes) {
      stroke.points.forEach((end, index) => {
        const away = measureDistance([x, y], stroke.points[Math.max(0, index - 1)], end);
        if (away < least) [best, least] = [stroke, away];
      });
    }
    return best;
  }

  choose(stroke) {
    this.chosen = stroke;
    this.paint();
    this.changed("choice");
  }

  // Strokes one by one, for those who have no pointer.
  step(event) {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!by || this.tool !== "select" || !this.strokes.length) return;
    event.preventDefault();
    const count = this.strokes.length;
    const place = this.strokes.indexOf(this.chosen);
    this.choose(this.strokes[place < 0 ? (by > 0 ? 0 : count - 1) : (place + by + count) % count]);
  }

  setWeight(weight) {
    if (!this.chosen) {
      this.weight = weight;
      return;
    }
    this.remember();
    const heavier = { ...this.chosen, weight };
    this.strokes = this.strokes.map((one) => (one === this.chosen ? heavier : one));
    this.chosen = heavier;
    this.paint();
    this.changed("stroke");
  }

  remove() {
    if (!this.chosen) return;
    this.replace(this.strokes.filter((one) => one !== this.chosen));
  }

  replace(strokes) {
    this.remember();
    this.strokes = strokes;
    this.chosen = null;
    this.paint();
    this.changed("stroke");
  }

  remember() {
    this.past.push(this.strokes);
    this.future = [];
  }

  undo() {
    this.travel(this.past, this.future);
  }

  redo() {
    this.travel(this.future, this.past);
  }

  travel(from, to) {
    if (!from.length) return;
    to.push(this.strokes);
    this.strokes = from.pop();
    this.chosen = null;
    this.paint();
    this.changed("stroke");
  }

  paint() {
    paintStrokes(this.canvas, this.strokes, this.chosen, this.paper);
  }
}

export function paintStrokes(canvas, strokes, chosen = null, paper = null) {
  const side = canvas.width;
  const brush = canvas.getContext("2d");
  brush.clearRect(0, 0, side, side);
  if (paper) {
    const scale = Math.max(side / paper.width, side / paper.height);
    brush.globalAlpha = 0.3;
    brush.drawImage(paper, (side - paper.width * scale) / 2, (side - paper.height * scale) / 2, paper.width * scale, paper.height * scale);
    brush.globalAlpha = 1;
  }
  brush.lineCap = brush.lineJoin = "round";
  for (const stroke of strokes) {
    brush.strokeStyle = stroke === chosen ? "#1f5fbf" : "#111";
    brush.globalAlpha = stroke.weight === 0 ? 0.2 : Math.min(1, 0.4 + 0.6 * stroke.weight);
    stroke.points.forEach((end, index) => {
      const start = stroke.points[Math.max(0, index - 1)];
      brush.lineWidth = (4 + 6 * end[2]) * (0.7 + 0.3 * stroke.weight) * (side / 1024);
      brush.beginPath();
      brush.moveTo(start[0] * side, start[1] * side);
      brush.lineTo(end[0] * side, end[1] * side);
      brush.stroke();
    });
  }
  brush.globalAlpha = 1;
}

function measureDistance([x, y], [ax, ay], [bx, by]) {
  const length = (bx - ax) ** 2 + (by - ay) ** 2;
  const along = length ? Math.min(1, Math.max(0, ((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / length)) : 0;
  return Math.hypot(x - ax - along * (bx - ax), y - ay - along * (by - ay));
}
