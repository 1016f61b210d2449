// A place in line: how many are ahead changes by itself, and when it is their turn the page becomes the booking.

import { announce, follow, page, take, tell } from "./common.js";

const LOOK_MS = 15_000;

const place = () => document.getElementById("place");

let ahead = null;
let leaving = false;
let live = false;

/** The server knows where it goes on: at the booking that is held, or here in other words. */
function goOn() {
  if (leaving) return;
  leaving = true;
  location.replace(location.href);
}

function showLive(now) {
  live = now;
  const state = document.querySelector("[data-live-state]");
  if (state) state.hidden = !live;
}

/** Looks at the page again, and shows what is new. */
async function look() {
  const found = await page(location.href);
  if (!found || leaving) return;
  if (!found.getElementById("place")?.dataset.live) {
    goOn();
    return;
  }
  take(found, ["place"]);
  document.title = found.title;
  showLive(live);
}

function waitlist(event) {
  const news = JSON.parse(event.data);
  if (news.state !== "waiting") {
    if (news.state === "offered") announce("It is your turn.");
    goOn();
    return;
  }
  showLive(true);
  const shown = Number(document.querySelector("[data-ahead]")?.dataset.ahead);
  const moved = ahead !== null && news.ahead < ahead;
  ahead = news.ahead;
  if (shown !== news.ahead) look();
  if (moved) tell(news.ahead === 0 ? "You are next." : `You have moved up: ${news.ahead} ahead of you.`);
}

if (place()?.dataset.live) {
  follow(place().dataset.live, { waitlist, error: () => showLive(false) });
  // Whatever the stream misses is seen soon.
  setInterval(look, LOOK_MS);
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && look());
}
