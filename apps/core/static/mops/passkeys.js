// What the browser refuses about a passkey, in words, beside the button that was pressed.
"use strict";
document.addEventListener("allauth.error", (event) => {
  const error = event.detail.exception || {};
  const words = {
    NotAllowedError: "The passkey dialog was closed, or took too long. Try again, or use another way.",
    InvalidStateError: "This device is registered already.",
    SecurityError: "Passkeys work on a host name over https (or on localhost), not on this address.",
    NotSupportedError: "This browser or device has no passkeys. Use an authenticator app instead.",
    TypeError: "This browser or address has no passkeys: they need https (or localhost).",
  };
  const box = document.querySelector("#passkey_problem, [data-passkey-problem]");
  if (!box) return;
  event.preventDefault();
  box.textContent = words[error.name] || "The passkey did not work. Try again, or use another way.";
  box.hidden = false;
});
