// Pen strokes as an image like Omniglot's: one bit a pixel, 105x105. metaglot/inference/strokes.py does the same in the
// same order, so that both make the same pixels. A stroke is a list of points [x, y].

export const PAPER = 105;
const PEN = 5;
const EXTENT = 64;
const CENTRE = (PAPER - 1) / 2;

/** Brightness, 105 x 105: ink 0, paper 255. Null where nothing is drawn. */
export function drawStrokes(strokes) {
  const levels = new Uint8Array(PAPER * PAPER).fill(255);
  for (const stroke of fitToPaper(strokes)) {
    const ends = stroke.length > 1 ? stroke.slice(1) : stroke;
    ends.forEach((end, k) => addSegment(levels, stroke[k], end));
  }
  return levels.includes(0) ? levels : null;
}

/** Strokes centred, and their longer side brought to EXTENT. A single dot is only centred. */
export function fitToPaper(strokes) {
  const drawn = strokes.filter((stroke) => stroke.length > 0);
  const [left, right] = extremes(drawn, 0);
  const [top, bottom] = extremes(drawn, 1);
  const longer = Math.max(right - left, bottom - top);
  const scale = longer > 0 ? EXTENT / longer : 1;
  const move = ([x, y]) => [(x - (left + right) / 2) * scale + CENTRE, (y - (top + bottom) / 2) * scale + CENTRE];
  return drawn.map((stroke) => stroke.map(move));
}

function extremes(strokes, axis) {
  const values = strokes.flatMap((stroke) => stroke.map((point) => point[axis]));
  return [values.reduce((a, b) => Math.min(a, b), Infinity), values.reduce((a, b) => Math.max(a, b), -Infinity)];
}

function addSegment(levels, [x0, y0], [x1, y1]) {
  const [dx, dy] = [x1 - x0, y1 - y0];
  const squared = dx * dx + dy * dy;
  const [left, right] = pixelsNear(x0, x1);
  const [top, bottom] = pixelsNear(y0, y1);
  for (let y = top; y <= bottom; y++) {
    for (let x = left; x <= right; x++) {
      const along = squared > 0 ? ((x - x0) * dx + (y - y0) * dy) / squared : 0;
      const nearest = Math.min(Math.max(along, 0), 1);
      const [fromX, fromY] = [x - (x0 + nearest * dx), y - (y0 + nearest * dy)];
      if (fromX * fromX + fromY * fromY <= (PEN * PEN) / 4) levels[y * PAPER + x] = 0;
    }
  }
}

function pixelsNear(a, b) {
  return [Math.max(0, Math.floor(Math.min(a, b) - PEN)), Math.min(PAPER - 1, Math.ceil(Math.max(a, b) + PEN))];
}

/** Strokes turned by so many quarter turns, counterclockwise as in training, within a square of this side. */
export function turn(strokes, quarters, side = PAPER - 1) {
  const once = (turned) => turned.map((stroke) => stroke.map(([x, y]) => [y, side - x]));
  return Array.from({ length: quarters }).reduce(once, strokes);
}
