// The pad: strokes by mouse, pen or finger.

import { fitToPaper, PAPER } from "./strokes.js";

const LEAST_MOVE = 0.4; // of a pixel of the paper; shorter moves add no point

export class Pad {
  /** changed: called with the strokes after each stroke. */
  constructor(canvas, changed) {
    Object.assign(this, { canvas, changed, strokes: [], current: null });
    canvas.addEventListener("pointerdown", (event) => this.begin(event));
    canvas.addEventListener("pointermove", (event) => this.extend(event));
    for (const name of ["pointerup", "pointercancel"]) canvas.addEventListener(name, () => this.end());
  }

  /** Show strokes of any unit, to be continued. */
  show(strokes) {
    const isOutside = strokes.flat(2).some((value) => value < 0 || value > PAPER);
    this.strokes = isOutside ? fitToPaper(strokes) : strokes;
    this.current = null;
    this.draw();
  }

  begin(event) {
    if (event.button !== 0) return;
    event.preventDefault();
    this.canvas.setPointerCapture(event.pointerId);
    this.current = [this.point(event)];
    this.draw();
  }

  extend(event) {
    if (!this.current) return;
    for (const part of event.getCoalescedEvents?.() ?? []) this.addPoint(this.point(part));
    this.addPoint(this.point(event));
    this.draw();
  }

  addPoint([x, y]) {
    const [lastX, lastY] = this.current.at(-1);
    if (Math.hypot(x - lastX, y - lastY) >= LEAST_MOVE) this.current.push([x, y]);
  }

  end() {
    if (!this.current) return;
    this.strokes = [...this.strokes, this.current];
    this.current = null;
    this.changed(this.strokes);
  }

  /** In pixels of the paper, to a hundredth. */
  point(event) {
    const frame = this.canvas.getBoundingClientRect();
    const scaled = [(event.clientX - frame.left) / frame.width, (event.clientY - frame.top) / frame.height];
    return scaled.map((part) => Math.round(100 * PAPER * Math.min(1, Math.max(0, part))) / 100);
  }

  draw() {
    const context = this.canvas.getContext("2d");
    const unit = this.canvas.width / PAPER;
    context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    Object.assign(context, { lineWidth: 4 * unit, lineCap: "round", lineJoin: "round" });
    context.strokeStyle = getComputedStyle(this.canvas).color;
    for (const stroke of this.current ? [...this.strokes, this.current] : this.strokes) {
      context.beginPath();
      stroke.forEach(([x, y]) => context.lineTo(x * unit, y * unit));
      if (stroke.length === 1) context.lineTo(stroke[0][0] * unit + 0.01, stroke[0][1] * unit);
      context.stroke();
    }
  }
}
