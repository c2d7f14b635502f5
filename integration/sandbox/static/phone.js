// Keeps the phone page up to date and sends answers without leaving it. The page works without this file.
"use strict";

const thread = document.getElementById("thread");
const notice = document.getElementById("notice");
const standing = notice.hidden ? "" : notice.textContent;
let version = document.body.dataset.version;

document.body.classList.add("scripted");

function say(words) {
  notice.textContent = words || standing;
  notice.hidden = !notice.textContent;
}

// Bring a list to what the server says, touching only the items that changed.
function bring(list, html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  const wanted = [...template.content.children];
  const kept = new Set(wanted.map((item) => item.id));
  for (const item of [...list.children]) if (!kept.has(item.id)) item.remove();
  wanted.forEach((item, place) => {
    const present = document.getElementById(item.id);
    const focused = present && present.contains(document.activeElement);
    if (!present) {
      list.insertBefore(item, list.children[place] || null);
    } else {
      if (list.children[place] !== present) list.insertBefore(present, list.children[place]);
      if (present.outerHTML !== item.outerHTML) present.replaceWith(item);
      if (focused) (item.isConnected ? item : present).querySelector("a")?.focus();
    }
  });
}

async function refresh() {
  const asked = new URLSearchParams({ number: document.body.dataset.number, after: version });
  const answer = await fetch(`${document.body.dataset.state}?${asked}`);
  if (!answer.ok) throw new Error(String(answer.status));
  const state = await answer.json();
  version = String(state.version);
  if (state.thread === undefined) return;
  if (!thread && state.handsets.includes("<li")) return location.reload();
  bring(document.getElementById("handsets"), state.handsets);
  document.getElementById("totals").innerHTML = state.totals;
  if (!thread) return;
  const atEnd = thread.scrollHeight - thread.scrollTop - thread.clientHeight < 80;
  bring(thread, state.thread);
  if (atEnd) thread.scrollTop = thread.scrollHeight;
}

async function watch() {
  try {
    if (!document.hidden) await refresh();
    say("");
  } catch {
    say("The sandbox does not answer. It may have been stopped.");
  }
  setTimeout(watch, 1000);
}

async function send(form, fields) {
  const answer = await fetch(form.action, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(fields),
  });
  const words = answer.ok ? "" : (await answer.json()).error;
  await refresh();
  say(words);
  if (thread) thread.scrollTop = thread.scrollHeight;
}

for (const form of document.querySelectorAll(".quick, .write")) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const fields = Object.fromEntries(new FormData(form, event.submitter));
    if (!fields.body && !fields.media) return form.querySelector("input[type=text]")?.focus();
    send(form, fields).then(() => form.reset());
  });
}

document.getElementById("play")?.addEventListener("change", (event) => {
  const form = event.currentTarget;
  send(form, Object.fromEntries(new FormData(form)));
});

document.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest", inline: "nearest" });
if (thread) thread.scrollTop = thread.scrollHeight;
watch();
