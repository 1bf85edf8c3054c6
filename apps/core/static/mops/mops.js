// The one script of our own. Everything works without it; it only adds comfort.
"use strict";

// A bar that carries data-poll asks its address again until the job is over.
document.addEventListener("DOMContentLoaded", () => {
  document.querySelectorAll("[data-poll]").forEach((box) => {
    const seconds = Number(box.dataset.pollSeconds || 1);
    const ask = async () => {
      const answer = await fetch(box.dataset.poll, { headers: { "X-Requested-With": "fetch" } });
      if (!answer.ok) return;
      box.innerHTML = await answer.text();
      if (!box.querySelector("[data-finished]")) window.setTimeout(ask, seconds * 1000);
      else if (box.dataset.pollThen === "reload") window.location.reload();
    };
    if (!box.querySelector("[data-finished]")) window.setTimeout(ask, seconds * 1000);
  });
});
