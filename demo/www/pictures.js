// The pictures: who drew them, diving into the mosaic, drawing all again.
//
// Without this file the page still shows every picture: they are plain <img> elements.

import { colourOf } from "./colours.js";

document.documentElement.classList.add("js");

// ---- Who drew it

// A plain <img> has no headers to read, but the browser keeps what the answer's Server-Timing said.
const timings = new Map(); // by address
const signed = new WeakMap(); // images, by the address that was signed last

function timingOf(entry) {
  const found = { milliseconds: 0 };
  for (const { name, description, duration } of entry.serverTiming ?? []) {
    if (name === "draw") found.milliseconds = duration;
    else found[name] = description;
  }
  return found.worker ? found : undefined;
}

const duration = (milliseconds) =>
  milliseconds < 1000 ? `${Math.round(milliseconds)} ms` : `${(milliseconds / 1000).toFixed(1)} s`;

function sign(image) {
  const timing = timings.get(image.src);
  if (!timing || !image.classList.contains("drawn") || signed.get(image) === image.src) return;
  signed.set(image, image.src);
  const again = Number(timing.attempt) > 0;
  const took = duration(timing.milliseconds);
  const tile = image.closest(".tile");
  if (tile) {
    tile.dataset.label = `worker ${timing.worker}, ${took}`;
    tile.dataset.short = `${timing.worker}: ${took}`; // where there is little room
    tile.style.setProperty("--owner", colourOf(timing.worker));
    tile.classList.add("fresh");
    setTimeout(() => tile.classList.remove("fresh"), 700);
    return;
  }
  const signature = image.closest(".card")?.querySelector(".signature");
  if (!signature) return;
  signature.textContent = `worker ${timing.worker} in ${took}${again ? ", second try" : ""}`;
  signature.style.setProperty("--owner", colourOf(timing.worker));
}

new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) {
    const timing = timingOf(entry);
    if (timing) timings.set(entry.name, timing);
  }
  for (const image of document.images) sign(image);
}).observe({ type: "resource", buffered: true });
performance.setResourceTimingBufferSize(2000);

function drawn(image) {
  image.classList.add("drawn");
  sign(image);
}

function failed(image) {
  const signature = image.closest(".card")?.querySelector(".signature");
  if (signature) signature.textContent = "not drawn: ask again";
}

// ---- The mosaic

const mosaic = document.getElementById("mosaic");
for (const image of mosaic.querySelectorAll("img")) {
  const tile = document.createElement("div");
  tile.className = "tile";
  image.replaceWith(tile);
  tile.append(image);
}
const tiles = [...mosaic.querySelectorAll("img")];

for (const image of document.images) {
  image.addEventListener("load", () => drawn(image));
  image.addEventListener("error", () => failed(image));
  if (image.complete && image.naturalWidth > 0) drawn(image);
  const signature = image.closest(".card")?.querySelector(".signature");
  if (signature && !image.classList.contains("drawn")) signature.textContent = "waits for a worker";
}

const closest = 3e11; // beyond it the numbers of the workers end
const home = readPlace(tiles[0].src);
let place = home;
let draw = 0;

function readPlace(url) {
  const query = new URL(url).searchParams;
  return { x: Number(query.get("x")), y: Number(query.get("y")), zoom: Number(query.get("zoom")) };
}

/** The same picture under a new address, so that the browser asks for it again. */
function redraw(image, change = {}) {
  const url = new URL(image.src);
  for (const [name, value] of Object.entries({ ...change, draw })) url.searchParams.set(name, value);
  image.src = url.href.replaceAll("%2C", ",");
}

function goTo(next) {
  place = { ...next, zoom: Math.min(Math.max(next.zoom, 0.5), closest) };
  draw += 1;
  const iterations = Math.round(500 + 250 * Math.max(0, Math.log10(place.zoom)));
  for (const image of tiles) redraw(image, { ...place, iterations });
  showPlace();
}

function showPlace() {
  const times = place.zoom < 1e6 ? Math.round(place.zoom * 10) / 10 : place.zoom.toExponential(1);
  document.getElementById("place").textContent =
    `12 tiles of 320 × 240, around ${place.x.toPrecision(8)} ${place.y < 0 ? "−" : "+"} ` +
    `${Math.abs(place.y).toPrecision(8)}i, enlarged ${times.toLocaleString("en")} times`;
}

mosaic.addEventListener("click", (event) => {
  const box = mosaic.getBoundingClientRect();
  const height = 2.5 / place.zoom;
  goTo({
    x: place.x + ((event.clientX - box.left) / box.width - 0.5) * height * (16 / 9),
    y: place.y + ((event.clientY - box.top) / box.height - 0.5) * height,
    zoom: place.zoom * 3,
  });
});

document.getElementById("zoom-in").onclick = () => goTo({ ...place, zoom: place.zoom * 3 });
document.getElementById("zoom-out").onclick = () => {
  // On the way out the whole set comes into the middle.
  const zoom = place.zoom / 3;
  goTo(zoom <= 1 ? { x: -0.6, y: 0, zoom: 1 } : { ...place, zoom });
};

const owners = document.getElementById("owners");
owners.onclick = () => {
  const shown = mosaic.classList.toggle("owners");
  owners.setAttribute("aria-pressed", String(shown));
};

document.getElementById("redraw").onclick = () => {
  draw += 1;
  for (const image of document.querySelectorAll(".mosaic img, .gallery img")) {
    image.classList.remove("drawn");
    const signature = image.closest(".card")?.querySelector(".signature");
    if (signature) {
      signature.textContent = "waits for a worker";
      signature.style.removeProperty("--owner");
    }
    redraw(image);
  }
};

const again = document.getElementById("report-again");
again.onclick = () => {
  const report = document.getElementById("report");
  report.classList.remove("drawn");
  draw += 1;
  report.src = `/report/minute.svg?draw=${draw}`;
};
again.hidden = false;
document.getElementById("tools").hidden = false;
showPlace();
