// The page is whole without this script. What it adds: sending, pressing, and entries that arrive while one looks.
// Entries arrive as HTML that the server rendered and escaped; nothing here builds markup from text.

const { path, subject, token, offline, copied } = document.body.dataset;
const find = (selector, within = document) => within.querySelector(selector);
const dialogue = find("#dialogue");
const overview = find("#overview");
const composer = find("[data-composer]");
const said = find("#said");
let revision = Number(document.body.dataset.revision);
let oldest = Number(document.body.dataset.oldest); // place of the first entry shown, 0 when there are no older ones
let waiting = false; // for the answer to what the person did last: it is scrolled to wherever they are
let looked = Date.now(); // when the overview was made
let stream = null;

// --- talking to the server -------------------------------------------------------------------------------------------

// Whether it was taken. If not, the person has been told why.
async function post(what, body) {
  const headers = { "Content-Type": "application/json", "X-Session-Token": token };
  const answer = await fetch(`${path}/${what}`, { method: "POST", headers, body: JSON.stringify(body) }).catch(() => null);
  if (answer?.status === 401) location.reload(); // the sign-on form is there
  const refusal = answer?.ok ? {} : await answer?.json().catch(() => null);
  tell(answer?.ok ? "" : (refusal?.error ?? offline));
  return Boolean(answer?.ok);
}

function tell(problem) {
  find("[data-problem]").textContent = problem;
}

// crypto.randomUUID would need HTTPS; a trial on a local network has none.
function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const digits = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

// --- entries ---------------------------------------------------------------------------------------------------------

function element(html) {
  const template = document.createElement("template");
  template.innerHTML = html.trim();
  return prepare(template.content.firstElementChild);
}

function prepare(entry) {
  for (const copy of entry.querySelectorAll("[data-copy]")) copy.hidden = !navigator.clipboard; // HTTPS only
  for (const log of entry.querySelectorAll(".log")) log.addEventListener("toggle", () => showMarked(log));
  return entry;
}

function showMarked(log) {
  const lines = find(".lines", log);
  const marked = find("mark", lines);
  if (log.open && marked) lines.scrollTop = Math.max(0, marked.offsetTop - lines.clientHeight / 3);
}

function place({ reference, seq, kind, html }) {
  const entry = element(html);
  const before = known(reference);
  if (kind === "overview") showOverview(entry);
  else if (before) replace(before, entry);
  else insert(entry, seq);
  if (kind === "card") wait(false);
}

const known = (reference) => find(`[data-reference="${CSS.escape(reference)}"]`);

function showOverview(entry) {
  const focused = overview.contains(document.activeElement);
  overview.replaceChildren(entry);
  overview.setAttribute("aria-busy", "false");
  looked = Date.now();
  if (focused) find(".refresh", overview).focus();
}

// A card replaced under someone's fingers keeps its open logs, and gives the focus to the same button or to its title.
function replace(before, entry) {
  const focused = before.contains(document.activeElement) ? document.activeElement.dataset.button ?? "" : null;
  const open = [...before.querySelectorAll("details")].map((part) => part.open);
  const follow = waiting || nearEnd();
  before.replaceWith(entry);
  if (open.length) [...entry.querySelectorAll("details")].forEach((part, at) => (part.open ||= open[at] ?? false));
  entry.querySelectorAll(".log[open]").forEach(showMarked);
  if (focused !== null) (find(`[data-button="${focused}"]`, entry) ?? find("h2", entry))?.focus({ preventScroll: true });
  if (follow) reveal(entry);
}

function insert(entry, seq) {
  if (seq < oldest) return; // "older messages" brings it
  const next = [...dialogue.children].find((other) => Number(other.dataset.seq) > seq);
  const follow = waiting || nearEnd();
  dialogue.insertBefore(entry, next ?? null);
  find("[data-empty]")?.remove();
  entry.querySelectorAll(".log[open]").forEach(showMarked);
  if (follow) reveal(entry);
}

// To its beginning if it is longer than the screen, else wholly into view.
function reveal(entry) {
  const room = innerHeight - find(".top").offsetHeight - find(".composer").offsetHeight;
  entry.scrollIntoView({ block: entry.offsetHeight > room ? "start" : "nearest" });
}

const nearEnd = () => innerHeight + scrollY > document.documentElement.scrollHeight - 160;
const scrollToEnd = () => scrollTo({ top: document.documentElement.scrollHeight });

function wait(forAnswer) {
  waiting = forAnswer;
  find("[data-pending]").hidden = !forAnswer;
}

// --- what arrives ----------------------------------------------------------------------------------------------------

// A hidden tab holds no connection: browsers allow six per site, and phones sleep.
function listen() {
  stream?.close();
  stream = null;
  if (document.hidden) return;
  stream = new EventSource(`${path}/stream?after=${revision}`);
  stream.onmessage = (event) => {
    revision = Number(event.lastEventId);
    place(JSON.parse(event.data));
  };
  stream.onerror = () => {
    if (stream?.readyState === EventSource.CLOSED) setTimeout(listen, 5000); // refused, not merely interrupted
  };
}

// --- what the person does --------------------------------------------------------------------------------------------

async function say(text) {
  if (!text.trim()) return;
  const bubble = optimistic(text);
  said.value = "";
  grow();
  wait(true);
  if (await post("messages", { id: bubble.dataset.id, text })) return;
  wait(false);
  bubble.remove();
  said.value ||= text;
  grow();
}

// Shown at once; the server's own entry takes its place, known by the id we made.
function optimistic(text) {
  const bubble = document.createElement("article");
  const id = newId();
  bubble.className = "said sending";
  bubble.dataset.id = id;
  bubble.dataset.reference = `${subject}/${id}`;
  bubble.append(Object.assign(document.createElement("p"), { textContent: text }));
  dialogue.append(bubble);
  find("[data-empty]")?.remove();
  scrollToEnd();
  return bubble;
}

async function press(button) {
  const card = button.closest("[data-reference]");
  if (button.getAttribute("aria-disabled") === "true") return;
  const form = button.closest("[data-form]");
  const values = form ? Object.fromEntries(new FormData(form)) : {};
  button.setAttribute("aria-disabled", "true");
  wait(true);
  const { reference } = card.dataset;
  if (!(await post("clicks", { id: newId(), reference, button: Number(button.dataset.button), form: values }))) wait(false);
  button.removeAttribute("aria-disabled");
}

async function refresh() {
  overview.setAttribute("aria-busy", "true");
  if (!(await post("overview", {}))) overview.setAttribute("aria-busy", "false");
}

async function showOlder(button) {
  const answer = await fetch(`${path}/older?before=${oldest}`).catch(() => null);
  if (!answer?.ok) return tell(offline);
  const { entries, more } = await answer.json();
  const below = document.documentElement.scrollHeight - scrollY;
  dialogue.prepend(...entries.map(element));
  oldest = more ? Number(dialogue.firstElementChild.dataset.seq) : 0;
  scrollTo({ top: document.documentElement.scrollHeight - below });
  button.hidden = !more;
}

async function copyLog(button) {
  const lines = [...button.closest(".log").querySelectorAll("code")].map((line) => line.textContent);
  await navigator.clipboard.writeText(lines.join("\n"));
  find("[data-status]").textContent = button.textContent = copied;
}

function grow() {
  said.style.height = "auto"; // CSP allows what a script sets through the object model
  said.style.height = `${said.scrollHeight}px`;
}

const actions = {
  "[data-button]": press,
  "[data-say]": (chip) => say(chip.textContent),
  "[data-refresh]": refresh,
  "[data-older]": showOlder,
  "[data-copy]": copyLog,
  "[data-sign-out]": async () => (await post("sign-out", {})) && location.assign(path),
};

document.addEventListener("click", (event) => {
  if (event.target.closest("[type=submit]")) return; // its form says when
  for (const [selector, act] of Object.entries(actions)) {
    const target = event.target.closest(selector);
    if (target) return act(target);
  }
  if (!event.target.closest(".menu")) find(".menu").open = false;
});

document.addEventListener("submit", (event) => {
  event.preventDefault();
  if (event.target === composer) say(said.value);
  else press(find("[type=submit]", event.target));
});

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && find(".menu").open) {
    find(".menu").open = false;
    find(".menu summary").focus();
  }
  // Enter sends where there is a real keyboard; while an input method composes, Enter only chooses a word.
  const sends = event.key === "Enter" && !event.shiftKey && !event.isComposing && matchMedia("(pointer: fine)").matches;
  if (sends && event.target === said) {
    event.preventDefault();
    say(said.value);
  }
});

said.addEventListener("input", grow);
document.addEventListener("visibilitychange", () => {
  listen();
  if (!document.hidden && Date.now() - looked > 60_000) refresh(); // someone comes back to the page
});

document.querySelectorAll("article").forEach(prepare);
document.querySelectorAll(".log[open]").forEach(showMarked);
find("[data-older]").hidden = !oldest;
listen();
if (document.body.dataset.fresh === "false") refresh();
if (document.body.dataset.place) {
  history.replaceState(null, "", path); // asked once, not again whenever the page is loaded
  say(`/status ${document.body.dataset.place}`);
}
