// The inner loop: gradient steps on the support set, and what the adapted network answers.

import { matrix } from "./matrix.js";
import { backward, forward, layerOf, NAMES } from "./network.js";

/** Softmax of each row of the logits, over these outputs. */
export function softmax(logits, outputs = range(logits.columns)) {
  return range(logits.rows).map((row) => {
    const values = outputs.map((output) => logits.values[row * logits.columns + output]);
    const largest = Math.max(...values);
    const powers = values.map((value) => Math.exp(value - largest));
    const total = powers.reduce((a, b) => a + b, 0);
    return powers.map((power) => power / total);
  });
}

/** The mean cross-entropy over the rows, its gradient by the logits, and the probabilities. */
export function crossEntropy(logits, labels) {
  const probabilities = softmax(logits);
  const dlogits = matrix(logits.rows, logits.columns);
  let loss = 0;
  probabilities.forEach((row, n) => {
    loss -= Math.log(row[labels[n]]) / logits.rows;
    row.forEach((p, way) => {
      dlogits.values[n * logits.columns + way] = (p - (way === labels[n] ? 1 : 0)) / logits.rows;
    });
  });
  return { loss, dlogits, probabilities };
}

/** The loss on a set of images, its gradient by every parameter, and the trace of both passes. */
export function lossGradient(parameters, images, labels) {
  const trace = forward(parameters, images);
  const { loss, dlogits, probabilities } = crossEntropy(trace.logits, labels);
  return { loss, dlogits, probabilities, trace, ...backward(parameters, trace, dlogits) };
}

/** Weights minus rate times their gradients. */
export function descend(parameters, gradients, rate) {
  return Object.fromEntries(
    NAMES.map((name) => [name, parameters[name].map((value, k) => value - rate * gradients[name][k])]),
  );
}

/** The weights before any step, after one, after two, ..., made when they are first asked for. */
export class InnerLoop {
  constructor(parameters, support, labels, rate) {
    Object.assign(this, { support, labels, rate, weights: [parameters], losses: [] });
  }

  after(steps) {
    while (this.weights.length <= steps) {
      const weights = this.weights.at(-1);
      const { loss, gradients } = lossGradient(weights, this.support, this.labels);
      this.losses.push(loss);
      this.weights.push(descend(weights, gradients, this.rate));
    }
    return this.weights[steps];
  }

  /** The loss on the support set after so many steps. */
  supportLoss(steps) {
    const weights = this.after(steps);
    return this.losses[steps] ?? crossEntropy(forward(weights, this.support).logits, this.labels).loss;
  }

  /** Logits of queries, all normalised together (transductive) or each by the support set's statistics. */
  logits(steps, queries, transductive) {
    const weights = this.after(steps);
    if (transductive) return forward(weights, queries).logits;
    const given = forward(weights, this.support).passes.map((pass) => pass.statistics);
    return forward(weights, queries, given).logits;
  }

  /** How far each layer moved: the norm of its change over the norm of its first weights. */
  movement(steps) {
    const weights = this.after(steps);
    const change = NAMES.map((name) => [name, weights[name].map((value, k) => value - this.weights[0][name][k])]);
    const moved = layerNorms(Object.fromEntries(change));
    const before = layerNorms(this.weights[0]);
    return Object.fromEntries(Object.keys(moved).map((layer) => [layer, moved[layer] / before[layer]]));
  }
}

/** The norm of each layer's parameters. */
export function layerNorms(parameters) {
  const squares = {};
  for (const name of NAMES) {
    const layer = layerOf(name);
    squares[layer] = parameters[name].reduce((total, value) => total + value * value, squares[layer] ?? 0);
  }
  return Object.fromEntries(Object.entries(squares).map(([layer, square]) => [layer, Math.sqrt(square)]));
}

export function range(length) {
  return Array.from({ length }, (_, n) => n);
}
