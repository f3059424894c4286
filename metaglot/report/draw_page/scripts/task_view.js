// The drawings as a grid of places: each shows what the network sees, and opens in the pad.

import { element, imageCanvas } from "./dom.js";
import { isBlank, networkImage } from "./drawn_task.js";

const NOUNS = { support: "drawing", queries: "query" };

/** One place of the task: class number, "support" or "queries", and number. */
export function placeName(task, { classNumber, kind, number }) {
  return `${task[classNumber].label}, ${NOUNS[kind]} ${number + 1}`;
}

/** Every place, drawings before queries in each class. */
export function places(task) {
  return task.flatMap((drawn, classNumber) =>
    Object.keys(NOUNS).flatMap((kind) => drawn[kind].map((_, number) => ({ classNumber, kind, number }))),
  );
}

export function isSamePlace(a, b) {
  return a.classNumber === b.classNumber && a.kind === b.kind && a.number === b.number;
}

/** Fill `grid` with a row for each class. */
export function showGrid(grid, task, selected, size, quarters, select) {
  const hadFocus = grid.contains(document.activeElement);
  const button = (place) => placeButton(task, place, isSamePlace(place, selected), size, quarters, select);
  const rows = task.map((drawn, classNumber) => {
    const buttons = (kind) => drawn[kind].map((_, number) => button({ classNumber, kind, number }));
    return element(
      "div",
      { className: "class", role: "group", "aria-label": `Class ${drawn.label}` },
      element("b", {}, drawn.label),
      element("div", { className: "support" }, ...buttons("support")),
      element("div", { className: "queries" }, ...buttons("queries")),
    );
  });
  grid.replaceChildren(...rows);
  if (hadFocus) grid.querySelector("[aria-pressed=true]")?.focus();
}

function placeButton(task, place, isSelected, size, quarters, select) {
  const strokes = task[place.classNumber][place.kind][place.number];
  const name = placeName(task, place);
  const label = isBlank(strokes) ? `${name}: empty` : name;
  const canvas = imageCanvas(networkImage(strokes, size, quarters), size, label);
  canvas.setAttribute("aria-hidden", "true");
  return element(
    "button",
    {
      type: "button",
      className: isBlank(strokes) ? "place blank" : "place",
      "aria-label": label,
      "aria-pressed": String(isSelected),
      onclick: () => select(place),
    },
    canvas,
  );
}
