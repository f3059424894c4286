// What each network answers: probabilities of every query, the support loss, how far each layer moved.

import { barCell, element, imageCanvas, tableOf } from "./dom.js";
import { softmax } from "./inner_loop.js";
import { stack } from "./network.js";
import { percent, wilson } from "./statistics.js";

/** The number of right answers and each query's probabilities; null where a number is not finite. */
export function answersAfter(loop, steps, task, { transductive, outputs }) {
  const logits = loop.logits(steps, stack(task.queries.map(({ pixels }) => pixels)), transductive);
  if (!logits.values.every(Number.isFinite)) return null;
  const probabilities = softmax(logits, outputs);
  const answers = probabilities.map((row) => row.indexOf(Math.max(...row)));
  const right = answers.filter((answer, n) => answer === task.queries[n].classNumber).length;
  return { probabilities, answers, right };
}

export function answersView(network, loop, task, settings, size) {
  const answers = answersAfter(loop, settings.steps, task, settings);
  const title = element("h3", {}, network.name);
  if (!answers) {
    const text = "The adaptation diverged: its numbers are not finite. Take fewer steps or a smaller inner rate.";
    return element("article", {}, title, element("p", { className: "problem" }, text));
  }
  const before = answersAfter(loop, 0, task, settings);
  return element(
    "article",
    {},
    title,
    element("p", { className: "score" }, scoreText(answers.right, task.queries.length)),
    element("p", {}, `Before adaptation (step 0): ${before.right} of ${task.queries.length}.`),
    element("p", {}, testText(network, settings.transductive)),
    element("p", {}, `Support loss: ${loop.supportLoss(settings.steps).toPrecision(3)}.`),
    probabilityTable(answers, task, size),
    movementTable(loop.movement(settings.steps)),
  );
}

function scoreText(right, count) {
  const [low, high] = wilson(right, count);
  return `Your task: ${right} of ${count} queries right (95% interval ${percent(low)} to ${percent(high)}).`;
}

function testText({ scores, tasks, testSteps }, transductive) {
  const { mean, low, high } = scores[transductive ? "transductive" : "inductive"];
  const interval = `95% interval ${percent(low, 2)} to ${percent(high, 2)}`;
  const count = tasks.toLocaleString("en");
  return `Its test: ${percent(mean, 2)} on ${count} tasks after ${stepsText(testSteps)} (${interval}).`;
}

export function stepsText(steps) {
  return steps === 1 ? "1 step" : `${steps} steps`;
}

function probabilityTable({ probabilities, answers }, task, size) {
  const rows = task.queries.map(({ name, classNumber, levels }, n) => [
    element("span", { className: "query" }, imageCanvas(levels, size, name), name),
    ...probabilities[n].map((p, k) => barCell(p, p.toFixed(4), k === answers[n])),
    answers[n] === classNumber ? "right" : "wrong",
  ]);
  return tableOf(["query", ...task.labels, "answer"], rows, "Probability of each class");
}

function movementTable(moved) {
  const largest = Math.max(...Object.values(moved), 1e-9);
  const rows = Object.entries(moved).map(([layer, part]) => [layer, barCell(part / largest, percent(part, 1), false)]);
  return tableOf(["layer", "change"], rows, "How far each layer moved: norm of the change over the norm of the layer");
}
