// The few statistics that the page prints.

/** Wilson's 95% interval of k of n. */
export function wilson(k, n) {
  const z = 1.959964;
  const centre = (k + (z * z) / 2) / (n + z * z);
  const half = (z * Math.sqrt((k * (n - k)) / n + (z * z) / 4)) / (n + z * z);
  return [Math.max(0, centre - half), Math.min(1, centre + half)];
}

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Where a value stands among recorded ones, in words. */
export function placeAmong(value, recorded) {
  const above = recorded.filter((other) => value > other).length;
  if (above === 0) return `below all ${recorded.length}`;
  return above === recorded.length ? `above all ${recorded.length}` : `above ${above} of ${recorded.length}`;
}

export function percent(fraction, digits = 0) {
  return `${(100 * fraction).toFixed(digits)}%`;
}
