// Find elements of the page by id, and make new elements in one call.

export const byId = (id) => document.getElementById(id);
export const numberOf = (id) => Number(byId(id).value);
export const say = (id, text) => (byId(id).textContent = text);

/** An element with properties, attributes (names with a hyphen, or `role`) and children (nodes or texts). */
export function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.includes("-") || name === "role" || name === "scope") made.setAttribute(name, value);
    else made[name] = value;
  }
  made.append(...children);
  return made;
}

/** Grey levels [size x size], or blank paper, on a canvas that a screen reader names. */
export function imageCanvas(levels, size, name) {
  const canvas = element("canvas", { width: size, height: size, role: "img", "aria-label": name });
  const image = new ImageData(size, size);
  for (let k = 0; k < size * size; k++) image.data.set([...Array(3).fill(levels ? levels[k] : 255), 255], 4 * k);
  canvas.getContext("2d").putImageData(image, 0, 0);
  return canvas;
}

/** A table; the first cell of each row is its heading. Cells are nodes or texts. */
export function tableOf(header, rows, caption) {
  const head = element("tr", {}, ...header.map((title) => element("th", { scope: "col" }, title)));
  const body = rows.map(([first, ...cells]) =>
    element("tr", {}, element("th", { scope: "row" }, first), ...cells.map((cell) => element("td", {}, cell))),
  );
  const parts = [element("caption", {}, caption), element("thead", {}, head), element("tbody", {}, ...body)];
  const frame = { className: "scrolls", tabIndex: 0, role: "region", "aria-label": caption };
  return element("div", frame, element("table", {}, ...parts));
}

/** A bar behind a text: a fraction from 0 to 1. */
export function barCell(fraction, text, isBest) {
  const bar = element("span", { className: isBest ? "bar best" : "bar" }, text);
  bar.style.setProperty("--fraction", Math.min(1, Math.max(0, fraction)));
  return bar;
}
