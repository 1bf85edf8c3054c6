// The calendar of campaigns: a bar is dragged by whole days; the server says what came of it.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  const picture = document.querySelector("[data-campaigns-calendar]");
  const said = document.querySelector("[data-campaigns-said]");
  if (!picture) return;
  const day = Number(picture.dataset.day);
  let dragged = null;
  let moved = false;

  const days = (event) => Math.round((event.clientX - dragged.from) / day);

  picture.addEventListener("pointerdown", (event) => {
    const bar = event.target.closest("[data-campaigns-move]");
    moved = false;
    if (!bar || event.button !== 0) return;
    dragged = { bar, from: event.clientX };
    event.preventDefault();
  });
  window.addEventListener("pointermove", (event) => {
    if (!dragged) return;
    moved = moved || Math.abs(event.clientX - dragged.from) > 3;
    dragged.bar.setAttribute("transform", `translate(${days(event) * day} 0)`);
  });
  window.addEventListener("pointerup", async (event) => {
    if (!dragged) return;
    const { bar } = dragged;
    const by = days(event);
    dragged = null;
    if (by === 0) {
      bar.removeAttribute("transform");
      return;
    }
    const body = new URLSearchParams({ days: String(by) });
    const token = document.querySelector("[name=csrfmiddlewaretoken]").value;
    const answer = await fetch(bar.dataset.campaignsMove, { method: "POST", body, headers: { "X-CSRFToken": token } });
    const told = await answer.json().catch(() => ({ said: "Nothing was moved; load the page again." }));
    said.textContent = told.said;
    said.hidden = false;
    if (answer.ok) window.setTimeout(() => window.location.reload(), 1500);
    else bar.removeAttribute("transform");
  });
  picture.addEventListener("dragstart", (event) => event.preventDefault());
  picture.addEventListener("click", (event) => {
    if (moved) event.preventDefault();
    moved = false;
  });
});
