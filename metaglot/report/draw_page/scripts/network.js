// The fc network: four blocks of a linear map, batch norm and ReLU, then a linear classifier.
//
// Parameters are flat arrays by their names in the weights file. A linear map before a batch norm has no bias, because
// the norm subtracts it.

import { gradient, gradientAlong, normRelu, normReluAlong } from "./batch_norm_relu.js";
import { addTransposedTimes, columnSums, matrix, sum, times, timesTransposed } from "./matrix.js";

export const HEAD = "classifier.weight";
export const HEAD_BIAS = "classifier.bias";
export const BLOCKS = [0, 1, 2, 3].map((number) => ({
  weight: `features.1.${number}.linear.weight`,
  scale: `features.1.${number}.normalize.weight`,
  shift: `features.1.${number}.normalize.bias`,
}));
export const NAMES = [...BLOCKS.flatMap(({ weight, scale, shift }) => [weight, scale, shift]), HEAD, HEAD_BIAS];

/** The layer of a parameter: features.1.0 to features.1.3, or classifier. */
export function layerOf(name) {
  return name.split(".").slice(0, name.startsWith("features") ? 3 : 1).join(".");
}

/** Logits of images [n, pixels], ink = 1, and the trace of the pass. `given`: each block's statistics (inductive). */
export function forward(parameters, images, given = []) {
  const passes = [];
  let input = images;
  BLOCKS.forEach(({ weight, scale, shift }, number) => {
    const z = timesTransposed(input, parameters[weight], parameters[scale].length);
    passes.push({ input, ...normRelu(z, parameters[scale], parameters[shift], given[number]) });
    input = passes.at(-1).y;
  });
  const logits = timesTransposed(input, parameters[HEAD], parameters[HEAD_BIAS].length);
  addBias(logits, parameters[HEAD_BIAS]);
  return { logits, passes, features: input };
}

/** The gradient of the loss of which `dlogits` is the gradient by the logits, and what its derivative needs. */
export function backward(parameters, { passes, features }, dlogits) {
  const gradients = {
    [HEAD]: addTransposedTimes(new Float64Array(parameters[HEAD].length), dlogits, features),
    [HEAD_BIAS]: columnSums(dlogits),
  };
  const back = [];
  let dy = times(dlogits, parameters[HEAD], features.columns);
  for (let number = BLOCKS.length - 1; number >= 0; number--) {
    const { weight, scale, shift } = BLOCKS[number];
    const { input } = passes[number];
    back[number] = gradient(passes[number], dy);
    gradients[weight] = addTransposedTimes(new Float64Array(parameters[weight].length), back[number].dz, input);
    gradients[scale] = back[number].dgamma;
    gradients[shift] = back[number].dbeta;
    if (number > 0) dy = times(back[number].dz, parameters[weight], input.columns);
  }
  return { gradients, back };
}

/** The derivative of the logits, and of the trace, as the parameters move along `direction`. */
export function forwardAlong(parameters, { passes, features }, direction) {
  const along = [];
  let inputAlong = null; // images do not move
  BLOCKS.forEach(({ weight, scale, shift }, number) => {
    const pass = passes[number];
    const fromWeight = timesTransposed(pass.input, direction[weight], pass.x.columns);
    const fromInput = inputAlong && timesTransposed(inputAlong, parameters[weight], pass.x.columns);
    const zAlong = fromInput ? sum(fromWeight, fromInput) : fromWeight;
    along.push({ inputAlong, ...normReluAlong(pass, zAlong, direction[scale], direction[shift]) });
    inputAlong = along.at(-1).yAlong;
  });
  const ways = parameters[HEAD_BIAS].length;
  const fromHead = timesTransposed(features, direction[HEAD], ways);
  const logitsAlong = sum(fromHead, timesTransposed(inputAlong, parameters[HEAD], ways));
  addBias(logitsAlong, direction[HEAD_BIAS]);
  return { logitsAlong, along, featuresAlong: inputAlong };
}

/** The derivative of `backward`'s gradients along `direction`. */
export function backwardAlong(parameters, trace, dlogits, back, direction, forwardDerivative, dlogitsAlong) {
  const { passes, features } = trace;
  const { along, featuresAlong } = forwardDerivative;
  const result = {
    [HEAD]: productAlong(parameters[HEAD].length, dlogits, features, dlogitsAlong, featuresAlong),
    [HEAD_BIAS]: columnSums(dlogitsAlong),
  };
  let dyAlong = timesAlong(dlogits, dlogitsAlong, parameters[HEAD], direction[HEAD], features.columns);
  for (let number = BLOCKS.length - 1; number >= 0; number--) {
    const { weight, scale, shift } = BLOCKS[number];
    const { input } = passes[number];
    const derivative = gradientAlong(passes[number], back[number], along[number], dyAlong);
    const { dz } = back[number];
    result[weight] = productAlong(parameters[weight].length, dz, input, derivative.dz, along[number].inputAlong);
    result[scale] = derivative.dgamma;
    result[shift] = derivative.dbeta;
    if (number > 0) dyAlong = timesAlong(dz, derivative.dz, parameters[weight], direction[weight], input.columns);
  }
  return result;
}

function productAlong(length, g, x, gAlong, xAlong) {
  const result = addTransposedTimes(new Float64Array(length), gAlong, x);
  return xAlong ? addTransposedTimes(result, g, xAlong) : result;
}

function timesAlong(g, gAlong, weight, weightAlong, inputs) {
  return sum(times(gAlong, weight, inputs), times(g, weightAlong, inputs));
}

function addBias(logits, bias) {
  for (let k = 0; k < logits.values.length; k++) logits.values[k] += bias[k % logits.columns];
}

/** Rows of numbers as a matrix. */
export function stack(rows) {
  return matrix(rows.length, rows[0]?.length ?? 0, Float64Array.from(rows.flatMap((row) => [...row])));
}
