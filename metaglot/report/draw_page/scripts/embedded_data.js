// What Python put into the page: networks with their weights, scores and recorded gradients, and glyphs.

import { BLOCKS, HEAD, HEAD_BIAS } from "./network.js";

const NO_NETWORK =
  "This page has no trained network in it. Run `dvc repro`: it writes data/report/draw.html with its networks.";

/** The data, with each network's parameters as arrays. Throws an Error with a sentence for the reader. */
export function readData(text) {
  let data;
  try {
    data = JSON.parse(text);
  } catch {
    throw new Error(NO_NETWORK);
  }
  if (!data?.networks?.length) throw new Error([NO_NETWORK, ...(data?.leftOut ?? [])].join(" "));
  return { ...data, networks: data.networks.map((network) => withParameters(network, data.sizes)) };
}

function withParameters(network, sizes) {
  const numbers = decode(network.weights);
  const parameters = {};
  let start = 0;
  for (const [name, length] of lengths(sizes)) {
    parameters[name] = Float64Array.from(numbers.subarray(start, start + length));
    start += length;
  }
  if (start !== numbers.length) throw new Error(`The weights of ${network.name} are incomplete: copy the page again.`);
  return { ...network, parameters };
}

function decode(base64) {
  try {
    const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
    return new Float32Array(bytes.buffer);
  } catch {
    return new Float32Array(0);
  }
}

/** The name and number of values of each parameter, in order. sizes: features of each layer, pixels first. */
function lengths(sizes) {
  const blocks = BLOCKS.flatMap(({ weight, scale, shift }, k) => [
    [weight, sizes[k] * sizes[k + 1]],
    [scale, sizes[k + 1]],
    [shift, sizes[k + 1]],
  ]);
  return [...blocks, [HEAD, sizes[4] * sizes[5]], [HEAD_BIAS, sizes[5]]];
}
