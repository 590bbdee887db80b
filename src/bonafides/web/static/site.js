// Comfort alone: every page works without this file.
"use strict";

for (const code of document.querySelectorAll("[data-copy]")) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "copy";
  button.textContent = "Copy";
  button.setAttribute("aria-label", `Copy ${code.dataset.copy}`);
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(code.textContent);
      button.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(code);
      button.textContent = "Selected";
    }
    setTimeout(() => { button.textContent = "Copy"; }, 2000);
  });
  code.after(button);
}

// A list that is already there is narrowed while one types.
for (const input of document.querySelectorAll("[data-narrows]")) {
  input.closest(".narrows").hidden = false;
  const rows = document.querySelectorAll(`${input.dataset.narrows} > tbody > tr`);
  input.addEventListener("input", () => {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const row of rows) {
      const text = row.textContent.toLowerCase();
      row.hidden = !words.every((word) => text.includes(word));
    }
  });
}

// The documentation is searched while one types; without this, the same field asks the server.
for (const input of document.querySelectorAll("[data-searches]")) {
  const list = document.querySelector("#found");
  let entries;
  input.addEventListener("input", async () => {
    entries ??= fetch(input.dataset.searches).then((answer) => (answer.ok ? answer.json() : []));
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    const holds = (text) => words.every((word) => text.toLowerCase().includes(word));
    const all = words.length ? await entries : [];
    const found = all.filter((entry) => holds(entry.title));
    found.push(...all.filter((entry) => !found.includes(entry) && holds(`${entry.title} ${entry.text}`)));
    list.replaceChildren(...found.slice(0, 8).map((entry) => {
      const link = document.createElement("a");
      link.href = entry.path;
      link.textContent = entry.title;
      const row = document.createElement("li");
      row.append(link);
      return row;
    }));
    list.hidden = !found.length;
  });
}

// A field that only matters with one choice of another is shown with that choice.
for (const field of document.querySelectorAll("[data-with]")) {
  const [id, value] = field.dataset.with.split("=");
  const choice = document.getElementById(id);
  const show = () => { field.hidden = choice.value !== value; };
  choice.addEventListener("change", show);
  show();
}

// Figures that move are asked for anew while somebody looks at them.
const live = [...document.querySelectorAll("[data-live]")];
const LIVE_EVERY_MS = 15_000;
const LIVE_ROUNDS_MAX = 240;
let round = 0;

const sinceWords = (text) => {
  if (!text) return "never";
  const seconds = (Date.now() - new Date(text)) / 1000;
  for (const [length, name] of [[86400, "day"], [3600, "hour"], [60, "minute"]]) {
    const count = Math.floor(seconds / length);
    if (count > 0) return `${count.toLocaleString("en")} ${name}${count > 1 ? "s" : ""} ago`;
  }
  return "just now";
};
const liveWords = {
  number: (value) => value.toLocaleString("en"),
  sum: (value) => Object.values(value).reduce((all, one) => all + one, 0).toLocaleString("en"),
  since: sinceWords,
  networks: (uses) => uses.slice(0, 5).map((use) => (
    `${use.network ?? "other networks"} (${sinceWords(use.last_used_at)})`
  )).join(", ") || "no known network",
};

async function lookAgain() {
  if (document.hidden) return;
  round += 1;
  for (const path of new Set(live.map((figure) => figure.dataset.live))) {
    const answer = await fetch(path, { headers: { Accept: "application/json" } }).catch(() => null);
    // Signed out, or asked too often: what is there stays, and a reload says why.
    if (!answer?.ok || round >= LIVE_ROUNDS_MAX) return clearInterval(looking);
    const told = await answer.json();
    for (const figure of live.filter((each) => each.dataset.live === path)) {
      const value = figure.dataset.field.split(".").reduce((part, name) => part?.[name], told);
      if (value !== undefined) figure.textContent = liveWords[figure.dataset.kind](value);
    }
  }
}
const looking = live.length ? setInterval(lookAgain, LIVE_EVERY_MS) : undefined;

// One answer to one press of a button, however often it is pressed.
for (const form of document.querySelectorAll("form[method=post]")) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    form.dataset.sent = "yes";
    setTimeout(() => { delete form.dataset.sent; }, 4000);
  });
}

// A code that came in a link's fragment, which is never sent to a server, goes into the form and out of the address.
const code = document.querySelector("#field-token");
if (code && location.hash.startsWith("#bf_")) {
  code.value = location.hash.slice(1);
  history.replaceState(null, "", location.pathname);
}

// A page that only leads on, to where no address can carry what it brings.
document.querySelector("form[data-submits]")?.submit();
