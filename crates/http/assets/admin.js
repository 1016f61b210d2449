// The organiser's desk: J and K walk through what waits.

import "./common.js";

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.target.closest?.("input, textarea, select")) return;
  const where = { j: "next", k: "prev" }[event.key];
  if (where) document.querySelector(`a[rel~="${where}"]`)?.click();
});
