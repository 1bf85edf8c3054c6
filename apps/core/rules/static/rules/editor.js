// Puts the builder in the place of the rules' text: for one condition, or for a list of rules in an order.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  const { Builder, make, button, valueInput } = window.mopsRules;

  const start = (box) => {
    if (box.querySelector(".rules-stage")) return;
    const read = (end, otherwise) => { const found = box.querySelector(`script[id$="${end}"]`); return found ? JSON.parse(found.textContent) : otherwise; };
    const source = box.querySelector("textarea");
    const shape = read("-shape", {});
    const problems = read("-shape-problems", []);
    let body;
    try { body = JSON.parse(source.value); } catch { return; } // what cannot be read stays as text
    if (!["predicate", "list"].includes(shape.editor) || !shape.catalog) return;

    const stage = make("div", { class: "rules-stage" });
    const words = box.querySelector("[data-rules-words]") || make("div", { class: "rules-words" });
    const live = make("p", { class: "rules-live", role: "status", "aria-live": "polite" });
    const findings = make("ul", { class: "rules-findings" });
    const cost = make("p", { class: "rules-cost mops-soft" });
    // one condition is read above its builder; a list has its names below, and all of its words on request
    const told = shape.editor === "list" ? make("details", { class: "mops-more" }, make("summary", { text: "All rules in words" }), words) : words;
    source.before(told, stage, live, cost, findings);
    box.querySelector("[data-rules-plain]").hidden = true;
    source.hidden = true;
    // where a problem stands in the text is for those who see the text; the builder marks the place itself
    const texts = document.createTreeWalker(source.form, NodeFilter.SHOW_TEXT);
    for (let text = texts.nextNode(); text; text = texts.nextNode()) {
      const place = problems.map((each) => ` (at ${each.at})`).find((each) => text.data.trimEnd().endsWith(each));
      if (place) text.data = text.data.replace(place, "");
    }

    let waiting, asked = 0, looked = null, build = () => body;
    const token = document.querySelector("[name=csrfmiddlewaretoken]");
    const ask = async () => {
      if (!box.dataset.rulesPreview || !token) return;
      const mine = ++asked;
      live.textContent = "Counting …";
      const form = new FormData();
      form.append("body", source.value);
      if (looked !== null) form.append("rule", looked);
      const answer = await fetch(box.dataset.rulesPreview, { method: "POST", headers: { "X-CSRFToken": token.value, "X-Requested-With": "fetch" }, body: form }).catch(() => null);
      if (mine !== asked) return; // a newer question is under way
      if (!answer || !answer.ok) { live.textContent = "The count could not be asked just now."; return; }
      const said = await answer.json();
      words.textContent = said.words;
      live.textContent = said.live;
      cost.textContent = said.cost || "";
      findings.replaceChildren(...said.findings.map((each) => make("li", { class: "mops-error", text: each })));
    };
    const changed = () => {
      source.value = JSON.stringify(build());
      source.dispatchEvent(new Event("change", { bubbles: true }));
      window.clearTimeout(waiting);
      waiting = window.setTimeout(ask, 500);
    };

    if (shape.editor === "predicate") {
      const builder = new Builder(stage, shape.catalog, body.predicate, "predicate", problems, changed);
      build = () => ({ predicate: builder.value() });
    } else {
      const rows = (body.rules || []).map((each) => ({ ...each }));
      const builders = new Map();
      const settings = { ...(body.settings || {}) };
      const whole = (shape.settings || []).length ? { settings } : {};
      build = () => ({ ...whole, rules: rows.map((row) => ({ ...row, predicate: builders.get(row).value() })) });
      let problemsLeft = problems;
      // A long list is read folded, one line a rule; what is wrong, new or just moved by hand stands open.
      const few = 3, opened = new Set();
      rows.forEach((row, number) => { if (rows.length <= few || problems.some((each) => each.at === `rules/${number}` || each.at.startsWith(`rules/${number}/`))) opened.add(row); });
      const grouped = shape.outcomes.find((each) => each.key === shape.groupBy);
      const shown = (each, value) => { const option = each.options && each.options.find(([key]) => key === value); return option ? option[1] : String(value); };
      const said = (row, each) => [undefined, null, "", false].includes((row.outcome || {})[each.key]) ? "" : shown(each, row.outcome[each.key]);
      // One outcome in words, as the server says it: "halves every … days" takes its number from the outcome that completes it.
      const phrase = (row, each) => {
        const part = shape.outcomes.find((other) => other.completes === each.key);
        if (part) return `${each.label}: ${said(row, each).replace("…", said(row, part) || "…").replace(/ 1 days/, " 1 day")}`;
        const whole = shape.outcomes.find((other) => other.key === each.completes);
        return whole && said(row, whole).includes("…") ? "" : `${each.label} ${said(row, each)}`;
      };
      const inShort = (row) => shape.outcomes
        .filter((each) => each !== grouped && said(row, each))
        .map((each) => phrase(row, each)).filter(Boolean).join(" · ") || "says nothing yet";

      const keep = () => builders.forEach((builder, row) => { row.predicate = builder.value(); });
      const redraw = (focus) => {
        keep();
        builders.clear();
        stage.replaceChildren(...together(), ...folding());
        rows.forEach((row, number) => stage.append(...heading(row, rows[number - 1]), card(row, number)));
        if (!rows.length) stage.append(make("p", { class: "mops-empty", text: "No rule yet. Add the first one." }));
        stage.append(button("+ Rule", "Add a rule at the end", () => {
          const row = { name: "", predicate: { all: [{ field: "" }] }, outcome: {}, enabled: true, reason: "" };
          rows.push(row);
          opened.add(row);
          step(`${rows.length - 1}:name`);
        }));
        if (focus) { const found = stage.querySelector(`[data-focus="${CSS.escape(focus)}"]`); if (found) found.focus(); }
      };
      const step = (focus) => { problemsLeft = []; redraw(focus); changed(); };
      const swap = (from, to, name) => { [rows[from], rows[to]] = [rows[to], rows[from]]; step(to === 0 && name === "up" ? "0:down" : to === rows.length - 1 && name === "down" ? `${to}:up` : `${to}:${name}`); };
      const wrong = (at) => {
        const found = problemsLeft.filter((each) => each.at === at);
        return found.length ? make("p", { class: "mops-error rules-said", role: "alert", text: found.map((each) => each.sentence).join(" ") }) : null;
      };
      const line = (label, input, help, at) => make("label", { class: "rules-line" }, make("span", { text: label }), input, help ? make("span", { class: "mops-help", text: help }) : null, wrong(at));

      const together = () => {
        if (!whole.settings) return [];
        const outcome = make("div", { class: "rules-outcome" });
        shape.settings.forEach((each) => {
          const put = (value) => { if (value === "") delete settings[each.key]; else settings[each.key] = value; changed(); };
          outcome.append(line(each.label, valueInput(each, each.label, settings[each.key], put), each.help, `settings/${each.key}`));
        });
        return [make("section", { class: "rules-card", "aria-label": "All rules together" }, make("p", { class: "rules-when", text: "All rules together" }), outcome)];
      };

      const folding = () => {
        if (rows.length <= few) return [];
        const all = rows.every((row) => opened.has(row));
        return [make("p", { class: "rules-open-all" }, button(all ? "Fold all rules" : `Open all ${rows.length} rules`, all ? "Fold all rules" : "Open all rules", () => { rows.forEach((row) => { if (all) opened.delete(row); else opened.add(row); }); redraw("all"); }, { "data-focus": "all" }))];
      };
      const group = (row) => { const value = grouped && (row.outcome || {})[grouped.key]; return value ? shown(grouped, value) : ""; };
      const heading = (row, before) => (grouped && group(row) && (!before || group(before) !== group(row)) ? [make("h3", { class: "rules-group-name", text: group(row) })] : []);

      const card = (row, number) => {
        const at = `rules/${number}`;
        const look = () => { looked = number; };
        const name = make("input", { type: "text", class: "rules-input rules-name", "aria-label": `Name of rule ${number + 1}`, placeholder: "Name of the rule", maxlength: "150", value: row.name || "", "data-focus": `${number}:name` });
        name.addEventListener("input", () => { row.name = name.value; changed(); });
        const on = make("input", { type: "checkbox", checked: row.enabled !== false });
        on.addEventListener("change", () => { row.enabled = on.checked; shell.classList.toggle("rules-off", !on.checked); changed(); });
        const details = make("div", { class: "rules-details", id: `${source.id}-rule-${number}` });
        const short = make("p", { class: "rules-short-words mops-soft" });
        const toggle = button("", "", () => { if (!opened.delete(row)) opened.add(row); fold(); }, { class: "mops-button mops-button-default rules-small rules-fold", "aria-controls": details.id, "data-focus": `${number}:fold` });
        const fold = () => {
          const isOpen = opened.has(row);
          details.hidden = !isOpen;
          short.hidden = isOpen;
          short.textContent = inShort(row);
          toggle.textContent = isOpen ? "▾" : "▸";
          toggle.setAttribute("aria-expanded", String(isOpen));
          toggle.setAttribute("aria-label", `${isOpen ? "Fold" : "Open"} rule ${number + 1}`);
        };
        const head = make("div", { class: "rules-card-head" },
          toggle, make("span", { class: "rules-number", text: `${number + 1}` }), name,
          make("label", { class: "rules-check" }, on, document.createTextNode(" on")),
          button("↑", `Move rule ${number + 1} up`, () => swap(number, number - 1, "up"), { disabled: number === 0, "data-focus": `${number}:up` }),
          button("↓", `Move rule ${number + 1} down`, () => swap(number, number + 1, "down"), { disabled: number === rows.length - 1, "data-focus": `${number}:down` }),
          button("Duplicate", `Duplicate rule ${number + 1}`, () => {
            keep();
            const { key, ...copy } = JSON.parse(JSON.stringify(row));
            rows.splice(number + 1, 0, { ...copy, name: `${copy.name} (copy)` });
            opened.add(rows[number + 1]);
            step(`${number + 1}:name`);
          }),
          button("✕", `Remove rule ${number + 1}`, () => { rows.splice(number, 1); step(rows.length ? `${Math.max(0, number - 1)}:name` : ""); }));
        const condition = make("div", { class: "rules-condition" });
        builders.set(row, new Builder(condition, shape.catalog, row.predicate, `${at}/predicate`, problemsLeft, changed));
        const outcome = make("div", { class: "rules-outcome" });
        row.outcome = row.outcome || {};
        shape.outcomes.forEach((each) => {
          const put = (value) => { if (value === "") delete row.outcome[each.key]; else row.outcome[each.key] = value; changed(); };
          outcome.append(line(each.label + (each.unit ? ` (${each.unit})` : ""), valueInput(each, each.label, row.outcome[each.key], put), each.help, `${at}/outcome/${each.key}`));
        });
        const reason = make("input", { type: "text", class: "rules-input", "aria-label": `Reason of rule ${number + 1}`, placeholder: "Why this rule is there", maxlength: "1000", value: row.reason || "" });
        reason.addEventListener("input", () => { row.reason = reason.value; changed(); });
        const shell = make("section", { class: "rules-card", "aria-label": `Rule ${number + 1}`, on: { focusin: look } }, head, short, wrong(at), wrong(`${at}/name`), details);
        details.append(make("p", { class: "rules-when", text: "When" }), condition, make("p", { class: "rules-when", text: "then" }), outcome, line("Reason", reason, "", `${at}/reason`));
        fold();
        shell.classList.toggle("rules-off", row.enabled === false);
        return shell;
      };
      rows.forEach((row) => builders.set(row, { value: () => row.predicate }));
      redraw();
    }
    ask();
  };

  // The row that new rows of a list are copied from stays as it is; a copy is built when it is added.
  document.querySelectorAll("[data-rules-editor]").forEach((box) => { if (!box.querySelector("textarea").name.includes("__prefix__")) start(box); });
  document.addEventListener("formset:added", (event) => event.target.querySelectorAll("[data-rules-editor]").forEach(start));
});
