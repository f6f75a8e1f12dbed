// Pages are whole without this script, but changes need it: it sends forms with the session's token, asks before what
// cannot be taken back, and puts a form that came back in place of the one that was sent.

const { token, offline } = document.body.dataset;
const find = (selector, within = document) => within.querySelector(selector);
const problem = find("[data-problem]");
const dialog = find("[data-confirm-dialog]");

function confirmed(question) {
  find("#confirm-text").textContent = question;
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((decide) => dialog.addEventListener("close", () => decide(dialog.returnValue === "yes"), { once: true }));
}

async function send(form, button) {
  const address = button?.getAttribute("formaction") ?? form.getAttribute("action");
  const body = new URLSearchParams(new FormData(form, button));
  const answer = await fetch(address, { method: "POST", headers: { "X-Session-Token": token }, body }).catch(() => null);
  if (answer?.status === 401) return location.reload(); // which leads to the sign-on form and back
  if (answer?.headers.get("Content-Type")?.startsWith("text/html")) return replace(form, await answer.text(), button);
  const told = await answer?.json().catch(() => null);
  if (answer?.ok) return told?.go ? location.assign(told.go) : location.reload();
  problem.textContent = told?.error ?? offline;
  problem.scrollIntoView({ block: "center" });
}

// Markup the server rendered and escaped. The focus goes to what is wrong, else to the button that was pressed.
function replace(form, html, button) {
  const template = document.createElement("template");
  template.innerHTML = html.trim();
  const shown = template.content.firstElementChild;
  (form.closest("[data-form]") ?? form).replaceWith(shown);
  problem.textContent = "";
  const places = ["[data-focus]", "[aria-invalid]", `button[value="${CSS.escape(button?.value || "none")}"]`, "[tabindex]"];
  const focus = shown.matches("[data-focus]") ? shown : places.map((place) => find(place, shown)).find(Boolean);
  focus?.focus();
}

document.addEventListener("submit", async (event) => {
  const form = event.target;
  const button = event.submitter;
  if (form.method !== "post") return;
  event.preventDefault();
  if (form.dataset.sending) return; // pressed twice
  if (button?.dataset.confirm && !(await confirmed(button.dataset.confirm))) return;
  form.dataset.sending = "true";
  await send(form, button);
  delete form.dataset.sending;
});

document.addEventListener("change", async ({ target }) => {
  if (target.matches("[data-into]")) find(`#${target.dataset.into}`).value = (await target.files[0]?.text()) ?? "";
  if (target.matches("[data-all]")) for (const box of target.form.elements.ids.length ? target.form.elements.ids : [target.form.elements.ids]) box.checked = target.checked;
});

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-refresh]")) {
    event.preventDefault();
    location.reload();
  }
  if (!event.target.closest(".menu")) find(".menu").open = false;
});

// --- a list in an order: by pointer, or with the arrow keys on a handle ------------------------------------------------

const sortable = find("[data-sortable]");

function moved(entry) {
  const place = [...sortable.children].indexOf(entry) + 1;
  find("[data-status]").textContent = sortable.dataset.moved.replace("#", place);
}

sortable?.addEventListener("keydown", (event) => {
  const entry = event.target.closest("li");
  const other = { ArrowUp: entry.previousElementSibling, ArrowDown: entry.nextElementSibling }[event.key];
  if (!other) return;
  event.preventDefault();
  if (event.key === "ArrowUp") other.before(entry);
  else other.after(entry);
  event.target.focus(); // moving an element takes its focus away
  moved(entry);
});

sortable?.addEventListener("pointerdown", (event) => {
  const handle = event.target.closest(".handle");
  if (!handle) return;
  const entry = handle.closest("li");
  const follow = ({ clientY }) => {
    const after = [...sortable.children].filter((one) => one !== entry).find((one) => {
      const { top, height } = one.getBoundingClientRect();
      return clientY < top + height / 2;
    });
    sortable.insertBefore(entry, after ?? null);
  };
  const end = () => {
    removeEventListener("pointermove", follow);
    entry.classList.remove("dragged");
    handle.focus();
    moved(entry);
  };
  event.preventDefault();
  entry.classList.add("dragged");
  addEventListener("pointermove", follow);
  addEventListener("pointerup", end, { once: true });
});
