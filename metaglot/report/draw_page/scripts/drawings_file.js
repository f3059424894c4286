// The task as a JSON file, which `python -m stages.predict` takes too.

import { isBlank, LIMITS } from "./drawn_task.js";
import { turn } from "./strokes.js";

const FORMAT = "metaglot drawings";

/** The file's text. It holds what is drawn, as turned; blank places are left out. */
export function toFile(task, quarters) {
  const drawn = (drawings) => drawings.filter((strokes) => !isBlank(strokes)).map((strokes) => turn(strokes, quarters));
  const used = task.filter(({ support }) => !support.every(isBlank));
  const content = ({ label, support, queries }) => ({ label, support: drawn(support), queries: drawn(queries) });
  return JSON.stringify({ format: FORMAT, version: 1, classes: used.map(content) });
}

/** The task in a file. Throws an Error with a sentence for the reader. */
export function fromFile(text) {
  const content = parse(text);
  if (content?.format !== FORMAT || content.version !== 1 || !Array.isArray(content.classes)) {
    throw new Error("This file is not one that the draw page exported.");
  }
  checkCount("classes", content.classes, "The file");
  content.classes.forEach(checkClass);
  if (new Set(content.classes.map(({ label }) => label)).size < content.classes.length) {
    throw new Error("The file has two classes with one label.");
  }
  return content.classes.map(({ label, support, queries }) => ({ label, support, queries }));
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error("This file is not JSON, so the draw page did not export it.");
  }
}

function checkClass(content) {
  const { label, support, queries } = content ?? {};
  if (typeof label !== "string" || !label || label.length > 100) {
    throw new Error("The file has a class without a label of 1 to 100 letters.");
  }
  checkCount("support", support, label);
  if (!Array.isArray(queries) || queries.length > LIMITS.queries[1]) checkCount("queries", queries, label);
  [...support, ...queries].forEach((strokes) => checkDrawing(strokes, label));
}

function checkCount(kind, list, owner) {
  const [least, most] = LIMITS[kind];
  const noun = { classes: "classes", support: "drawings", queries: "queries" }[kind];
  if (!Array.isArray(list) || list.length < least || list.length > most) {
    throw new Error(`${owner} has ${list?.length ?? "no list of"} ${noun}; the page takes ${least} to ${most}.`);
  }
}

function checkDrawing(strokes, label) {
  const isPoint = (point) => Array.isArray(point) && point.length === 2 && point.every((v) => Number.isFinite(v));
  const isStroke = (stroke) => Array.isArray(stroke) && stroke.every(isPoint);
  if (!Array.isArray(strokes) || !strokes.every(isStroke)) {
    throw new Error(`A drawing of ${label} has a point that is not two numbers.`);
  }
  if (isBlank(strokes)) throw new Error(`A drawing of ${label} is blank: draw it, or leave it out.`);
}
