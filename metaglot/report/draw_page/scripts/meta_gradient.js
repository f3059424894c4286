// Both meta-gradients of one task: first order, and exact through the inner steps.
//
// With theta_k+1 = theta_k - rate * grad L(theta_k), L the support loss, the exact meta-gradient is the gradient of the
// query loss at the adapted weights times (I - rate H_k) for each step, last step first. H_k, the Hessian of L at
// theta_k, is symmetric: each factor is one Hessian-vector product, the derivative of the gradient along the vector.

import { matrix } from "./matrix.js";
import { backwardAlong, forwardAlong, layerOf, NAMES } from "./network.js";
import { descend, lossGradient } from "./inner_loop.js";

export const WHOLE_NETWORK = "all";

/** The Hessian of the loss on these images times a vector. */
export function hessianTimes(parameters, images, labels, vector) {
  const { trace, dlogits, probabilities, back } = lossGradient(parameters, images, labels);
  const derivative = forwardAlong(parameters, trace, vector);
  const dlogitsAlong = softmaxAlong(probabilities, derivative.logitsAlong);
  return backwardAlong(parameters, trace, dlogits, back, vector, derivative, dlogitsAlong);
}

/** The derivative of (softmax(logits) - target) / rows. */
function softmaxAlong(probabilities, logitsAlong) {
  const { rows, columns, values } = logitsAlong;
  const result = matrix(rows, columns);
  probabilities.forEach((row, n) => {
    const mean = row.reduce((total, p, way) => total + p * values[n * columns + way], 0);
    row.forEach((p, way) => (result.values[n * columns + way] = (p * (values[n * columns + way] - mean)) / rows));
  });
  return result;
}

/** The first-order and the second-order gradient of the query loss after so many steps, by the first weights. */
export function metaGradients(loop, steps, queries, labels) {
  const firstOrder = lossGradient(loop.after(steps), queries, labels).gradients;
  let secondOrder = firstOrder;
  for (let step = steps - 1; step >= 0; step--) {
    const product = hessianTimes(loop.after(step), loop.support, loop.labels, secondOrder);
    secondOrder = descend(secondOrder, product, loop.rate);
  }
  return { firstOrder, secondOrder };
}

/** The cosine, and the first-order norm over the second-order norm, of the whole network and of each layer. */
export function compareByLayer(firstOrder, secondOrder) {
  const sums = {};
  for (const name of NAMES) {
    for (const layer of [WHOLE_NETWORK, layerOf(name)]) {
      sums[layer] ??= [0, 0, 0];
      addProducts(sums[layer], firstOrder[name], secondOrder[name]);
    }
  }
  return Object.fromEntries(
    Object.entries(sums).map(([layer, [a, ab, b]]) => [
      layer,
      { cosine: ab / Math.sqrt(a * b), normRatio: Math.sqrt(a / b) },
    ]),
  );
}

function addProducts(sums, first, second) {
  for (let k = 0; k < first.length; k++) {
    sums[0] += first[k] * first[k];
    sums[1] += first[k] * second[k];
    sums[2] += second[k] * second[k];
  }
}
