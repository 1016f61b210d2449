// What all pages share: clocks that run down by the server's time, parts of a page that are fetched anew, and tables
// that arrow keys walk through. Everything works without it, only less smoothly.

document.documentElement.classList.add("js");

/** So far the server's clock is ahead of this machine's, in milliseconds. */
let ahead = 0;

function readClock(page) {
  const now = Date.parse(page.body.dataset.now ?? "");
  if (!Number.isNaN(now)) ahead = now - Date.now();
}
readClock(document);

/** The server's time, in milliseconds. */
export const now = () => Date.now() + ahead;

/** What is left of so many milliseconds: `3:10`, `2:03:10`, `2 days`. */
export function left(milliseconds) {
  const all = Math.ceil(Math.max(milliseconds, 0) / 1000);
  const [hours, minutes, seconds] = [Math.floor(all / 3600), Math.floor(all / 60) % 60, all % 60];
  const two = (number) => String(number).padStart(2, "0");
  if (hours >= 48) return `${Math.floor(hours / 24)} days`;
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds)}` : `${minutes}:${two(seconds)}`;
}

/** Says something to those who do not see the page. */
export function announce(text) {
  const place = document.querySelector("[data-announce]");
  if (place) place.textContent = text;
}

const TOLD_MS = 8_000;
let told;

/** Says something to everybody: what happened while they looked elsewhere. */
export function tell(text) {
  announce(text);
  const place = document.querySelector("[data-announce]");
  place?.classList.replace("visually-hidden", "toast");
  clearTimeout(told);
  told = setTimeout(() => place?.classList.replace("toast", "visually-hidden"), TOLD_MS);
}

const HURRY_MS = 60_000;

function tick() {
  for (const clock of document.querySelectorAll("[data-countdown]")) {
    const end = Date.parse(clock.dateTime);
    if (Number.isNaN(end)) continue;
    const rest = end - now();
    const text = left(rest);
    if (clock.textContent !== text) clock.textContent = text;
    clock.closest(".clock")?.classList.toggle("hurry", rest < HURRY_MS);
    if (rest <= 0 && !clock.dataset.over) {
      clock.dataset.over = "yes";
      clock.dispatchEvent(new CustomEvent("lapsed", { bubbles: true }));
    }
  }
}
setInterval(tick, 250);
tick();

/** Fetches a page and gives it as a document; null if that did not work. */
export async function page(address) {
  try {
    const answer = await fetch(address, { headers: { accept: "text/html" }, credentials: "same-origin" });
    if (!answer.ok) return null;
    const found = new DOMParser().parseFromString(await answer.text(), "text/html");
    readClock(found);
    return found;
  } catch {
    return null;
  }
}

/** Puts the content of these elements of another page in the place of our own, and keeps the focus where it was. */
export function take(from, ids) {
  const focus = document.activeElement;
  const label = focus?.id ? `#${CSS.escape(focus.id)}` : focus?.getAttribute("aria-label");
  for (const id of ids) {
    const [ours, theirs] = [document.getElementById(id), from.getElementById(id)];
    if (ours && theirs) ours.replaceChildren(...theirs.childNodes);
  }
  if (label && !focus.isConnected) {
    const again = label.startsWith("#")
      ? document.querySelector(label)
      : document.querySelector(`[aria-label="${CSS.escape(label.split(",")[0])}"], [aria-label^="${CSS.escape(label.split(",")[0])},"]`);
    again?.focus({ preventScroll: true });
  }
  setGrids();
  document.dispatchEvent(new CustomEvent("taken", { detail: ids }));
}

/**
 * Follows an event stream while the page is seen. Browsers keep pages that one has left, for the way back, and have six
 * connections: whoever has looked at six listings would wait for the seventh.
 */
export function follow(address, reactions) {
  let stream;
  const open = () => {
    stream = new EventSource(address);
    for (const [name, react] of Object.entries(reactions)) stream.addEventListener(name, react);
  };
  open();
  addEventListener("pagehide", () => stream.close());
  addEventListener("pageshow", (event) => event.persisted && open());
}

let asked = 0;

export async function swap(address, ids) {
  const mine = ++asked;
  for (const id of ids) document.getElementById(id)?.setAttribute("aria-busy", "true");
  const found = await page(address);
  if (mine !== asked) return;
  for (const id of ids) document.getElementById(id)?.removeAttribute("aria-busy");
  if (!found) {
    location.assign(address);
    return;
  }
  take(found, ids);
  history.replaceState(null, "", address.split("#")[0]);
}

const REGIONS = ["choose", "summary", "act"];

document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a[data-swap]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
  event.preventDefault();
  swap(link.href, REGIONS);
});

export function addressOf(form, submitter) {
  const fields = new URLSearchParams(new FormData(form));
  if (submitter?.name) fields.set(submitter.name, submitter.value);
  return `${form.action.split(/[?#]/)[0]}?${fields}`;
}

document.addEventListener("submit", (event) => {
  if (!event.target.matches("form[data-swap]")) return;
  event.preventDefault();
  swap(addressOf(event.target, event.submitter), REGIONS);
});

/** The button of the section that is shown: looking again means the same one. */
export const shownSection = (pick) => pick.querySelector("button[aria-current]");

let waiting;
document.addEventListener("change", (event) => {
  const table = event.target.closest?.("[data-pick]");
  if (!table) return;
  clearTimeout(waiting);
  const pick = document.getElementById(table.dataset.pick);
  waiting = setTimeout(() => swap(addressOf(pick, shownSection(pick)), ["summary"]), 150);
});

// Tables and lists of things to choose: one stop for the tab key, arrows inside.
const STOPS = "a[href], input:not([type=hidden]):not(:disabled)";

function setGrids() {
  for (const grid of document.querySelectorAll("[data-grid]")) {
    const stops = [...grid.querySelectorAll(STOPS)];
    const entry = stops.find((stop) => stop.checked || stop.hasAttribute("aria-current")) ?? stops[0];
    for (const stop of stops) stop.tabIndex = stop === entry ? 0 : -1;
  }
}
setGrids();

document.addEventListener("keydown", (event) => {
  const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
  const grid = step && !event.ctrlKey && !event.altKey && !event.metaKey && event.target.closest?.("[data-grid]");
  if (!grid || !event.target.matches(STOPS)) return;
  event.preventDefault();
  const middle = (element) => {
    const box = (element.closest("label") ?? element).getBoundingClientRect();
    return [box.left + box.width / 2, box.top + box.height / 2];
  };
  const [x, y] = middle(event.target);
  const [right, down] = step;
  let [best, least] = [null, Infinity];
  for (const stop of grid.querySelectorAll(STOPS)) {
    const [a, b] = middle(stop);
    const [along, across] = right ? [(a - x) * right, Math.abs(b - y)] : [(b - y) * down, Math.abs(a - x)];
    if (along < 4 || (right && across > 12)) continue;
    const distance = along + across * 3;
    if (distance < least) [best, least] = [stop, distance];
  }
  if (!best) return;
  event.target.tabIndex = -1;
  best.tabIndex = 0;
  best.focus();
});

// Small things.
function showButtons() {
  for (const button of document.querySelectorAll("[data-print]")) button.hidden = false;
  for (const button of document.querySelectorAll("[data-copy]")) button.hidden = !navigator.clipboard;
}
document.addEventListener("taken", showButtons);
showButtons();
document.addEventListener("click", async (event) => {
  if (event.target.closest?.("[data-print]")) print();
  const copy = event.target.closest?.("[data-copy]");
  if (!copy) return;
  await navigator.clipboard.writeText(new URL(copy.dataset.copy, location.href).href);
  copy.textContent = "Copied";
});

// What went wrong is read out and seen first.
document.getElementById("trouble")?.focus();
