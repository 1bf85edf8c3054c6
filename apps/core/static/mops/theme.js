// Chosen before the page is drawn: the theme of the back office, also outside of it.
"use strict";
(() => {
  let chosen = "auto";
  try { chosen = JSON.parse(window.localStorage.getItem("adminTheme")) || "auto"; } catch { chosen = "auto"; }
  const dark = chosen === "dark" || (chosen === "auto" && window.matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.classList.toggle("dark", dark);
})();
