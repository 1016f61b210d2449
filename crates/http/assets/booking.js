// A booking: what happens to it shows by itself; a receipt goes up with its progress.

import { announce, page, take } from "./common.js";

const POLL_MS = 10_000;
const RETRY_MS = 3_000;
const MAX_BYTES = 10 * 1024 * 1024;

const booking = () => document.getElementById("booking");

let looking = false;

/** Looks at the page again, and shows what is new. */
async function look() {
  if (looking) return;
  looking = true;
  const found = await page(location.href);
  looking = false;
  const [ours, theirs] = [booking(), found?.getElementById("booking")];
  if (!theirs || ours.dataset.sequence === theirs.dataset.sequence) return;
  const moved = ours.dataset.state !== theirs.dataset.state;
  const file = document.getElementById("receipt");
  if (!moved && file?.files.length) {
    // A file is chosen already: only the state is drawn anew.
    ours.querySelector(".state-card").replaceWith(theirs.querySelector(".state-card"));
  } else {
    take(found, ["booking"]);
  }
  ours.className = theirs.className;
  ours.dataset.version = theirs.dataset.version;
  ours.dataset.sequence = theirs.dataset.sequence;
  ours.dataset.state = theirs.dataset.state;
  document.title = found.title;
  document.querySelector(".flash")?.remove();
  if (moved) announce(booking().querySelector("h1").textContent);
}

function connect() {
  const socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/v1/live`);
  const topic = booking().dataset.topic;
  socket.addEventListener("open", () => socket.send(JSON.stringify({ subscribe: [topic] })));
  socket.addEventListener("message", (event) => {
    const frame = JSON.parse(event.data);
    if (frame.type === "error") return;
    // A change may also be one of the listing's times.
    if (frame.type === "change" || String(frame.data?.version) !== booking().dataset.version) look();
  });
  socket.addEventListener("close", () => setTimeout(connect, RETRY_MS + Math.random() * RETRY_MS));
}

if (booking()) {
  connect();
  // Whatever the socket misses is seen soon.
  setInterval(look, POLL_MS);
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && look());
  document.addEventListener("lapsed", () => setTimeout(look, 400));
}

// The upload

function complain(form, text) {
  const place = form.querySelector("[data-upload-error]");
  place.textContent = text;
  place.hidden = false;
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.matches("form[data-upload]")) return;
  event.preventDefault();
  const file = form.elements.receipt.files[0];
  if (file && file.size > MAX_BYTES) {
    complain(form, "The file is larger than 10 MiB. A smaller photo or a screenshot will do.");
    return;
  }
  const [bar, button] = [form.querySelector("progress"), form.querySelector("button[type=submit]")];
  const request = new XMLHttpRequest();
  request.open("POST", form.action);
  request.upload.addEventListener("progress", (news) => {
    if (news.lengthComputable) bar.value = (100 * news.loaded) / news.total;
  });
  request.addEventListener("load", () => {
    if (request.status < 400) {
      location.assign(request.responseURL);
      return;
    }
    const found = new DOMParser().parseFromString(request.responseText, "text/html");
    if (found.getElementById("booking")) {
      take(found, ["booking"]);
      document.getElementById("trouble")?.focus();
    } else {
      complain(form, found.querySelector("main p.muted")?.textContent ?? "That did not work. Please send it again.");
      button.disabled = false;
    }
  });
  request.addEventListener("error", () => {
    button.disabled = false;
    bar.hidden = true;
    complain(form, "The connection broke. Please send it again.");
  });
  bar.hidden = false;
  button.disabled = true;
  request.send(new FormData(form));
});
