// Asks the browser for a passkey where a form says so, and sends what it gives. Without this file, such forms stay hidden.
"use strict";

const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
const text = (buffer) =>
  btoa(Array.from(new Uint8Array(buffer), (byte) => String.fromCharCode(byte)).join(""))
    .replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
const named = (list) => list.map((each) => ({ ...each, id: bytes(each.id) }));

// Browsers from 2025 on read and write this JSON themselves; the others are served too.
async function made(options) {
  const credential = await navigator.credentials.create({
    publicKey: {
      ...options,
      challenge: bytes(options.challenge),
      user: { ...options.user, id: bytes(options.user.id) },
      excludeCredentials: named(options.excludeCredentials),
    },
  });
  const response = credential.response;
  return told(credential, {
    attestationObject: text(response.attestationObject),
    transports: response.getTransports ? response.getTransports() : [],
  });
}

async function signed(options) {
  const credential = await navigator.credentials.get({
    publicKey: {
      ...options,
      challenge: bytes(options.challenge),
      allowCredentials: named(options.allowCredentials),
    },
  });
  const response = credential.response;
  return told(credential, {
    authenticatorData: text(response.authenticatorData),
    signature: text(response.signature),
    userHandle: response.userHandle && response.userHandle.byteLength ? text(response.userHandle) : null,
  });
}

function told(credential, response) {
  const clientDataJSON = text(credential.response.clientDataJSON);
  return { id: credential.id, rawId: text(credential.rawId), type: credential.type, response: { clientDataJSON, ...response } };
}

function words(error, form) {
  if (error.name === "InvalidStateError") return "This device has a passkey for your account already.";
  if (error.name === "SecurityError") return `Passkeys work at ${form.dataset.origin} alone: open this page there.`;
  return "No passkey was used. Try again, or choose another way.";
}

for (const form of document.querySelectorAll("form[data-passkey]")) {
  if (!window.PublicKeyCredential) continue;
  const options = JSON.parse(form.dataset.passkey);
  const trouble = form.querySelector("[role=alert]");
  const button = form.querySelector("button");
  form.hidden = false;
  button.addEventListener("click", async (event) => {
    if (form.elements.credential.value) return;
    event.preventDefault();
    if (!form.reportValidity()) return;
    trouble.hidden = true;
    button.disabled = true;
    try {
      const credential = await (options.rp ? made(options) : signed(options));
      form.elements.credential.value = JSON.stringify(credential);
      button.disabled = false;
      form.requestSubmit(button);
    } catch (error) {
      button.disabled = false;
      trouble.textContent = words(error, form);
      trouble.hidden = false;
    }
  });
}
