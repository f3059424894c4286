// A task for the contest: characters that are new to the networks, each turned at random, and a single query.

import { turn } from "./strokes.js";
import { range } from "./inner_loop.js";

/** Classes of glyphs with so many drawings each; one of them has the query, by another hand. */
export function randomTask(glyphs, ways, support) {
  const classes = Math.min(ways, glyphs.length);
  const asked = Math.floor(classes * Math.random());
  return shuffled(glyphs)
    .slice(0, classes)
    .map((hands, k) => {
      const quarters = Math.floor(4 * Math.random());
      const drawings = shuffled(hands).map((strokes) => turn(strokes, quarters));
      const label = String.fromCharCode(65 + k);
      return { label, support: drawings.slice(0, support), queries: k === asked ? [drawings[support]] : [] };
    });
}

function shuffled(items) {
  const keys = new Map(range(items.length).map((k) => [items[k], Math.random()]));
  return [...items].sort((a, b) => keys.get(a) - keys.get(b));
}
