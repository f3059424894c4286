// The second-order term of the reader's task, among the values that the training recorded.

import { element, tableOf } from "./dom.js";
import { compareByLayer, metaGradients, WHOLE_NETWORK } from "./meta_gradient.js";
import { stack } from "./network.js";
import { median, placeAmong } from "./statistics.js";
import { stepsText } from "./answers_view.js";

export function gradientView(network, loop, task, outputs) {
  const title = element("h3", {}, network.name);
  if (task.queries.length < 2) {
    const text = "The meta-gradients need at least two queries, because queries are normalised together.";
    return element("article", {}, title, element("p", { className: "problem" }, text));
  }
  const labels = task.queries.map(({ classNumber }) => outputs[classNumber]);
  const queries = stack(task.queries.map(({ pixels }) => pixels));
  const { firstOrder, secondOrder } = metaGradients(loop, network.trainingSteps, queries, labels);
  const compared = compareByLayer(firstOrder, secondOrder);
  const text = element("p", {}, summary(compared[WHOLE_NETWORK], network));
  return element("article", {}, title, text, alignmentTable(compared, network));
}

function summary({ cosine, normRatio }, { trainingSteps }) {
  if (!Number.isFinite(cosine) || !Number.isFinite(normRatio)) return "A gradient of this task is zero or not finite.";
  const missed = Math.sqrt(Math.max(0, 1 - 2 * cosine * normRatio + normRatio ** 2));
  return (
    `After ${stepsText(trainingSteps)}, as in training: the cosine between both meta-gradients is ` +
    `${cosine.toFixed(3)}, the norm ratio ${normRatio.toFixed(3)}. The part of the exact gradient that first order misses has ` +
    `${missed.toFixed(2)} of its norm.`
  );
}

function alignmentTable(compared, { alignment }) {
  const rows = Object.entries(compared).map(([layer, { cosine, normRatio }]) => [
    layer === WHOLE_NETWORK ? "whole network" : layer,
    cosine.toFixed(3),
    recorded(cosine, alignment[layer]?.cosine),
    normRatio.toFixed(3),
    recorded(normRatio, alignment[layer]?.normRatio),
  ]);
  const header = ["layer", "cosine", "recorded in training", "norm ratio", "recorded in training"];
  return tableOf(header, rows, "First-order against second-order meta-gradient");
}

function recorded(value, values) {
  if (!values?.length) return "nothing comparable";
  const shown = [Math.min(...values), median(values), Math.max(...values)].map((number) => number.toFixed(3));
  return `${placeAmong(value, values)}: ${shown[0]} to ${shown[2]}, median ${shown[1]}`;
}
