// Matrices as {rows, columns, values}, by rows, and the three products that a linear layer needs.

export function matrix(rows, columns, values = new Float64Array(rows * columns)) {
  return { rows, columns, values };
}

/** x W^T: [rows, inputs] times W [outputs, inputs], given as a flat array. Zeros of x cost nothing. */
export function timesTransposed(x, weight, outputs) {
  const product = matrix(x.rows, outputs);
  for (let row = 0; row < x.rows; row++) {
    const columns = nonZeroColumns(x, row);
    for (let output = 0; output < outputs; output++) {
      product.values[row * outputs + output] = dotAt(columns, x, row, weight, output);
    }
  }
  return product;
}

function dotAt(columns, x, row, weight, output) {
  const start = row * x.columns;
  const offset = output * x.columns;
  let sum = 0;
  for (let k = 0; k < columns.length; k++) sum += x.values[start + columns[k]] * weight[offset + columns[k]];
  return sum;
}

/** g W: [rows, outputs] times W [outputs, inputs]. */
export function times(g, weight, inputs) {
  const product = matrix(g.rows, inputs);
  for (let row = 0; row < g.rows; row++) {
    const target = product.values.subarray(row * inputs, (row + 1) * inputs);
    for (let output = 0; output < g.columns; output++) {
      addScaled(target, g.values[row * g.columns + output], weight, output * inputs);
    }
  }
  return product;
}

function addScaled(target, factor, source, offset) {
  if (factor === 0) return;
  for (let k = 0; k < target.length; k++) target[k] += factor * source[offset + k];
}

/** Add g^T x, [outputs, inputs], to a flat array: the gradient of W. */
export function addTransposedTimes(target, g, x) {
  for (let row = 0; row < g.rows; row++) {
    const columns = nonZeroColumns(x, row);
    for (let output = 0; output < g.columns; output++) {
      addOuter(target, output * x.columns, g.values[row * g.columns + output], columns, x, row);
    }
  }
  return target;
}

function addOuter(target, offset, factor, columns, x, row) {
  if (factor === 0) return;
  const start = row * x.columns;
  for (let k = 0; k < columns.length; k++) target[offset + columns[k]] += factor * x.values[start + columns[k]];
}

function nonZeroColumns(x, row) {
  const columns = [];
  for (let column = 0; column < x.columns; column++) if (x.values[row * x.columns + column] !== 0) columns.push(column);
  return Int32Array.from(columns);
}

/** The sum of two matrices of one shape. */
export function sum(a, b) {
  return matrix(a.rows, a.columns, a.values.map((value, k) => value + b.values[k]));
}

/** The sums of the columns, as a flat array. */
export function columnSums(x) {
  const sums = new Float64Array(x.columns);
  x.values.forEach((value, k) => (sums[k % x.columns] += value));
  return sums;
}
