// Draws the page's charts, with switches and buttons: Vega's own legend has no switch for keyboards and fingers.
// Vega interprets its expressions (ast), because the page's policy forbids eval.
const OPTIONS = {
  ast: true, actions: false, renderer: "svg", defaultStyle: false,
  logLevel: 1,  // errors; a warning is that a layer has no rows: they are hidden, or not in this report
  tooltip: { theme: "page", disableDefaultStyle: true },
};
const FACTORS = { in: 1 / 1.5, out: 1.5 };
const hidden = new Set();
const views = [];

for (const figure of document.querySelectorAll(".figures figure")) draw(figure);
for (const control of document.querySelectorAll("[data-scripted]")) control.hidden = false;
for (const note of document.querySelectorAll("[data-unscripted]")) note.hidden = true;
addEventListener("change", ({ target }) => target.dataset.group !== undefined && toggle(target));
addEventListener("scroll", () => document.querySelector("#vg-tooltip-element")?.classList.remove("visible"));

async function draw(figure) {
  const chart = figure.querySelector(".chart");
  const { view } = await vegaEmbed(chart, JSON.parse(figure.querySelector("script").textContent), OPTIONS);
  views.push(view);
  chart.addEventListener("click", showValues);
  figure.addEventListener("click", ({ target }) => target.dataset.zoom && zoom(view, target.dataset.zoom));
  chart.dataset.drawn = "";
}

// A switch shows or hides its group in every chart.
function toggle({ dataset: { group }, checked }) {
  if (checked) hidden.delete(group); else hidden.add(group);
  for (const input of document.querySelectorAll("input[data-group]")) {
    if (input.dataset.group === group) input.checked = checked;
  }
  for (const view of views) view.signal("hidden", [...hidden]).runAsync();
}

// A finger that taps does not move, and Vega shows values when the pointer moves.
function showValues({ target, clientX, clientY }) {
  target.dispatchEvent(new PointerEvent("pointermove", { bubbles: true, clientX, clientY }));
}

// The domains of zoomed axes are signals, named after the fields that the axes show.
function zoom(view, direction) {
  for (const { field, channel } of view.signal("zoom_tuple_fields")) {
    view.signal(`zoom_${field}`, direction === "all" ? null : scaled(view.scale(channel), FACTORS[direction]));
  }
  view.runAsync();
}

// The domain around the same centre.
function scaled(scale, factor) {
  const [start, end] = scale.range();
  const centre = (start + end) / 2;
  return [start, end].map((place) => scale.invert(centre + factor * (place - centre)));
}
