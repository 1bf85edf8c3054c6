// The data-flow map: moved by dragging or arrow keys, zoomed by wheel, pinch, buttons or keys, narrowed by filters.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  const frame = document.querySelector("[data-map-frame]");
  if (!frame) return;
  const svg = frame.querySelector("svg");
  const whole = svg.viewBox.baseVal;
  const all = { x: whole.x, y: whole.y, width: whole.width, height: whole.height };
  let seen = { ...all };
  const show = () => svg.setAttribute("viewBox", `${seen.x} ${seen.y} ${seen.width} ${seen.height}`);
  svg.removeAttribute("width");
  svg.removeAttribute("height");

  const scale = () => Math.max(seen.width / svg.clientWidth, seen.height / svg.clientHeight);
  const zoom = (factor, at) => {
    const width = Math.min(Math.max(seen.width * factor, 200), all.width * 4);
    const by = width / seen.width;
    const x = at ? at.x : seen.x + seen.width / 2;
    const y = at ? at.y : seen.y + seen.height / 2;
    seen = { x: x - (x - seen.x) * by, y: y - (y - seen.y) * by, width, height: seen.height * by };
    show();
  };
  const move = (x, y) => {
    seen = { ...seen, x: seen.x + x * scale(), y: seen.y + y * scale() };
    show();
  };
  const reset = () => {
    seen = { ...all };
    show();
  };
  const place = (event) => {
    const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
    return { x: point.x, y: point.y };
  };
  if (svg.clientWidth < all.width / 1.6) zoom((svg.clientWidth * 1.6) / all.width, { x: 0, y: 0 });

  const held = new Map();
  let dragged = 0;
  let apart = 0;
  svg.addEventListener("pointerdown", (event) => {
    held.set(event.pointerId, event);
    dragged = 0;
  });
  svg.addEventListener("pointermove", (event) => {
    const before = held.get(event.pointerId);
    if (!before) return;
    if (held.size === 2) {
      held.set(event.pointerId, event);
      const [one, two] = [...held.values()];
      const now = Math.hypot(one.clientX - two.clientX, one.clientY - two.clientY);
      if (apart) zoom(apart / now);
      apart = now;
      dragged = 9;
      return;
    }
    dragged += Math.abs(event.clientX - before.clientX) + Math.abs(event.clientY - before.clientY);
    if (dragged > 4 && !svg.hasPointerCapture(event.pointerId)) svg.setPointerCapture(event.pointerId);
    move(before.clientX - event.clientX, before.clientY - event.clientY);
    held.set(event.pointerId, event);
  });
  ["pointerup", "pointercancel", "pointerleave"].forEach((name) =>
    svg.addEventListener(name, (event) => {
      held.delete(event.pointerId);
      apart = 0;
    }),
  );
  svg.addEventListener("dragstart", (event) => event.preventDefault());
  svg.addEventListener("click", (event) => dragged > 4 && event.preventDefault(), true);
  svg.addEventListener(
    "wheel",
    (event) => {
      if (!event.ctrlKey && document.activeElement !== frame) return;
      event.preventDefault();
      zoom(event.deltaY > 0 ? 1.15 : 1 / 1.15, place(event));
    },
    { passive: false },
  );
  const keys = {
    ArrowLeft: () => move(-60, 0),
    ArrowRight: () => move(60, 0),
    ArrowUp: () => move(0, -60),
    ArrowDown: () => move(0, 60),
    "+": () => zoom(1 / 1.25),
    "=": () => zoom(1 / 1.25),
    "-": () => zoom(1.25),
    0: reset,
  };
  frame.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !keys[event.key]) return;
    event.preventDefault();
    keys[event.key]();
  });
  frame.querySelectorAll("[data-zoom]").forEach((button) =>
    button.addEventListener("click", () => {
      if (button.dataset.zoom === "all") reset();
      else zoom(button.dataset.zoom === "in" ? 1 / 1.25 : 1.25);
    }),
  );
  // what is reached by the Tab key must be seen
  frame.addEventListener("focusin", (event) => {
    const part = event.target.closest("[data-node], [data-edge]");
    if (!part || !part.matches(":focus-visible")) return;
    const box = part.getBBox();
    seen = { ...seen, x: box.x + box.width / 2 - seen.width / 2, y: box.y + box.height / 2 - seen.height / 2 };
    show();
  });

  // what the server sends once is said aloud, made wide to click, and told as a table the first time that is opened
  const nodes = [...svg.querySelectorAll("[data-node]")];
  const edges = [...svg.querySelectorAll("[data-edge]")].map((link) => {
    const [source, target, health, conflict, owner, entities] = link.dataset.edge.split(" ");
    const wide = link.querySelector("path").cloneNode();
    wide.setAttribute("class", "technology-map-hit");
    wide.removeAttribute("marker-start");
    wide.removeAttribute("marker-end");
    link.querySelector("path").before(wide);
    return { link, source, target, health, conflict, owner, entities: (entities || "").split(",") };
  });
  const words = (link) => link.querySelector("title").textContent.split("\n");
  [...nodes, ...edges.map((edge) => edge.link)].forEach((link) =>
    link.setAttribute("aria-label", words(link).join(". ")),
  );
  const table = document.querySelector("[data-map-table]");
  table.addEventListener("toggle", () => {
    const body = table.querySelector("tbody");
    if (!table.open || body.rows.length) return;
    edges.forEach(({ link }) => {
      const row = body.insertRow();
      words(link)
        .slice(0, 5)
        .forEach((text, place) => {
          const cell = document.createElement(place ? "td" : "th");
          if (!place) {
            const name = document.createElement("a");
            name.href = link.getAttribute("href");
            name.textContent = text;
            cell.scope = "row";
            cell.append(name);
          } else cell.textContent = text;
          row.append(cell);
        });
    });
  });

  const form = document.querySelector("[data-map-filter]");
  const said = form.querySelector("[data-map-said]");
  const narrow = () => {
    const wanted = new FormData(form);
    const kept = new Set();
    let number = 0;
    edges.forEach((edge) => {
      const fits =
        (!wanted.get("entity") || edge.entities.includes(wanted.get("entity"))) &&
        (!wanted.get("owner") || edge.owner === wanted.get("owner")) &&
        (!wanted.get("health") || edge.health === wanted.get("health")) &&
        (!wanted.get("conflict") || edge.conflict === "1");
      edge.link.classList.toggle("technology-map-off", !fits);
      edge.link.setAttribute("tabindex", fits ? "0" : "-1");
      if (!fits) return;
      number += 1;
      kept.add(edge.source).add(edge.target);
    });
    nodes.forEach((node) => {
      const off = !kept.has(node.dataset.node);
      node.classList.toggle("technology-map-off", off);
      node.setAttribute("tabindex", off ? "-1" : "0");
    });
    said.textContent = `${kept.size} tools, ${number} integration${number === 1 ? "" : "s"}`;
  };
  form.addEventListener("input", narrow);
  form.addEventListener("reset", () => window.setTimeout(narrow));
  form.addEventListener("submit", (event) => event.preventDefault());
});
