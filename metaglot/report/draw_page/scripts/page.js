// The page: reads its data, and computes again whenever a drawing or a setting changes.

import { answersView, stepsText } from "./answers_view.js";
import { Contest } from "./contest.js";
import { byId, element, numberOf, say } from "./dom.js";
import { missing, taskImages } from "./drawn_task.js";
import { readData } from "./embedded_data.js";
import { gradientView } from "./gradient_view.js";
import { InnerLoop } from "./inner_loop.js";
import { stack } from "./network.js";
import { TaskEditor } from "./task_editor.js";

const PAUSE = 60; // milliseconds without a change before anything is computed
const pause = () => new Promise((resolve) => setTimeout(resolve));

class DrawPage {
  constructor(data) {
    Object.assign(this, { data, loops: new Map(), loopsKey: null, generation: 0 });
    this.editor = new TaskEditor(data, () => this.changed());
    for (const id of ["steps", "protocol", "rate", "first-output", "turn"]) byId(id).oninput = () => this.changed();
    this.changed();
  }

  settings() {
    const rate = byId("rate").value.trim();
    return {
      steps: numberOf("steps"),
      transductive: byId("protocol").value === "transductive",
      rate: rate === "" ? null : Number(rate),
      firstOutput: numberOf("first-output"),
      quarters: numberOf("turn"),
    };
  }

  changed() {
    this.editor.show();
    say("steps-shown", stepsText(this.settings().steps));
    clearTimeout(this.timer);
    this.generation += 1;
    document.body.setAttribute("aria-busy", "true");
    this.timer = setTimeout(() => this.compute(this.generation), PAUSE);
  }

  async compute(generation) {
    const settings = this.settings();
    const task = taskImages(this.editor.task, this.data.size, settings.quarters);
    const problem = this.problem(task, settings);
    say("problem", problem ?? "");
    byId("results").hidden = Boolean(problem);
    if (!problem) await this.showResults(generation, task, settings);
    if (generation === this.generation) document.body.setAttribute("aria-busy", "false");
  }

  problem(task, { rate, transductive }) {
    if (rate !== null && !(rate >= 0 && rate <= 10)) return "The inner rate is a number from 0 to 10.";
    return missing(task, transductive);
  }

  async showResults(generation, task, settings) {
    const ways = this.data.sizes.at(-1);
    const outputs = task.labels.map((_, k) => (k + settings.firstOutput) % ways);
    const key = this.startLoops(task, settings, outputs);
    const shown = [[], []];
    for (const network of this.data.networks) {
      await pause();
      if (generation !== this.generation) return;
      const loop = this.loops.get(network);
      shown[0].push(answersView(network, loop, task, { ...settings, outputs }, this.data.size));
      if (key !== this.gradientsKey) shown[1].push(gradientView(network, loop, task, outputs));
    }
    byId("answers").replaceChildren(...shown[0]);
    if (key !== this.gradientsKey) byId("gradients").replaceChildren(...shown[1]);
    this.gradientsKey = key;
  }

  /** Keep the steps that were computed while only the slider or the protocol changes. */
  startLoops(task, { rate, quarters, firstOutput }, outputs) {
    const key = JSON.stringify([this.editor.task, rate, quarters, firstOutput]);
    if (key === this.loopsKey) return key;
    const images = stack(task.support.map(({ pixels }) => pixels));
    const labels = task.support.map(({ classNumber }) => outputs[classNumber]);
    const loop = (network) => new InnerLoop(network.parameters, images, labels, rate ?? network.rate);
    this.loops = new Map(this.data.networks.map((network) => [network, loop(network)]));
    this.loopsKey = key;
    return key;
  }
}

try {
  const data = readData(byId("data")?.textContent ?? "");
  byId("glyph").append(...data.glyphs.map((_, k) => element("option", { value: k }, `glyph ${k + 1}`)));
  for (const option of [...byId("classes").options]) option.hidden = Number(option.value) > data.sizes.at(-1);
  byId("classes").value = Math.min(3, data.sizes.at(-1));
  byId("tool").hidden = false;
  globalThis.drawPage = new DrawPage(data);
  globalThis.contest = new Contest(data);
} catch (error) {
  say("fatal", error.message);
}
