// A listing: what is left, as it changes, and what is chosen, added up.

import { addressOf, follow, page, shownSection, swap, take, tell } from "./common.js";

const FEW = 5;
const isFew = (pool) => pool.available <= FEW && pool.available * 2 <= pool.capacity;
const root = document.querySelector("[data-live]");

// Sums

function amount(minor, currency, exponent) {
  if (minor === 0) return "free";
  const scale = 10 ** exponent;
  const whole = String(Math.floor(minor / scale)).replace(/\B(?=(\d{3})+(?!\d))/g, ",");
  const rest = minor % scale;
  return `${whole}${rest ? `.${String(rest).padStart(exponent, "0")}` : ""} ${currency}`;
}

/** Everything that the form would take: `[quantity, price]`. */
function takes() {
  const form = document.getElementById("book");
  if (!form) return [];
  const values = new FormData(form).getAll("take");
  return values.map((value) => value.split(":", 2).map(Number));
}

function addUp() {
  const sum = document.querySelector("[data-sum]");
  if (!sum) return;
  const factor = Number(document.querySelector("#each, #rooms")?.value ?? 1);
  const chosen = takes();
  const units = chosen.reduce((all, [quantity]) => all + quantity, 0);
  const unit = sum.dataset.unit;
  const total = unit ? Number(unit) : chosen.reduce((all, [quantity, price]) => all + quantity * price, 0);
  const write = (name, text) => {
    const place = sum.querySelector(name);
    if (place && place.textContent !== text) place.textContent = text;
  };
  write("[data-total]", amount(total * factor, sum.dataset.currency, Number(sum.dataset.exponent)));
  const count = sum.querySelector("[data-count]");
  if (count) write("[data-count]", `${units} ${units === 1 ? count.dataset.one : count.dataset.many}`);
  sum.hidden = !unit && units === 0;
  const nothing = document.querySelector("[data-nothing]");
  if (nothing) nothing.hidden = !sum.hidden;
}

document.addEventListener("change", (event) => {
  const seats = event.target.closest?.("[data-most]");
  if (seats && event.target.checked) {
    const most = Number(seats.dataset.most);
    if (seats.querySelectorAll(":checked").length > most) {
      event.target.checked = false;
      tell(`At most ${most} in one booking. Give one back first.`);
    }
  }
  addUp();
});
document.addEventListener("taken", addUp);
addUp();

/** Halls are wider than phones: the first seat that is chosen is seen first, else their middle. */
function centre() {
  for (const hall of document.querySelectorAll(".hall")) {
    if (hall.scrollLeft !== 0) continue;
    const chosen = hall.querySelector(":checked")?.closest("td");
    hall.scrollLeft = ((chosen ? 2 * chosen.offsetLeft : hall.scrollWidth) - hall.clientWidth) / 2;
  }
}
document.addEventListener("taken", centre);
centre();

// What is left

const pools = new Map();
let places = null;

function placesOf(key) {
  if (!places) {
    places = new Map();
    for (const element of document.querySelectorAll("[data-pool]")) {
      const list = places.get(element.dataset.pool) ?? [];
      list.push(element);
      places.set(element.dataset.pool, list);
    }
  }
  return places.get(key) ?? [];
}
document.addEventListener("taken", () => {
  places = null;
  for (const pool of pools.values()) show(pool, false);
});

function part(element, name, text) {
  const place = element.querySelector(`[data-part="${name}"]`);
  if (place && place.textContent !== text) place.textContent = text;
  return place;
}

function left(pool) {
  if (pool.available > 0) return `${pool.available} left`;
  return pool.held + pool.kept > 0 ? "None left right now" : "Sold out";
}

/** How many wait already, for who may join them. */
function waiting(number) {
  if (number <= 0) return "Nobody waits yet: you would be the first.";
  return number === 1 ? "1 person waits already." : `${number} people wait already.`;
}

const shows = {
  stock(element, pool) {
    part(element, "left", left(pool));
    part(element, "held", `${pool.held} held`).hidden = pool.held === 0;
    part(element, "kept", `${pool.kept} kept for the waitlist`).hidden = pool.kept === 0;
    const next = element.querySelector('[data-part="next"]');
    next.hidden = !pool.next_release_at;
    const clock = next.querySelector("time");
    if (pool.next_release_at && clock.dateTime !== pool.next_release_at) {
      clock.dateTime = pool.next_release_at;
      delete clock.dataset.over;
    }
    for (const tone of ["many", "few", "gone"]) element.classList.remove(tone);
    element.classList.add(pool.available <= 0 ? "gone" : isFew(pool) ? "few" : "many");
    const offer = element.closest(".offer");
    if (offer && offer.classList.contains("none") !== pool.available <= 0) renew(pool.key);
    for (const option of offer?.querySelectorAll("option") ?? []) {
      option.disabled = Number(option.value.split(":", 1)[0]) > pool.available;
    }
  },
  seat(element, pool) {
    const state = pool.available > 0 ? "free" : pool.held + pool.kept > 0 ? "held" : pool.confirmed > 0 ? "sold" : "off";
    for (const old of ["free", "held", "sold", "off"]) element.classList.toggle(old, old === state);
    lock(element, pool);
  },
  time(element, pool) {
    element.classList.toggle("taken", pool.available <= 0);
    lock(element, pool);
    const note = element.querySelector('[data-part="note"]');
    const free = "many" in note.dataset ? `${note.dataset.price} · ${pool.available}` : note.dataset.price;
    part(element, "note", pool.available > 0 ? free : pool.held > 0 ? "held" : pool.kept > 0 ? "kept" : "taken");
  },
  night(element, pool) {
    if (element.classList.contains("off")) return;
    part(element, "left", pool.available > 0 ? `${pool.available} left` : "full");
    const state = pool.available <= 0 ? "full" : isFew(pool) ? "few" : "free";
    for (const old of ["free", "few", "full"]) element.classList.toggle(old, old === state);
  },
};

/** Something that only one can have: whoever had chosen it is told. */
function lock(element, pool) {
  const input = element.querySelector("input");
  const gone = pool.available <= 0;
  if (gone && input.checked) {
    input.checked = false;
    tell(`${input.getAttribute("aria-label").split(", ").slice(0, 2).join(", ")}: somebody else has just taken it.`);
    input.dispatchEvent(new Event("change", { bubbles: true }));
  }
  input.disabled = gone;
}

function show(pool, fresh) {
  for (const element of placesOf(pool.key)) {
    shows[element.dataset.show]?.(element, pool);
    if (fresh) {
      element.classList.remove("fresh");
      void element.offsetWidth;
      element.classList.add("fresh");
    }
  }
}

function showTotal() {
  const side = document.querySelector("[data-sold-out]");
  if (side && [...pools.values()].some((pool) => pool.available > 0)) renew("*");
  const all = [...pools.values()];
  const sum = (name) => all.reduce((total, pool) => total + pool[name], 0);
  const times = all.map((pool) => pool.next_release_at).filter(Boolean).sort();
  show({ key: "*", capacity: sum("capacity"), available: sum("available"), held: sum("held"), kept: sum("kept"), next_release_at: times[0] ?? null }, false);
}

// An offer that has come to its end, or back, looks different: the server draws it.
const renewals = new Set();
let renewing;
function renew(key) {
  renewals.add(key);
  renewing ??= setTimeout(async () => {
    renewing = undefined;
    const keys = [...renewals];
    renewals.clear();
    const found = await page(location.href);
    if (!found) return;
    const side = document.querySelector("[data-sold-out]");
    if (side && !found.querySelector("[data-sold-out]")) {
      side.removeAttribute("data-sold-out");
      const typed = new Map(new FormData(document.getElementById("wait") ?? undefined));
      take(found, ["choose", "side"]);
      for (const name of ["name", "email", "phone"]) {
        const field = document.querySelector(`#book [name=${name}]`);
        if (field && typed.has(name)) field.value = typed.get(name);
      }
      tell("There is something left again.");
      return;
    }
    for (const key of keys) {
      const find = (where) => where.querySelector(`.stock[data-pool="${CSS.escape(key)}"]`)?.closest(".offer");
      const [ours, theirs] = [find(document), find(found)];
      if (ours && theirs) ours.replaceWith(theirs);
    }
    places = null;
    addUp();
  }, 200 + Math.random() * 1500);
}

if (root?.dataset.live) {
  const state = document.querySelector("[data-live-state]");
  const availability = (event) => {
    const news = JSON.parse(event.data);
    if (news.full) pools.clear();
    for (const pool of news.pools) {
      const old = pools.get(pool.key);
      pools.set(pool.key, pool);
      show(pool, Boolean(old) && old.available !== pool.available);
    }
    showTotal();
    for (const place of document.querySelectorAll("[data-waiting]")) place.textContent = waiting(news.waiting);
    if (state) state.hidden = false;
  };
  const error = () => {
    if (state) state.hidden = true;
  };
  follow(root.dataset.live, { availability, error });
}

// Listings with very many pools are not streamed: the part that is shown is looked at again.
const AGAIN_MS = 20_000;

function lookAgain() {
  // Not under the hands of somebody who chooses a seat to wait for.
  if (document.visibilityState !== "visible" || document.querySelector("#choose .fold[open]")) return;
  const pick = document.querySelector("form#pick");
  if (pick) swap(addressOf(pick, shownSection(pick)), ["choose", "summary", "act"]);
  else if (!document.querySelector("#choose :checked")) swap(location.href, ["choose"]);
}
if (document.querySelector("[data-look-again]")) setInterval(lookAgain, AGAIN_MS);

// The sale begins, or what was held comes back: look again, not all in the same moment.
document.addEventListener("lapsed", (event) => {
  if (event.target.dataset.countdown !== "reload") return;
  setTimeout(() => location.reload(), 300 + Math.random() * 1200);
});
