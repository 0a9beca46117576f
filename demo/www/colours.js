// A colour for each worker: the same on pictures and in the table, and never one for two that run.

const colours = 8; // --w0 to --w7 in style.css
const given = new Map(); // worker -> number of its colour; the latest last
let running = [];

/** Tells who runs now; the colours of all others may be given anew. */
export function setRunning(workers) {
  running = workers;
  for (const worker of workers) colourOf(worker);
}

/** A number that none of `others` has, the one nearest to `wish`; undefined if they have all. */
function free(wish, others) {
  const taken = new Set(others.map((other) => given.get(other)));
  for (let tries = 0; tries < colours; tries += 1) {
    const number = (wish + tries) % colours;
    if (!taken.has(number)) return number;
  }
  return undefined;
}

export function colourOf(worker) {
  const id = Number(worker);
  if (!given.has(id)) {
    // Pictures may be signed before it is known who runs: so the latest ones count, too, if they can.
    const latest = [...given.keys()].slice(1 - colours);
    given.set(id, free(id, [...running, ...latest]) ?? free(id, running) ?? id % colours);
  }
  return `var(--w${given.get(id)})`;
}
