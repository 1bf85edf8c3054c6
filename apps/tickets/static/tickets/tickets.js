// The reply box: a template fills it, its guidelines stand below, Ctrl+Enter sends the answer.
(() => {
  const form = document.querySelector("[data-tickets-reply]");
  if (!form) return;
  const body = form.querySelector("textarea"), choice = form.querySelector("select[name=template]");
  const guidelines = form.querySelector("#tickets-guidelines");
  let filled = "";
  choice?.addEventListener("change", () => {
    const { text = "", guidelines: words = "" } = choice.selectedOptions[0].dataset;
    const own = body.value === filled ? "" : body.value.trimEnd();
    body.value = own && text ? `${own}\n\n${text}` : own || text;
    filled = own ? filled : text;
    guidelines.textContent = words;
    body.focus();
  });
  body.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      form.requestSubmit(form.querySelector("button[name=then][value='']"));
    }
  });
})();
