// Comfort for processes: cards of steps that move and multiply, a map that follows what is written.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  const form = document.querySelector("form[data-steps]");
  if (!form) return;
  const list = form.querySelector("[data-step-list]");
  const template = form.querySelector("[data-step-template]");
  const total = form.querySelector("[name=steps-TOTAL_FORMS]");
  const preview = document.querySelector("[data-map-preview]");
  const cards = () => [...list.querySelectorAll("[data-step-card]")];
  const part = (card, name) => card.querySelector(`[name$="-${name}"]`);
  let made = 0;

  const titled = (card) => part(card, "title").value.trim();
  const number = () => {
    const targets = cards().filter((card) => titled(card)).map((card) => {
      const token = part(card, "token");
      if (!token.value) token.value = `+${Date.now().toString(36)}${made++}`;
      return [token.value, titled(card), card];
    });
    cards().forEach((card, place) => {
      card.querySelector("[data-step-number]").textContent = place + 1;
      const order = part(card, "ORDER");
      if (order) order.value = place + 1;
      card.classList.toggle("mops-step-gone", part(card, "DELETE").checked);
      card.querySelectorAll("select[data-target]").forEach((select) => {
        const chosen = select.value || select.dataset.chosen;
        [...select.options].filter((each) => each.value && each.value !== "+next" && each.value !== "+end").forEach((each) => each.remove());
        targets.filter(([, , other]) => other !== card).forEach(([token, title]) => select.add(new Option(title, token)));
        select.value = chosen;
        if (select.value !== chosen) select.value = select.options[0].value;
        select.dataset.chosen = select.value;
      });
    });
  };

  const move = (card, up) => {
    const other = up ? card.previousElementSibling : card.nextElementSibling;
    if (!other) return;
    const focused = document.activeElement;
    if (up) other.before(card); else other.after(card);
    if (card.contains(focused)) focused.focus();
    card.scrollIntoView({ block: "nearest" });
    changed();
  };

  const ready = (card) => {
    card.querySelectorAll("[data-move]").forEach((button) => {
      button.hidden = false;
      button.addEventListener("click", () => move(card, button.dataset.move === "up"));
    });
    card.querySelectorAll("[data-no-script]").forEach((each) => { each.hidden = true; });
    card.addEventListener("keydown", (event) => {
      if (!event.altKey || (event.key !== "ArrowUp" && event.key !== "ArrowDown")) return;
      event.preventDefault();
      move(card, event.key === "ArrowUp");
    });
  };

  let waiting;
  const draw = async () => {
    const answer = await fetch(preview.dataset.mapPreview, { method: "POST", body: new FormData(form) }).catch(() => null);
    if (answer && answer.ok) preview.innerHTML = await answer.text(); // made and escaped by the server
  };
  const changed = () => {
    number();
    window.clearTimeout(waiting);
    waiting = window.setTimeout(draw, 500);
  };

  const add = form.querySelector("[data-add-step]");
  add.hidden = false;
  add.addEventListener("click", () => {
    const box = document.createElement("div");
    box.innerHTML = template.innerHTML.replaceAll("__prefix__", total.value);
    const card = box.querySelector("[data-step-card]");
    total.value = Number(total.value) + 1;
    list.append(card);
    ready(card);
    changed();
    part(card, "title").focus();
  });
  cards().forEach(ready);
  form.addEventListener("change", changed);
  form.addEventListener("input", (event) => { if (event.target.name && event.target.name.endsWith("-title")) changed(); });
  changed();
});
