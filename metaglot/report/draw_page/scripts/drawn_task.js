// The reader's task: classes, each with drawings that the network learns from and queries.
// A drawing is a list of strokes, and an empty list where nothing is drawn yet.

import { resize } from "./resize.js";
import { drawStrokes, PAPER, turn } from "./strokes.js";

export const LIMITS = { classes: [2, 5], support: [1, 5], queries: [1, 5] };

export function emptyTask(classes, support, queries) {
  const labels = Array.from({ length: classes }, (_, k) => String.fromCharCode(65 + k));
  return labels.map((label) => ({ label, support: blanks(support), queries: blanks(queries) }));
}

/** The task with other numbers of classes, drawings and queries. */
export function resizeTask(task, classes, support, queries) {
  const labels = task.slice(0, classes).map(({ label }) => label);
  const unused = [..."ABCDEFGHIJ"].filter((letter) => !labels.includes(letter));
  return emptyTask(classes, support, queries).map((empty, k) => ({
    label: labels[k] ?? unused[k - labels.length],
    support: empty.support.map((blank, n) => task[k]?.support[n] ?? blank),
    queries: empty.queries.map((blank, n) => task[k]?.queries[n] ?? blank),
  }));
}

/** The task filled with glyphs, from the character with this number on. */
export function fillWithGlyphs(task, glyphs, first) {
  return task.map(({ label, support, queries }, k) => {
    const hands = glyphs[(first + k) % glyphs.length];
    return {
      label,
      support: support.map((_, n) => hands[n % hands.length]),
      queries: queries.map((_, n) => hands[(support.length + n) % hands.length]),
    };
  });
}

function blanks(count) {
  return Array.from({ length: count }, () => []);
}

export function isBlank(strokes) {
  return !strokes.some((stroke) => stroke.length);
}

/** Brightness [size x size] as the network sees it, 255 = paper; null where nothing is drawn. */
export function networkImage(strokes, size, quarters) {
  const levels = drawStrokes(turn(strokes, quarters));
  return levels && resize(levels, PAPER, size);
}

/** The drawings and queries that are there, in order, as {name, output, pixels}; pixels: ink = 1. */
export function taskImages(task, size, quarters) {
  const used = task.filter(({ support }) => !support.every(isBlank));
  const images = (kind, noun) =>
    used.flatMap((drawn, k) =>
      drawn[kind].flatMap((strokes, n) => {
        const levels = networkImage(strokes, size, quarters);
        const name = `${drawn.label}, ${noun} ${n + 1}`;
        return levels ? [{ name, classNumber: k, levels, pixels: inkOf(levels) }] : [];
      }),
    );
  const labels = used.map(({ label }) => label);
  return { labels, support: images("support", "drawing"), queries: images("queries", "query") };
}

function inkOf(levels) {
  return Float64Array.from(levels, (level) => (255 - level) / 255);
}

/** A sentence that says what to add before a network can learn the task; null if the task is complete. */
export function missing({ labels, queries }, transductive) {
  if (labels.length < 2) {
    const number = labels.length ? "Only one class has a drawing" : "Nothing is drawn yet";
    return `${number}: draw at least one drawing of each of two classes, or start from glyphs.`;
  }
  if (!queries.length) return "There is no query yet: draw what the networks should classify.";
  if (transductive && queries.length === 1) {
    return "A single query cannot be normalised with others: draw another one, or classify each query independently.";
  }
  return null;
}
