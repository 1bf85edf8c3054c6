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
    dragged = null;
    // a finger scrolls the calendar; with one, "Move in time" on the page of the campaign moves it
    if (!bar || event.button !== 0 || event.pointerType === "touch") return;
    dragged = { bar, from: event.clientX };
    event.preventDefault();
  });
  window.addEventListener("pointermove", (event) => {
    if (!dragged) return;
    moved = moved || Math.abs(event.clientX - dragged.from) > 3;
    dragged.bar.setAttribute("transform", `translate(${days(event) * day} 0)`);
  });
  const move = async (bar, by) => {
    const body = new URLSearchParams({ days: String(by) });
    const token = document.querySelector("[name=csrfmiddlewaretoken]").value;
    const answer = await fetch(bar.dataset.campaignsMove, { method: "POST", body, headers: { "X-CSRFToken": token } });
    const told = await answer.json().catch(() => ({ said: "Nothing was moved; load the page again." }));
    said.textContent = told.said;
    said.hidden = false;
    if (answer.ok) window.setTimeout(() => window.location.reload(), 2500);
    else bar.removeAttribute("transform");
  };
  window.addEventListener("pointercancel", () => {
    if (dragged) dragged.bar.removeAttribute("transform");
    dragged = null;
  });
  window.addEventListener("pointerup", (event) => {
    if (!dragged) return;
    const { bar } = dragged;
    const by = days(event);
    dragged = null;
    if (by === 0) bar.removeAttribute("transform");
    else move(bar, by);
  });
  // The same by keys: Shift and an arrow shifts the bar by a day, Enter moves it, Escape puts it back.
  picture.addEventListener("keydown", (event) => {
    const bar = event.target.closest("[data-campaigns-move]");
    if (!bar) return;
    const by = Number(bar.dataset.campaignsBy || 0);
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (event.shiftKey && step) {
      event.preventDefault();
      bar.dataset.campaignsBy = String(by + step);
      bar.setAttribute("transform", `translate(${(by + step) * day} 0)`);
      said.textContent = `${Math.abs(by + step)} days ${by + step < 0 ? "earlier" : "later"}: Enter moves it, Escape does not.`;
      said.hidden = false;
    } else if (event.key === "Enter" && by !== 0) {
      event.preventDefault();
      bar.dataset.campaignsBy = "0";
      move(bar, by);
    } else if (event.key === "Escape" && by !== 0) {
      bar.dataset.campaignsBy = "0";
      bar.removeAttribute("transform");
      said.hidden = true;
    }
  });
  picture.addEventListener("dragstart", (event) => event.preventDefault());
  picture.addEventListener("click", (event) => {
    if (moved) event.preventDefault();
    moved = false;
  });
});
