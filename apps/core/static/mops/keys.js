// The keyboard: what opens over a page, or asks before something happens, takes the focus, keeps it, and gives it back.
"use strict";

(() => {
  const CAN = "a[href], button, input:not([type=hidden]), select, textarea, [tabindex='0']";
  // what opens over the page: the palette, the filters of a list, the theme's box and small menus, days and hours
  const DAYS = ".calendarbox, .clockbox";
  const LAYERS = `[x-data^='searchCommand'], #changelist-filter, #modal-content, nav[x-show], ${DAYS}`;
  const seen = (part) => part.getClientRects().length > 0 && getComputedStyle(part).visibility !== "hidden";
  const stops = (box) => [...box.querySelectorAll(CAN)].filter((part) => !part.disabled && part.tabIndex >= 0 && seen(part));
  const covers = (box) => seen(box) && (box.id !== "changelist-filter" || getComputedStyle(box).position === "fixed");

  // What the theme opens by a click on something that is no button is reached and pressed by the keyboard as well.
  const press = (event) => {
    if (event.target !== event.currentTarget || (event.key !== "Enter" && event.key !== " ")) return;
    event.preventDefault();
    event.currentTarget.click();
  };
  const reach = () => {
    document.querySelectorAll("a[x-on\\:click]:not([href]), div.cursor-pointer[x-on\\:click], span.cursor-pointer[x-on\\:click]").forEach((part) => {
      if (part.hasAttribute("tabindex") || part.closest("h2")) return;
      part.tabIndex = 0;
      part.setAttribute("role", "button");
      part.addEventListener("keydown", press);
      if (part.innerText.trim() === "" && !part.getAttribute("aria-label")) part.setAttribute("aria-label", "Open");
    });
  };

  let outside = null; // what had the focus before a layer opened
  const open = []; // the layers that are open, the last one on top

  const enter = (box) => {
    open.push(box);
    window.setTimeout(() => { // the theme may put the focus itself, a moment later
      if (box.contains(document.activeElement)) return;
      const inside = stops(box);
      (inside.find((part) => part.matches("input, select, textarea")) || inside[0])?.focus();
    }, 60);
  };
  const leave = (box) => {
    open.splice(open.indexOf(box), 1);
    const lost = document.activeElement === null || document.activeElement === document.body || box.contains(document.activeElement);
    if (lost && outside?.isConnected) outside.focus({ preventScroll: true });
  };
  const watch = (box) => {
    let was = null; // unknown until the theme's script has hidden it
    const look = () => {
      const is = covers(box);
      if (was === false && is) enter(box);
      if (was && !is && open.includes(box)) leave(box);
      was = is;
    };
    const host = box.closest("[x-show]") || box;
    new MutationObserver(look).observe(host, { attributes: true, attributeFilter: ["style", "class"] });
    look();
  };

  document.addEventListener("focusin", (event) => {
    if (!event.target.closest(LAYERS)) outside = event.target;
  });

  const close = (box) => {
    const palette = document.getElementById("search-input-command");
    if (box.contains(palette)) { // it listens in its own box alone, and empties that first
      palette.value = "";
      palette.dispatchEvent(new KeyboardEvent("keydown", { key: "Escape", bubbles: true }));
    } else if (box.id === "changelist-filter" || box.id === "modal-content") {
      window.dispatchEvent(new KeyboardEvent("keydown", { key: "Escape" })); // the theme listens there
    } else if (box.matches(DAYS)) box.querySelector(".calendar-cancel a")?.click();
    else document.body.click(); // a small menu closes with a click beside it
  };

  // Heard before the theme: inside an open layer Tab goes round, and Escape closes it from wherever the focus is.
  window.addEventListener("keydown", (event) => {
    const box = open.at(-1);
    if (box === undefined || !event.isTrusted) return;
    if (event.key === "Escape" && !document.querySelector(".select2-container--open")) {
      event.preventDefault();
      event.stopPropagation();
      close(box);
    }
    if (event.key !== "Tab") return;
    const round = stops(box);
    if (round.length === 0) return;
    const place = round.indexOf(document.activeElement);
    const next = event.shiftKey ? (place <= 0 ? round.length - 1 : null) : (place === -1 || place === round.length - 1 ? 0 : null);
    if (next === null) return;
    event.preventDefault();
    round[next].focus();
  }, true);

  // Enter in the palette opens what is marked, or the first answer where nothing is marked yet.
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.target.id !== "search-input-command") return;
    const palette = window.Alpine?.$data(event.target);
    if (!palette || palette.currentIndex > 0) return;
    if (palette.items?.length) palette.currentIndex = 1;
    else event.stopPropagation();
  }, true);

  // A page that asks before something happens: the focus stands in its form, Escape leaves it while nothing is typed.
  const BACK = "mops-asked-from";
  const typed = (form) => [...form.elements].some((field) => {
    if (field.matches("select")) return [...field.options].some((option) => option.selected !== option.defaultSelected && option.value !== "");
    if (field.matches("[type=checkbox], [type=radio]")) return field.checked !== field.defaultChecked;
    return field.matches("input, textarea") && field.value !== field.defaultValue;
  });
  const ask = (cancel) => {
    const form = cancel.closest("form");
    if (form === null) return;
    const from = document.referrer && new URL(document.referrer);
    if (from && from.origin === window.location.origin) {
      window.sessionStorage.setItem(BACK, JSON.stringify({ page: from.pathname, link: window.location.pathname }));
    }
    const inside = stops(form);
    const wrong = inside.find((part) => part.getAttribute("aria-invalid") === "true");
    const field = inside.find((part) => part.matches("input:not([type=submit]), select, textarea"));
    // a stray Enter or space does only what the page recommends; all else is left by it
    const safe = form.querySelector(".mops-button-primary[type=submit]:not([data-on-purpose])") || cancel;
    // on a phone the focus would bring up the keys over what is to be read
    if (window.matchMedia("(pointer: fine)").matches) (wrong || field || safe)?.focus({ preventScroll: true });
    document.addEventListener("keydown", (event) => {
      const busy = open.length > 0 || document.querySelector(".select2-container--open") || event.defaultPrevented;
      if (event.key === "Escape" && !busy && !typed(form)) cancel.click();
    });
  };
  const comeBack = () => {
    const kept = JSON.parse(window.sessionStorage.getItem(BACK) || "null");
    if (kept === null || kept.page !== window.location.pathname) return;
    window.sessionStorage.removeItem(BACK);
    const link = [...document.querySelectorAll("#content a[href]")].find((each) => each.pathname === kept.link && seen(each));
    const list = document.querySelector("#changelist-form input.action-select"); // what is done with many begins there
    if (document.activeElement === document.body) ((kept.link === kept.page && list) || link || document.getElementById("content"))?.focus({ preventScroll: true });
  };

  document.addEventListener("DOMContentLoaded", () => {
    reach();
    document.querySelectorAll(LAYERS).forEach((box) => box.matches(DAYS) || watch(box));
    document.addEventListener("htmx:afterSettle", reach);
    window.addEventListener("load", () => window.setTimeout(() => document.querySelectorAll(DAYS).forEach(watch), 0)); // made late
    const cancel = document.querySelector("#content [data-cancel]");
    if (cancel) ask(cancel);
    else window.addEventListener("load", () => window.setTimeout(comeBack, 100)); // the theme still moves what it draws
  });
})();
