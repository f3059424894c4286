// Pillow's resize of 8-bit images by the Lanczos filter: the same fixed-point numbers, so the same bytes.

const LOBES = 3;
const PRECISION_BITS = 22;

/** Shrink brightness [side x side] to [size x size]. */
export function resize(levels, side, size) {
  const kernels = Array.from({ length: size }, (_, n) => kernel(side, size, n));
  const narrow = new Uint8Array(side * size);
  for (let row = 0; row < side; row++) {
    kernels.forEach((k, column) => (narrow[row * size + column] = weighted(k, levels, row * side, 1)));
  }
  const small = new Uint8Array(size * size);
  for (let column = 0; column < size; column++) {
    kernels.forEach((k, row) => (small[row * size + column] = weighted(k, narrow, column, size)));
  }
  return small;
}

/** Which pixels make the nth one, and their weights as whole numbers. */
function kernel(side, size, n) {
  const scale = side / size;
  const stretch = Math.max(scale, 1);
  const centre = (n + 0.5) * scale;
  const first = Math.max(0, Math.trunc(centre - LOBES * stretch + 0.5));
  const end = Math.min(side, Math.trunc(centre + LOBES * stretch + 0.5));
  const weights = [];
  for (let pixel = first; pixel < end; pixel++) weights.push(lanczos((pixel - centre + 0.5) * (1 / stretch)));
  const total = weights.reduce((a, b) => a + b, 0);
  return { first, weights: weights.map((weight) => fixedPoint(weight / total)) };
}

function lanczos(x) {
  return -LOBES <= x && x < LOBES ? sinc(x) * sinc(x / LOBES) : 0;
}

function sinc(x) {
  return x === 0 ? 1 : Math.sin(x * Math.PI) / (x * Math.PI);
}

function fixedPoint(weight) {
  return Math.trunc(weight * 2 ** PRECISION_BITS + (weight < 0 ? -0.5 : 0.5));
}

function weighted({ first, weights }, levels, offset, stride) {
  let total = 2 ** (PRECISION_BITS - 1);
  weights.forEach((weight, k) => (total += weight * levels[offset + (first + k) * stride]));
  return Math.min(255, Math.max(0, Math.floor(total / 2 ** PRECISION_BITS)));
}
