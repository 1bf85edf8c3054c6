// The data-flow map is drawn from its facts: what `domain/flow_files.py` page_facts tells, each word once.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  const sent = document.querySelector("[data-map-facts]");
  if (!sent) return;
  const facts = JSON.parse(sent.textContent);
  const svg = document.querySelector("[data-map-frame] svg");
  const part = (name, attributes, ...inner) => {
    const made = document.createElementNS("http://www.w3.org/2000/svg", name);
    Object.entries(attributes).forEach(([key, value]) => made.setAttribute(key, value));
    made.append(...inner);
    return made;
  };
  const short = (text, most) => (text.length > most ? `${text.slice(0, most - 1)}…` : text);
  const owner = (place) => facts.owners[place - 1] || "";
  const [wide, high] = facts.box;

  const box = ([key, name, place, records, x, y]) => {
    const below = records ? `record of ${records}` : owner(place);
    const said = `${name}. Owner: ${owner(place) || "nobody"}.${records ? ` System of record of ${records}.` : ""}`;
    return part(
      "a",
      { href: `/admin/technology/tool/${key}/change/`, "data-node": key },
      part("rect", { class: records ? "r" : "n", x, y, width: wide, height: high, rx: 6 }),
      part("text", { class: "t", x: x + 10, y: y + 23 }, short(name, facts.longest)),
      part("text", { class: "s", x: x + 10, y: y + 41 }, short(below, facts.longest + 6)),
      part("title", {}, said),
    );
  };
  const names = new Map(facts.nodes.map(([key, name]) => [key, name]));
  const line = ([key, name, source, target, both, health, path, place, how, entities, ...conflicts]) => {
    const carries = entities.map((each) => facts.entities[each - 1]).join(", ") || "nothing named";
    const ends = { "marker-end": "url(#tip)", ...(both ? { "marker-start": "url(#tip)" } : {}) };
    const said = [
      `${names.get(source)} → ${names.get(target)}: ${name}`,
      ...[carries, facts.words[how - 1], health, owner(place) || "nobody"],
      ...conflicts,
    ];
    return part(
      "a",
      {
        href: `/admin/technology/integration/${key}/change/`,
        "data-edge": `${source} ${target} ${health} ${conflicts.length ? 1 : 0} ${place} ${entities.join(",")}`,
      },
      part("title", {}, said.join("\n")),
      part("path", { class: conflicts.length ? `${health} c` : health, d: path, ...ends }),
    );
  };
  const tip = part(
    "marker",
    { id: "tip", viewBox: "0 0 8 8", refX: 7, refY: 4, markerWidth: 7, markerHeight: 7, orient: "auto-start-reverse" },
    part("polygon", { points: "0,0 8,4 0,8" }),
  );
  svg.setAttribute("viewBox", `0 0 ${facts.size.join(" ")}`);
  svg.append(part("defs", {}, tip), part("g", {}, ...facts.edges.map(line), ...facts.nodes.map(box)));
});
