// Shows what a text will be while it is written, and brings the thread up to date. The page works without this file.
"use strict";

const form = document.getElementById("write");
const thread = document.getElementById("thread");
document.body.classList.add("scripted");

function choose() {
  for (const part of form.querySelectorAll(".for")) part.classList.toggle("now", part.classList.contains(form.elements.form.value));
}

let asked = 0;
async function check() {
  const mine = ++asked;
  const answer = await fetch(form.dataset.check, { method: "POST", headers: { Accept: "text/fragment" }, body: new URLSearchParams(new FormData(form)) });
  const words = await answer.text();
  if (mine !== asked || !answer.ok) return;
  document.getElementById("forecast").innerHTML = words;
  if (words.includes("A reason below")) form.querySelector("details").open = true;
}

let waiting;
function soon() {
  clearTimeout(waiting);
  waiting = setTimeout(() => check().catch(() => {}), 300);
}

let shown = "";
async function refresh() {
  const answer = await fetch(thread.dataset.from);
  if (!answer.ok) return;
  const words = await answer.text();
  if (words === shown) return;
  const atEnd = thread.scrollHeight - thread.scrollTop - thread.clientHeight < 80;
  thread.innerHTML = shown = words;
  if (atEnd) thread.scrollTop = thread.scrollHeight;
}

async function watch() {
  try {
    if (!document.hidden) await refresh();
  } catch { /* the next look may find it again */ }
  setTimeout(watch, 2000);
}

if (form) {
  choose();
  for (const event of ["input", "change"]) form.addEventListener(event, () => { choose(); soon(); });
  form.addEventListener("submit", () => { try { localStorage.setItem("author", form.elements.author.value); } catch { /* not kept */ } });
  try { form.elements.author.value ||= localStorage.getItem("author") || ""; } catch { /* not kept */ }
}
if (thread) {
  thread.scrollTop = thread.scrollHeight;
  watch();
}
