// You against the networks: the reader and every network classify the same query from the same drawings.

import { answersAfter } from "./answers_view.js";
import { randomTask } from "./contest_task.js";
import { byId, element, imageCanvas, numberOf } from "./dom.js";
import { taskImages } from "./drawn_task.js";
import { InnerLoop } from "./inner_loop.js";
import { stack } from "./network.js";
import { percent, wilson } from "./statistics.js";

const READER = "You";

export class Contest {
  /** data: as `readData` gives it. right: tasks that each player had right, of `played`. */
  constructor(data) {
    const players = [READER, ...data.networks.map(({ name }) => name)];
    Object.assign(this, { data, played: 0, right: new Map(players.map((name) => [name, 0])) });
    byId("new-contest").onclick = () => this.begin();
  }

  begin() {
    this.drawn = randomTask(this.data.glyphs, this.data.sizes.at(-1), numberOf("contest-support"));
    this.task = taskImages(this.drawn, this.data.size, 0);
    const [query] = this.task.queries;
    const picture = imageCanvas(query.levels, this.data.size, "the query");
    const question = element("p", { className: "asked" }, picture, "Which character is this?");
    byId("contest").replaceChildren(question, ...this.task.labels.map((label, k) => this.choice(label, k)));
    byId("contest-answers").replaceChildren();
  }

  choice(label, k) {
    const drawings = this.task.support.filter(({ classNumber }) => classNumber === k);
    const pictures = drawings.map(({ levels, name }) => imageCanvas(levels, this.data.size, name));
    const button = { type: "button", className: "choice", onclick: () => this.answer(k) };
    return element("button", button, element("b", {}, label), ...pictures);
  }

  /** The reader answers, then every network; each task counts once. */
  answer(k) {
    for (const button of byId("contest").querySelectorAll("button")) button.disabled = true;
    const [{ classNumber }] = this.task.queries;
    const networks = this.data.networks.map((network) => [network.name, this.answerOf(network)]);
    this.played += 1;
    const lines = [[READER, k], ...networks].map(([name, answer]) => {
      this.right.set(name, this.right.get(name) + (answer === classNumber ? 1 : 0));
      return element("li", {}, `${name}: ${this.task.labels[answer] ?? "no answer"}. ${this.tally(name)}`);
    });
    const solution = element("p", { className: "score" }, `It is ${this.task.labels[classNumber]}.`);
    byId("contest-answers").replaceChildren(solution, element("ul", {}, ...lines));
    byId("new-contest").focus();
  }

  /** A network's answer after the steps of its test, without a look at other queries. */
  answerOf(network) {
    const outputs = this.task.labels.map((_, k) => k);
    const images = stack(this.task.support.map(({ pixels }) => pixels));
    const labels = this.task.support.map(({ classNumber }) => classNumber);
    const loop = new InnerLoop(network.parameters, images, labels, network.rate);
    return answersAfter(loop, network.testSteps, this.task, { transductive: false, outputs })?.answers[0];
  }

  tally(name) {
    const [low, high] = wilson(this.right.get(name), this.played);
    const interval = `95% interval ${percent(low)} to ${percent(high)}`;
    return `${this.right.get(name)} of ${this.played} right so far (${interval}).`;
  }
}
