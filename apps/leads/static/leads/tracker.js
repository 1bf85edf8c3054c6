/* Visits of your own website. Nothing is kept, and no number is made, before mopsVisits.agree("the wording you showed").
   <script src="https://mops.example.com/static/leads/tracker.js" data-to="https://mops.example.com/visits/website/" defer></script> */
(() => {
  const me = document.currentScript;
  const to = me && me.dataset.to;
  const NAME = "mops-visitor";
  const forbidden = () => navigator.globalPrivacyControl === true || navigator.doNotTrack === "1";
  const read = () => { try { return localStorage.getItem(NAME); } catch { return null; } };
  const number = () => { const own = read() || crypto.randomUUID(); localStorage.setItem(NAME, own); return own; };
  const utm = () => {
    const found = {};
    for (const [name, value] of new URLSearchParams(location.search)) {
      if (name.startsWith("utm_")) found[name.slice(4)] = value;
    }
    return found;
  };
  const here = () => location.origin + location.pathname;
  const event = (type, page) => ({ id: crypto.randomUUID(), type, at: new Date().toISOString(), page, address: here(), utm: utm() });
  const send = (visitor, body) => {
    if (to && !forbidden()) {
      fetch(to, { method: "POST", keepalive: true, body: JSON.stringify({ visitor, ...body }) }).catch(() => undefined);
    }
  };
  window.mopsVisits = {
    visitor: read,
    agree(wording) { send(number(), { consent: { given: true, wording }, events: [event("visit", location.pathname)] }); },
    refuse(wording) {
      if (read()) send(read(), { consent: { given: false, wording } });
      localStorage.removeItem(NAME);
    },
    download(what) { if (read()) send(read(), { events: [event("download", what)] }); },
  };
  if (read()) send(read(), { events: [event("visit", location.pathname)] });
})();
