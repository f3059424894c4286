// The reader's task, edited: a pad, a grid of places, glyphs, files. It calls `changed` after every change.

import { byId, element, numberOf, say } from "./dom.js";
import { fromFile, toFile } from "./drawings_file.js";
import { emptyTask, fillWithGlyphs, LIMITS, resizeTask } from "./drawn_task.js";
import { Pad } from "./pad.js";
import { isSamePlace, placeName, places, showGrid } from "./task_view.js";

export class TaskEditor {
  /** data: as `readData` gives it. */
  constructor(data, changed) {
    Object.assign(this, { data, changed, firstGlyph: 0, task: emptyTask(...this.counts()) });
    this.selected = places(this.task)[0];
    this.pad = new Pad(byId("pad"), (strokes) => this.draw(strokes));
    this.listen();
  }

  listen() {
    for (const id of ["classes", "support", "queries"]) byId(id).onchange = () => this.resize();
    byId("undo").onclick = () => this.draw(this.strokes().slice(0, -1));
    byId("clear").onclick = () => this.draw([]);
    byId("next").onclick = () => this.selectNext();
    byId("clear-all").onclick = () => this.replace(emptyTask(...this.counts()));
    byId("put-glyph").onclick = () => this.putGlyph();
    byId("fill").onclick = () => this.fill();
    byId("export").onclick = () => this.save();
    byId("import").onchange = (event) => this.load(event.target);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.pad.draw());
  }

  counts() {
    return [numberOf("classes"), numberOf("support"), numberOf("queries")];
  }

  show() {
    const size = this.data.size;
    showGrid(byId("grid"), this.task, this.selected, size, numberOf("turn"), (place) => this.select(place));
    this.pad.show(this.strokes());
    say("pad-title", placeName(this.task, this.selected));
  }

  strokes() {
    return this.task[this.selected.classNumber][this.selected.kind][this.selected.number];
  }

  draw(strokes) {
    this.task[this.selected.classNumber][this.selected.kind][this.selected.number] = strokes;
    this.changed();
  }

  replace(task) {
    this.task = task;
    this.selected = places(task)[0];
    this.changed();
  }

  resize() {
    this.replace(resizeTask(this.task, ...this.counts()));
  }

  select(place) {
    this.selected = place;
    this.show();
  }

  selectNext() {
    const all = places(this.task);
    const at = all.findIndex((place) => isSamePlace(place, this.selected));
    this.select(all[(at + 1) % all.length]);
  }

  putGlyph() {
    const hands = this.data.glyphs[numberOf("glyph")];
    const { kind, number } = this.selected;
    this.draw(hands[(number + (kind === "queries" ? LIMITS.support[1] : 0)) % hands.length]);
  }

  fill() {
    this.replace(fillWithGlyphs(this.task, this.data.glyphs, this.firstGlyph));
    this.firstGlyph += this.task.length;
  }

  save() {
    const link = element("a", { download: "drawings.json" });
    const file = new Blob([toFile(this.task, numberOf("turn"))], { type: "application/json" });
    link.href = URL.createObjectURL(file);
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }

  async load(input) {
    const [file] = input.files;
    if (!file) return;
    try {
      const task = fromFile(await file.text());
      this.checkClasses(task);
      this.takeCounts(task);
      this.replace(resizeTask(task, ...this.counts()));
      say("file-problem", "");
    } catch (error) {
      say("file-problem", error.message);
    }
    input.value = "";
  }

  checkClasses(task) {
    const most = this.data.sizes.at(-1);
    if (task.length > most) throw new Error(`The file has ${task.length} classes; these networks take 2 to ${most}.`);
  }

  takeCounts(task) {
    byId("classes").value = task.length;
    byId("support").value = Math.max(...task.map(({ support }) => support.length));
    byId("queries").value = Math.max(1, ...task.map(({ queries }) => queries.length));
    byId("turn").value = "0";
  }
}
