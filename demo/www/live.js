// The live table: asks /live once a second and shows what the daemon answered.

import { colourOf, setRunning } from "./colours.js";

const remembered = 60; // seconds in the small curves

// A browser opens six connections to a host, and the pictures take all of them. Requests without
// cookies have six of their own, so that the table does not stand in the pictures' queue.
const apart = { credentials: "omit", cache: "no-store" };

const histories = new Map();

function element(name, options = {}, ...children) {
  const made = document.createElement(name);
  const { owner, ...attributes } = options;
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== undefined) made.setAttribute(key, value);
  }
  if (owner !== undefined) made.style.setProperty("--owner", colourOf(owner));
  made.append(...children);
  return made;
}

function milliseconds(value) {
  if (value === null || value === undefined) return "–";
  if (value < 10) return `${value.toFixed(1)} ms`;
  return value < 1000 ? `${Math.round(value)} ms` : `${(value / 1000).toFixed(1)} s`;
}

// ---- Services

function curve(history, figure, scale, name) {
  const x = (index) => (150 * (index + remembered - history.length)) / (remembered - 1);
  const points = history.map((entry, index) => `${x(index).toFixed(1)},${(23 - 21 * figure(entry) / scale).toFixed(1)}`);
  if (points.length < 2) return "";
  return `<polygon class="${name}" points="${x(0).toFixed(1)},23 ${points.join(" ")} 150,23"/>`;
}

/** What ran (and, above it, what waited) during the last minute. Numbers only: nothing to escape. */
function sparkline(service) {
  const history = histories.get(service.name) ?? [];
  history.push({ running: service.running, waiting: service.waiting });
  if (history.length > remembered) history.shift();
  histories.set(service.name, history);
  const scale = Math.max(4, ...history.map((entry) => entry.running + entry.waiting));
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 150 24");
  svg.setAttribute("aria-hidden", "true");
  svg.innerHTML =
    '<line x1="0" y1="23.5" x2="150" y2="23.5"/>' +
    curve(history, (entry) => entry.running + entry.waiting, scale, "waiting") +
    curve(history, (entry) => entry.running, scale, "running");
  return svg;
}

function rules({ options }) {
  const most = options.max ?? "any number of";
  const idle = Math.round(options.idle_timeout_ms / 1000);
  return `${options.min} to ${most} workers · end after ${idle} s idle · priority ${options.pri}`;
}

function seats(service, workers) {
  const row = element("div", { class: "seats", "aria-hidden": "true" });
  const up = workers.filter((worker) => worker.service === service.name && worker.pid !== null);
  for (const worker of up) {
    const state = worker.queue === "busy" ? "up busy" : worker.state === "starting" ? "starting" : "up";
    row.append(element("span", { class: `seat ${state}`, owner: worker.id }));
  }
  for (let free = up.length; free < (service.options.max ?? up.length); free += 1) {
    row.append(element("span", { class: "seat" }));
  }
  return row;
}

function showServices(services, workers) {
  const shown = services.map((service) => {
    const figures = element("dl");
    const add = (name, value, hot = false) => {
      const number = element("dd", hot ? { class: "hot" } : {}, String(value));
      figures.append(element("div", {}, element("dt", {}, name), number));
    };
    add("running", service.running);
    add("waiting", service.waiting, service.waiting > 0);
    add("answered", service.transactions.toLocaleString("en"));
    add("median", milliseconds(service.transactions ? service.response_p50_ms : null));
    add("restarts", service.restarts);
    return element(
      "div", { class: "service" },
      element("h3", {}, service.name), sparkline(service),
      element("p", { class: "rules" }, rules(service)),
      seats(service, workers), figures);
  });
  document.getElementById("services").replaceChildren(...shown);
}

// ---- Workers

function showWorkers(workers) {
  const rows = workers.map((worker) => {
    const asleep = worker.pid === null;
    const state = worker.queue === "lazy" ? worker.state : worker.queue;
    const killable = worker.service === "gallery" && !asleep;
    const button = killable
      ? element("button", { type: "button", class: "kill", "data-worker": worker.id, "aria-label": `kill -9 worker ${worker.id}` }, "kill -9")
      : "";
    return element(
      "tr", asleep ? { class: "asleep" } : {},
      element("th", { scope: "row" }, element("span", { class: "owner", owner: worker.id }, String(worker.id))),
      element("td", {}, worker.service),
      element("td", {}, element("span", { class: `badge ${worker.queue}`, title: state }, worker.queue)),
      element("td", { class: "number pid" }, asleep ? "–" : String(worker.pid)),
      element("td", { class: "number" }, worker.transactions.toLocaleString("en")),
      element("td", { class: "number" }, milliseconds(worker.last_response_ms)),
      element("td", {}, button));
  });
  const body = document.getElementById("workers");
  const focused = document.activeElement?.dataset?.worker;
  body.replaceChildren(...rows);
  if (focused) body.querySelector(`[data-worker="${Number(focused)}"]`)?.focus();
}

document.getElementById("workers").addEventListener("click", async (event) => {
  const worker = event.target.dataset.worker;
  if (!worker) return;
  event.target.disabled = true;
  const news = document.getElementById("news");
  try {
    const answer = await fetch(`/kill?worker=${worker}`, { ...apart, method: "POST", headers: { "X-Demo": "kill" } });
    news.textContent = (await answer.text()).trim();
  } catch {
    news.textContent = "The daemon did not answer.";
  }
  look();
});

// ---- Once a second

function show({ services, workers, command }) {
  const own = services.filter((service) => service.name !== "op").sort((one, other) => one.id - other.id);
  const awake = workers.filter((worker) => worker.pid !== null);
  setRunning(awake.map((worker) => worker.id));
  showServices(own, workers);
  const order = new Map(own.map((service, index) => [service.name, index]));
  showWorkers([...workers].sort((one, other) => order.get(one.service) - order.get(other.service) || one.id - other.id));
  const waiting = own.reduce((sum, service) => sum + service.waiting, 0);
  document.getElementById("pulse").dataset.state = "live";
  document.getElementById("pulse-text").textContent =
    `live · ${awake.length} worker${awake.length === 1 ? "" : "s"} · ${waiting} waiting`;
  const line = document.getElementById("command");
  if (line.textContent !== command) line.textContent = command;
}

let timer;

async function look() {
  clearTimeout(timer);
  try {
    const answer = await fetch("/live", apart);
    if (!answer.ok) throw new Error(String(answer.status));
    show(await answer.json());
  } catch {
    document.getElementById("pulse").dataset.state = "lost";
    document.getElementById("pulse-text").textContent = "no answer";
  }
  clearTimeout(timer);
  timer = setTimeout(look, document.hidden ? 10_000 : 1000);
}

document.addEventListener("visibilitychange", () => { if (!document.hidden) look(); });

const copy = document.getElementById("copy");
if (navigator.clipboard) {
  copy.hidden = false;
  copy.onclick = async () => {
    await navigator.clipboard.writeText(document.getElementById("command").textContent);
    copy.textContent = "Copied";
    setTimeout(() => { copy.textContent = "Copy"; }, 1500);
  };
}

look();
