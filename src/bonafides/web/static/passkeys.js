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

async function signed(options, suggested = {}) {
  const credential = await navigator.credentials.get({
    ...suggested,
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

// Where anybody may sign in, the browser offers passkeys among its suggestions at the field for the address: until a button
// is pressed, or what is to be signed serves no more.
async function suggest(form, options, suggested) {
  const able = await window.PublicKeyCredential.isConditionalMediationAvailable?.();
  if (!able || options.rp || options.allowCredentials.length) return;
  const ended = setTimeout(() => suggested.abort(), options.timeout);
  try {
    const credential = await signed(options, { mediation: "conditional", signal: suggested.signal });
    send(form, credential);
  } catch {
    // Nobody has asked for anything, so there is nothing to tell.
  } finally {
    clearTimeout(ended);
  }
}

function send(form, credential) {
  form.elements.credential.value = JSON.stringify(credential);
  form.requestSubmit(form.querySelector("button"));
}

for (const form of document.querySelectorAll("form[data-passkey]")) {
  if (!window.PublicKeyCredential) continue;
  const options = JSON.parse(form.dataset.passkey);
  const trouble = form.querySelector("[role=alert]");
  const button = form.querySelector("button");
  const suggested = new AbortController();
  form.hidden = false;
  suggest(form, options, suggested);
  button.addEventListener("click", async (event) => {
    if (form.elements.credential.value) return;
    event.preventDefault();
    if (!form.reportValidity()) return;
    trouble.hidden = true;
    button.disabled = true;
    suggested.abort();
    try {
      const credential = await (options.rp ? made(options) : signed(options));
      button.disabled = false;
      send(form, credential);
    } catch (error) {
      button.disabled = false;
      trouble.textContent = words(error, form);
      trouble.hidden = false;
    }
  });
}
