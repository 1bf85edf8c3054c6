// While a ticket is typed: articles that may help, asked for once the fingers rest.
(() => {
  const place = document.querySelector("[data-tickets-suggest]");
  if (!place) return;
  const fields = ["title", "body"].map((name) => document.querySelector(`[name=${name}]`)).filter(Boolean);
  let timer = 0, last = "", asked = null;
  const ask = async () => {
    const words = fields.map((field) => field.value).join(" ").trim().slice(0, 1000);
    if (words === last) return;
    last = words;
    asked?.abort();
    asked = new AbortController();
    const address = new URL(place.dataset.ticketsSuggest, window.location.origin);
    address.searchParams.set("q", words);
    address.searchParams.set("type", place.dataset.type || "");
    try {
      const answer = await fetch(address, { signal: asked.signal, credentials: "same-origin" });
      if (answer.ok) place.innerHTML = await answer.text();
    } catch (error) {
      if (error.name !== "AbortError") last = "";
    }
  };
  const rest = () => { clearTimeout(timer); timer = setTimeout(ask, 400); };
  fields.forEach((field) => field.addEventListener("input", rest));
  ask();
})();
