// Batch norm and ReLU, the gradient, and the derivatives of both along a direction.
//
// For one feature with n rows, r = 1 / sqrt(var + eps), x = (z - mean) r:
//
//   y  = relu(gamma x + beta)
//   dz = r gamma (g - mean(g) - x mean(g x)),  dgamma = sum(g x),  dbeta = sum(g)     where g = dy where y > 0, else 0
//
// A prime marks a derivative along the direction (z', gamma', beta'):
//
//   x' = r (z' - mean(z') - x mean(x z')),  r' = -r^2 mean(x z')

import { matrix } from "./matrix.js";

export const EPS = 1e-3;

/** The mean of each column, and 1 / sqrt(variance + EPS). */
export function statistics(z) {
  const mean = means(z, (k) => z.values[k]);
  const variance = means(z, (k, column) => (z.values[k] - mean[column]) ** 2);
  return { mean, inverse: variance.map((v) => 1 / Math.sqrt(v + EPS)) };
}

/** y, with what the gradient needs. `given`: the statistics of other images (inductive), by default those of z. */
export function normRelu(z, gamma, beta, given = statistics(z)) {
  const x = map(z, (k, column) => (z.values[k] - given.mean[column]) * given.inverse[column]);
  const y = map(x, (k, column) => Math.max(0, gamma[column] * x.values[k] + beta[column]));
  return { x, y, inverse: given.inverse, gamma, statistics: given };
}

/** dz, dgamma and dbeta, with what their derivative needs. */
export function gradient({ x, y, inverse, gamma }, dy) {
  const g = map(dy, (k) => (y.values[k] > 0 ? dy.values[k] : 0));
  const meanG = means(g, (k) => g.values[k]);
  const meanGx = means(g, (k) => g.values[k] * x.values[k]);
  const q = map(g, (k, column) => g.values[k] - meanG[column] - x.values[k] * meanGx[column]);
  const dz = map(q, (k, column) => inverse[column] * gamma[column] * q.values[k]);
  return { dz, dgamma: meanGx.map((m) => m * g.rows), dbeta: meanG.map((m) => m * g.rows), g, q, meanGx };
}

/** The derivatives of x, y and r along (z', gamma', beta'). */
export function normReluAlong({ x, y, inverse, gamma }, zAlong, gammaAlong, betaAlong) {
  const meanZ = means(zAlong, (k) => zAlong.values[k]);
  const meanXz = means(zAlong, (k) => x.values[k] * zAlong.values[k]);
  const xAlong = map(x, (k, c) => inverse[c] * (zAlong.values[k] - meanZ[c] - x.values[k] * meanXz[c]));
  const yAlong = map(x, (k, c) =>
    y.values[k] > 0 ? gammaAlong[c] * x.values[k] + gamma[c] * xAlong.values[k] + betaAlong[c] : 0,
  );
  return { xAlong, yAlong, inverseAlong: inverse.map((r, c) => -r * r * meanXz[c]), gammaAlong };
}

/** The derivatives of dz, dgamma and dbeta, from the derivatives of the forward pass and of dy. */
export function gradientAlong({ x, y, inverse, gamma }, { g, q, meanGx }, along, dyAlong) {
  const { xAlong, inverseAlong, gammaAlong } = along;
  const gAlong = map(dyAlong, (k) => (y.values[k] > 0 ? dyAlong.values[k] : 0));
  const meanG = means(g, (k) => gAlong.values[k]);
  const meanGxAlong = means(g, (k) => gAlong.values[k] * x.values[k] + g.values[k] * xAlong.values[k]);
  const dz = map(g, (k, c) => {
    const qAlong = gAlong.values[k] - meanG[c] - xAlong.values[k] * meanGx[c] - x.values[k] * meanGxAlong[c];
    return (inverseAlong[c] * gamma[c] + inverse[c] * gammaAlong[c]) * q.values[k] + inverse[c] * gamma[c] * qAlong;
  });
  return { dz, dgamma: meanGxAlong.map((m) => m * g.rows), dbeta: meanG.map((m) => m * g.rows) };
}

function means(like, value) {
  const result = new Float64Array(like.columns);
  for (let k = 0; k < like.values.length; k++) result[k % like.columns] += value(k, k % like.columns);
  return result.map((total) => total / like.rows);
}

function map(like, value) {
  const result = matrix(like.rows, like.columns);
  for (let k = 0; k < result.values.length; k++) result.values[k] = value(k, k % like.columns);
  return result;
}
