// Builds one condition from groups and questions. It knows the catalog it is given and nothing else; what it makes is
// the JSON of apps/core/rules/domain/tree.py, and the server checks it again.
"use strict";

window.mopsRules = (() => {
  const GROUPS = [["all", "all of these"], ["any", "any of these"], ["none", "none of these"], ["notall", "not all of these"]];

  const make = (tag, given = {}, ...inside) => {
    const made = document.createElement(tag);
    Object.entries(given).forEach(([name, value]) => {
      if (name === "on") Object.entries(value).forEach(([event, act]) => made.addEventListener(event, act));
      else if (name === "text") made.textContent = value;
      else if (value === true) made.setAttribute(name, "");
      else if (value !== false && value !== null && value !== undefined) made.setAttribute(name, value);
    });
    made.append(...inside.filter((each) => each !== null && each !== undefined));
    return made;
  };

  const select = (label, options, chosen, act, blank) => {
    const box = make("select", { "aria-label": label, class: "rules-select", on: { change: () => act(box.value) } });
    if (blank !== undefined) box.append(make("option", { value: "", text: blank, selected: !chosen }));
    options.forEach(([value, text]) => box.append(make("option", { value, text, selected: String(value) === String(chosen) })));
    if (chosen && !options.some(([value]) => String(value) === String(chosen))) {
      box.append(make("option", { value: chosen, text: `${chosen} (no longer there)`, selected: true }));
    }
    return box;
  };

  const button = (text, label, act, extra = {}) =>
    make("button", { type: "button", class: "mops-button rules-small", text, "aria-label": label, title: label, on: { click: act }, ...extra });

  // A tree as it is edited: groups {sort, parts}, questions and counts as they are stored.
  const open = (node) => {
    if (!node || typeof node !== "object") return { sort: "all", parts: [] };
    if (Array.isArray(node.all)) return { sort: "all", parts: node.all.map(openPart) };
    if (Array.isArray(node.any)) return { sort: "any", parts: node.any.map(openPart) };
    if (node.not) {
      const inner = openPart(node.not);
      if (inner.sort === "any") return { sort: "none", parts: inner.parts };
      if (inner.sort === "all") return { sort: "notall", parts: inner.parts };
      return { sort: "none", parts: [inner] };
    }
    return { sort: "all", parts: [openPart(node)] };
  };
  const openPart = (node) => {
    if (node && (Array.isArray(node.all) || Array.isArray(node.any) || node.not)) return open(node);
    if (node && node.has !== undefined) return { ...node, where: node.where ? open(node.where) : null };
    return { ...(node || { field: "" }) };
  };

  const close = (node) => {
    if (node.sort) {
      const parts = node.parts.map(close);
      if (node.sort === "none") return { not: { any: parts } };
      if (node.sort === "notall") return { not: { all: parts } };
      return { [node.sort]: parts };
    }
    if (node.has === undefined) return node;
    const { where, ...rest } = node;
    return where && where.parts.length ? { ...rest, where: close(where) } : rest;
  };

  const below = (sort) => ({ all: "all", any: "any", none: "not/any", notall: "not/all" })[sort];

  // How one value is typed, by the type of its field.
  const valueInput = (field, label, value, act) => {
    if (field.options) {
      const typed = (text) => { const found = field.options.find(([each]) => String(each) === text); return found ? found[0] : ""; };
      return select(label, field.options, value === undefined ? "" : value, (text) => act(typed(text)), "choose …");
    }
    const kinds = { number: "number", money: "number", date: "date", datetime: "date" };
    const type = field.type === "datetime" && String(value || "").length > 10 ? "datetime-local" : kinds[field.type] || "text";
    const box = make("input", { type, "aria-label": label, class: "rules-input", step: field.whole ? "1" : "any", value: value ?? "" });
    box.addEventListener("input", () => act(type === "number" ? (box.value === "" ? "" : Number(box.value)) : box.value));
    return box;
  };

  const manyInput = (field, label, value, act) => {
    const chosen = Array.isArray(value) ? value : [];
    if (!field.options) {
      const box = make("textarea", { "aria-label": `${label}, one a line`, class: "rules-input", rows: "3", placeholder: "one a line" });
      box.value = chosen.join("\n");
      box.addEventListener("input", () => act(box.value.split("\n").map((each) => each.trim()).filter(Boolean)));
      return box;
    }
    const set = make("div", { class: "rules-checks", role: "group", "aria-label": label });
    field.options.forEach(([each, text]) => {
      const tick = make("input", { type: "checkbox", checked: chosen.includes(each) });
      tick.addEventListener("change", () => {
        const at = chosen.indexOf(each);
        if (tick.checked && at < 0) chosen.push(each); else if (!tick.checked && at >= 0) chosen.splice(at, 1);
        act([...chosen]);
      });
      set.append(make("label", { class: "rules-check" }, tick, document.createTextNode(` ${text}`)));
    });
    return set;
  };

  // The condition as a form. `changed(redraw)` is told after every change.
  class Builder {
    constructor(root, catalog, predicate, at, problems, changed) {
      Object.assign(this, { root, catalog, at, problems, changed, tree: open(predicate) });
      this.draw();
    }

    value() { return close(this.tree); }

    touch(redraw, focus) {
      this.problems = [];
      if (redraw) this.draw(focus);
      this.changed();
    }

    // Draws everything anew; `focus` is the part whose main control gets the focus.
    draw(focus) {
      this.places = new Map();
      this.root.replaceChildren(this.group(this.tree, this.catalog, this.at, null));
      const place = focus && this.places.get(focus);
      const target = place && (place.querySelector("[data-main]") || place.querySelector("select, input, button"));
      if (target) target.focus();
    }

    said(at) {
      const found = this.problems.filter((each) => each.at === at || (each.at.startsWith(`${at}/`) && /^(field|op|value|has|count|within)$/.test(each.at.slice(at.length + 1))));
      return found.length ? make("p", { class: "mops-error rules-said", role: "alert", text: found.map((each) => each.sentence).join(" ") }) : null;
    }

    group(node, catalog, at, remove) {
      const box = make("fieldset", { class: `rules-group rules-${node.sort}` });
      this.places.set(node, box);
      const sort = select("How the conditions of this group belong together", GROUPS, node.sort, (next) => {
        node.sort = next;
        box.className = `rules-group rules-${next}`;
        this.touch(false);
      });
      box.append(make("legend", { class: "mops-hidden", text: "Group of conditions" }));
      box.append(make("div", { class: "rules-head" }, make("span", { class: "rules-match", text: "Match" }), sort, remove ? button("✕", "Remove this group", remove) : null));
      const own = this.problems.filter((each) => each.at === at);
      if (own.length) box.append(make("p", { class: "mops-error rules-said", role: "alert", text: own.map((each) => each.sentence).join(" ") }));
      const list = make("ol", { class: "rules-parts" });
      node.parts.forEach((part, number) => {
        const place = `${at}/${below(node.sort)}/${number}`;
        const drop = () => { node.parts.splice(number, 1); this.touch(true, node); };
        const drawn = part.sort ? this.group(part, catalog, place, drop) : part.has !== undefined ? this.has(part, catalog, place, drop) : this.leaf(part, catalog, place, drop);
        list.append(make("li", {}, drawn));
      });
      if (!node.parts.length) box.append(make("p", { class: "mops-soft", text: at.endsWith("where") ? "Nothing is asked: every row counts." : "No condition yet: everything fits." }));
      box.append(list);
      const add = (part) => { node.parts.push(part); this.touch(true, part.sort ? part.parts[0] : part); };
      box.append(make("div", { class: "rules-add" },
        button("+ Condition", "Add a condition", () => add({ field: "" })),
        button("+ Group", "Add a group", () => add({ sort: node.sort === "any" ? "all" : "any", parts: [{ field: "" }] })),
        catalog.relations.length ? button("+ Count", "Count related rows", () => add({ has: catalog.relations.length === 1 ? catalog.relations[0].key : "", count: { gte: 1 }, where: null })) : null));
      return box;
    }

    // The choice of the field stays while the rest follows it, so that typing into it is never interrupted.
    leaf(node, catalog, at, remove) {
      const find = () => catalog.fields.find((each) => each.key === node.field);
      const rest = make("span", { class: "rules-rest" });
      const said = this.said(at);
      const touch = () => { if (said) { said.remove(); said.parentNode?.classList.remove("rules-wrong"); } this.touch(false); };
      const fill = () => {
        const field = find();
        rest.replaceChildren();
        if (!field) return;
        const takes = () => (field.ops.find(([each]) => each === node.op) || ["", "", "one"])[2];
        const values = make("span", { class: "rules-rest" });
        const show = () => values.replaceChildren(...this.values(node, field, takes(), touch));
        const compare = select("How to compare", field.ops, node.op, (op) => {
          const before = takes();
          node.op = op;
          if (takes() !== before) { delete node.value; show(); }
          touch();
        });
        show();
        rest.append(compare, values);
      };
      const choose = select("Field", catalog.fields.map((each) => [each.key, each.label]), node.field, (key) => {
        node.field = key;
        delete node.value;
        const found = find();
        if (found && !found.ops.some(([op]) => op === node.op)) node.op = found.ops[0][0];
        choose.title = found ? found.help : "";
        fill();
        touch();
      }, "choose a field …");
      choose.setAttribute("data-main", "");
      choose.title = find()?.help || "";
      fill();
      const row = make("div", { class: "rules-leaf" }, choose, rest, button("✕", "Remove this condition", remove));
      const box = said ? make("div", { class: "rules-wrong" }, row, said) : row;
      this.places.set(node, box);
      return box;
    }

    values(node, field, takes, touch) {
      const set = (value) => { node.value = value; touch(); };
      const label = `${field.label}, value`;
      if (takes === "none") return [];
      if (takes === "many") return [manyInput(field, label, node.value, set)];
      if (takes === "days") {
        const box = make("input", { type: "number", min: "1", step: "1", "aria-label": "Number of days", class: "rules-input rules-short", value: node.value ?? "" });
        box.addEventListener("input", () => set(box.value === "" ? "" : Number(box.value)));
        return [box, make("span", { class: "mops-soft", text: "days" })];
      }
      if (takes === "two") {
        const pair = Array.isArray(node.value) ? [...node.value] : ["", ""];
        const put = (number) => (value) => { pair[number] = value; set([...pair]); };
        return [valueInput(field, `${field.label}, from`, pair[0], put(0)), make("span", { class: "mops-soft", text: "and" }), valueInput(field, `${field.label}, to`, pair[1], put(1))];
      }
      return [valueInput(field, label, node.value, set), field.unit ? make("span", { class: "mops-soft", text: field.unit }) : null].filter(Boolean);
    }

    has(node, catalog, at, remove) {
      const relation = catalog.relations.find((each) => each.key === node.has);
      const [op, count] = Object.entries(node.count || { gte: 1 })[0];
      const number = make("input", { type: "number", min: "0", step: "1", "aria-label": "How many", class: "rules-input rules-short", value: count });
      const row = make("div", { class: "rules-leaf" });
      const amount = select("More or fewer", catalog.counts, op, (next) => { node.count = { [next]: Object.values(node.count || { gte: 1 })[0] }; this.touch(false); });
      number.addEventListener("input", () => { node.count = { [Object.keys(node.count || { gte: 1 })[0]]: Number(number.value) }; this.touch(false); });
      const what = select("What is counted", catalog.relations.map((each) => [each.key, each.label]), node.has, (key) => { node.has = key; node.where = null; delete node.within; this.touch(true, node); }, "choose …");
      what.setAttribute("data-main", "");
      row.append(make("span", { text: "has" }), amount, number, what);
      if (relation && relation.dated) {
        const days = make("input", { type: "number", min: "1", step: "1", "aria-label": "In the last how many days", class: "rules-input rules-short", placeholder: "any", value: node.within ? node.within.days : "" });
        days.addEventListener("input", () => { if (days.value === "") delete node.within; else node.within = { days: Number(days.value) }; this.touch(false); });
        row.append(make("span", { text: "in the last" }), days, make("span", { class: "mops-soft", text: "days" }));
      }
      row.append(button("✕", "Remove this count", remove));
      const box = make("div", { class: "rules-has" }, row, this.said(at));
      this.places.set(node, box);
      if (relation) {
        node.where = node.where || { sort: "all", parts: [] };
        const where = make("details", { class: "rules-where", open: node.where.parts.length > 0 }, make("summary", { text: `Only ${relation.label} that …` }));
        where.append(this.group(node.where, relation.catalog, `${at}/where`, null));
        box.append(where);
      }
      return box;
    }
  }

  return { Builder, make, button, select, valueInput };
})();
