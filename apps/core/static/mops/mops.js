// The one script of our own. Everything works without it; it only adds comfort.
"use strict";

// A bar that carries data-poll asks its address again until the job is over.
document.addEventListener("DOMContentLoaded", () => {
  document.querySelectorAll("[data-poll]").forEach((box) => {
    const seconds = Number(box.dataset.pollSeconds || 1);
    const ask = async () => {
      const answer = await fetch(box.dataset.poll, { headers: { "X-Requested-With": "fetch" } }).catch(() => null);
      if (answer === null || answer.status >= 500) return window.setTimeout(ask, 5000); // the server is away: ask later
      if (!answer.ok || answer.redirected) return;
      box.innerHTML = await answer.text();
      if (!box.querySelector("[data-finished]")) window.setTimeout(ask, seconds * 1000);
      else if (box.dataset.pollThen === "reload") window.location.reload();
    };
    if (!box.querySelector("[data-finished]")) window.setTimeout(ask, seconds * 1000);
  });
});

// A file that is too big is refused before it travels; the server checks again. Heard before the theme does, which
// would write the chosen name into whatever text field comes first in the form.
document.addEventListener("change", (event) => {
  const field = event.target;
  if (!field.matches || !field.matches(".mops-card input[type=file]")) return;
  event.stopPropagation();
  const most = Number(field.dataset.mostBytes || Infinity);
  const tooBig = [...field.files].find((file) => file.size > most);
  const megabytes = (bytes) => (bytes / 1048576).toFixed(1);
  field.setCustomValidity(tooBig ? `${tooBig.name} has ${megabytes(tooBig.size)} MB; the limit is ${Math.floor(most / 1048576)} MB.` : "");
  field.reportValidity();
}, true);

// A box that carries data-preview shows how the text of a field will read, a moment after the last key.
document.addEventListener("DOMContentLoaded", () => {
  document.querySelectorAll("[data-preview]").forEach((box) => {
    const field = document.getElementById(box.dataset.previewOf);
    const token = document.querySelector("[name=csrfmiddlewaretoken]");
    if (!field || !token) return;
    let waiting;
    field.addEventListener("input", () => {
      window.clearTimeout(waiting);
      waiting = window.setTimeout(async () => {
        const form = new FormData();
        form.append("text", field.value);
        const answer = await fetch(box.dataset.preview, { method: "POST", headers: { "X-CSRFToken": token.value }, body: form });
        if (answer.ok) box.innerHTML = await answer.text(); // cleaned by the server
      }, 400);
    });
  });
});

// Following the link of an unread notification also marks it as read.
document.addEventListener("click", (event) => {
  const link = event.target.closest ? event.target.closest("a[data-read]") : null;
  const token = document.cookie.match(/(?:^|; )csrftoken=([^;]+)/);
  if (!link || !token) return;
  fetch(link.dataset.read, { method: "POST", keepalive: true, headers: { "X-CSRFToken": token[1], "X-Requested-With": "fetch" } });
});

// The theme marks no landmark: the content is the page's main part, and the keyboard reaches it past the menu at once.
document.addEventListener("DOMContentLoaded", () => {
  const content = document.getElementById("content");
  if (content === null || document.querySelector("main, [role=main]") !== null) return;
  content.setAttribute("role", "main");
  content.tabIndex = -1;
  const skip = document.createElement("a");
  skip.className = "mops-skip";
  skip.href = "#content";
  skip.textContent = "Skip to the content";
  document.body.prepend(skip);
});

// A box to choose from by typing is named by what is chosen, that is by nothing while it is empty: call it by the
// label of its field as well.
const nameBoxes = () => {
  document.querySelectorAll(".select2-selection").forEach((box) => {
    const field = box.closest(".select2-container")?.previousElementSibling;
    const label = field?.labels?.[0];
    if (label) label.id ||= `${field.id}_label`;
    [box, ...box.querySelectorAll("[role=textbox]")].forEach((part) => {
      if (label) {
        const others = (part.getAttribute("aria-labelledby") || "").split(" ").filter((id) => id && id !== label.id);
        part.setAttribute("aria-labelledby", [label.id, ...others].join(" "));
      } else if (field?.name && !part.hasAttribute("aria-label")) {
        part.setAttribute("aria-label", field.getAttribute("aria-label") || field.name.replace(/.*-|_/g, " ").trim());
      }
    });
  });
};
// the boxes are made by another script, whenever it comes to it: after loading, and with every row that is added
new MutationObserver((changes) => {
  const added = changes.flatMap((change) => [...change.addedNodes]);
  if (added.some((node) => node.classList?.contains("select2-container"))) nameBoxes();
}).observe(document.documentElement, { childList: true, subtree: true });

// A link to a picture that carries data-png gives it as a PNG, drawn here: nothing on the server draws.
document.addEventListener("DOMContentLoaded", () => {
  document.querySelectorAll("a[data-png]").forEach((link) => {
    link.hidden = false;
    link.addEventListener("click", async (event) => {
      event.preventDefault();
      const answer = await fetch(link.href);
      if (!answer.ok) return;
      const picture = new Image();
      picture.onload = () => {
        const canvas = document.createElement("canvas");
        const factor = Math.min(2, 16000 / Math.max(picture.width, picture.height));
        canvas.width = picture.width * factor;
        canvas.height = picture.height * factor;
        const pen = canvas.getContext("2d");
        pen.fillStyle = "#fff";
        pen.fillRect(0, 0, canvas.width, canvas.height);
        pen.drawImage(picture, 0, 0, canvas.width, canvas.height);
        canvas.toBlob((blob) => {
          const file = document.createElement("a");
          file.href = URL.createObjectURL(blob);
          file.download = link.dataset.png;
          file.click();
          window.setTimeout(() => URL.revokeObjectURL(file.href), 10000);
        }, "image/png");
      };
      // the page's policy lets no blob in as a picture
      picture.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(await answer.text())}`;
    });
  });
});

// Headings of the menu that fold their group: reached and worked by the keyboard, and they stay as they were left.
document.addEventListener("DOMContentLoaded", () => {
  const kept = "mops-menu-open";
  const read = () => JSON.parse(window.localStorage.getItem(kept) || "[]");
  document.querySelectorAll("#nav-sidebar-apps [x-data] > h2").forEach((heading) => {
    const list = heading.nextElementSibling;
    const name = heading.firstChild.textContent.trim();
    const shown = () => list.style.display !== "none";
    heading.tabIndex = 0;
    heading.setAttribute("role", "button");
    const tell = () => heading.setAttribute("aria-expanded", String(shown()));
    new MutationObserver(tell).observe(list, { attributes: true, attributeFilter: ["style"] });
    heading.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      heading.click();
    });
    heading.addEventListener("click", () => { // heard before the list moves
      const open = new Set(read());
      shown() ? open.delete(name) : open.add(name);
      window.localStorage.setItem(kept, JSON.stringify([...open]));
    });
    tell();
    if (!shown() && read().includes(name)) heading.click();
  });
});

// On a narrow screen a row of a table with many columns stands as a block: each cell says which column it is of.
const named = (head) => [...head.childNodes].map((part) => part.textContent.trim()).filter(Boolean).join(", ");
const stackTables = (root) => {
  root.querySelectorAll("table.mops-table:not(.mops-table-cards)").forEach((table) => {
    const heads = [...((table.tHead && table.tHead.rows[0] && table.tHead.rows[0].cells) || [])];
    if (heads.length < 4) return;
    table.classList.add("mops-table-stack");
    table.querySelectorAll("tbody tr, tfoot tr").forEach((row) => {
      if (row.cells.length !== heads.length) return;
      [...row.cells].forEach((cell, place) => {
        if (place && cell.tagName === "TD" && !cell.dataset.label) cell.dataset.label = named(heads[place]);
      });
    });
  });
};
document.addEventListener("DOMContentLoaded", () => stackTables(document));

// Folded boxes are fetched when they are opened; where that fails they keep their link. Those left open are open again
// when the page is: who settles one line after the other comes back to the list.
document.addEventListener("DOMContentLoaded", () => {
  const kept = `mops-boxes-open ${window.location.pathname}`;
  const boxes = [...document.querySelectorAll("details.mops-folded")];
  const read = () => JSON.parse(window.sessionStorage.getItem(kept) || "[]");
  const fetchBox = async (box) => {
    const body = box.querySelector(".mops-folded-body");
    const url = box.dataset.later;
    if (!url) return;
    const failed = Object.assign(document.createElement("p"), { className: "mops-note", role: "alert" });
    failed.textContent = "This could not be fetched. Close and open the box to try again, or follow its link.";
    body.querySelector(":scope > [role=alert]")?.remove();
    delete box.dataset.later;
    body.setAttribute("aria-busy", "true");
    const answer = await fetch(url, { headers: { "X-Requested-With": "fetch" } }).catch(() => null);
    body.removeAttribute("aria-busy");
    if (answer === null || !answer.ok || answer.redirected) {
      box.dataset.later = url;
      body.prepend(failed);
      return;
    }
    body.innerHTML = await answer.text(); // drawn by the server
    stackTables(body);
  };
  boxes.forEach((box) => box.addEventListener("toggle", () => {
    window.sessionStorage.setItem(kept, JSON.stringify(boxes.filter((each) => each.open).map((each) => each.id)));
    if (box.open) fetchBox(box);
  }));
  const open = () => {
    const named = window.location.hash && document.getElementById(window.location.hash.slice(1));
    if (named && boxes.includes(named)) { named.open = true; named.scrollIntoView(); }
  };
  if (boxes.length) read().forEach((id) => { const box = document.getElementById(id); if (box) box.open = true; });
  window.addEventListener("hashchange", open);
  open();
});

// Where rows stand as cards, names of columns begin with a capital letter, as they do above a table.
document.addEventListener("DOMContentLoaded", () => {
  document.querySelectorAll("[data-label]").forEach((cell) => {
    const label = cell.dataset.label;
    cell.dataset.label = label.charAt(0).toUpperCase() + label.slice(1);
  });
});
