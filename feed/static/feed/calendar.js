// The calendar's own module: moving by dragging, pages shown as dialogs, previews while typing. Every page works
// without it; it sends the same forms and shows parts of the same pages.
const START_PX = 6;
const PREVIEW_MS = 800;
const dialog = document.getElementById("dialog");
const toast = document.getElementById("toast");

const say = (text) => {
  // Before an open dialog, not behind it, where nothing is seen or heard.
  (dialog?.open ? dialog : document.body).append(toast);
  toast.textContent = text;
  toast.hidden = false;
  clearTimeout(say.timer);
  say.timer = setTimeout(() => { toast.hidden = true; }, 8000);
};

// Ask for a page. What is no page of the studio, such as the log-in, is gone to; a failure is told.
const ask = async (address, options) => {
  try {
    const answer = await fetch(address, options);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (page.getElementById("sheet") || page.getElementById("calendar")) return page;
    if (answer.ok) location.assign(answer.url);
    else say(page.querySelector("main p")?.textContent || "That did not work. Nothing was changed.");
  } catch {
    say("The server cannot be reached. Nothing was changed.");
  }
  return null;
};

// Take over the calendar and what waits beside it, and say what the page says.
const refresh = (page) => {
  for (const id of ["calendar", "waiting"]) document.getElementById(id)?.replaceWith(page.getElementById(id));
  const notices = [...page.querySelectorAll("main > .notice")].map((notice) => notice.textContent);
  if (notices.length) say(notices.join(" "));
};

const show = (page) => {
  const shut = document.createElement("button");
  shut.className = "plain shut";
  shut.textContent = "×";
  shut.setAttribute("aria-label", "Close");
  shut.addEventListener("click", () => dialog.close());
  dialog.replaceChildren(shut, ...page.getElementById("sheet").childNodes);
  if (!dialog.open) dialog.showModal();
};

const take = (page) => {
  if (page.getElementById("calendar")) {
    dialog.close();
    refresh(page);
  } else show(page);
};

if (dialog) {
  document.addEventListener("click", async (event) => {
    const link = event.target.closest("a[data-sheet]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    const page = await ask(link.href);
    if (page) show(page);
  });
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
  dialog.addEventListener("submit", async (event) => {
    event.preventDefault();
    const form = event.target;
    const body = new FormData(form, event.submitter);
    event.submitter?.setAttribute("disabled", "");
    const page = await ask(form.action, { method: "POST", body });
    event.submitter?.removeAttribute("disabled");
    if (page) take(page);
  });
}

// What each network would make of the text, a moment after the last key.
let typing;
document.addEventListener("input", (event) => {
  const form = event.target.closest("form[data-preview]");
  if (!form) return;
  clearTimeout(typing);
  typing = setTimeout(async () => {
    const body = new FormData(form);
    body.set("preview", "yes");
    const page = await ask(form.action, { method: "POST", body }).catch(() => null);
    const preview = page?.getElementById("preview");
    if (preview) form.querySelector("#preview").replaceChildren(...preview.childNodes);
  }, PREVIEW_MS);
});

// Moving: the same form as without a script, sent to where the entry was dropped.
const drag = { entry: null, ghost: null, over: null };

// The click that ends a drag is no click on the entry; the next one is.
const swallow = (event) => { event.preventDefault(); event.stopPropagation(); };

const end = () => {
  drag.ghost?.remove();
  drag.entry?.classList.remove("lifted");
  drag.over?.classList.remove("over");
  if (drag.ghost) {
    addEventListener("click", swallow, { capture: true });
    setTimeout(() => removeEventListener("click", swallow, { capture: true }));
  }
  Object.assign(drag, { entry: null, ghost: null, over: null });
};

const lift = (event) => {
  drag.ghost = drag.entry.cloneNode(true);
  drag.ghost.removeAttribute("id");
  drag.ghost.classList.add("ghost");
  document.body.append(drag.ghost);
  drag.entry.classList.add("lifted");
  drag.entry.setPointerCapture(event.pointerId);
};

const drop = async (entry, cell) => {
  const mover = document.getElementById("mover");
  const body = new FormData(mover);
  body.set("day", cell.dataset.day);
  const minutes = entry.querySelector("time").textContent.slice(3, 5);
  if (cell.dataset.hour) body.set("time", `${cell.dataset.hour}:${minutes}`);
  body.set("expected", entry.dataset.move);
  const page = await ask(`${entry.querySelector("a").href}/move`, { method: "POST", body });
  if (!page) return;
  take(page);
  document.getElementById(entry.id)?.querySelector("a").focus({ preventScroll: true });
};

document.addEventListener("pointerdown", (event) => {
  const entry = event.target.closest(".entry[data-move]");
  if (!entry || event.button || !document.getElementById("mover")) return;
  Object.assign(drag, { entry, x: event.clientX, y: event.clientY });
});
document.addEventListener("pointermove", (event) => {
  if (!drag.entry) return;
  if (!drag.ghost) {
    if (Math.hypot(event.clientX - drag.x, event.clientY - drag.y) < START_PX) return;
    lift(event);
  }
  drag.ghost.style.left = `${event.clientX - 24}px`;
  drag.ghost.style.top = `${event.clientY - 12}px`;
  const cell = document.elementFromPoint(event.clientX, event.clientY)?.closest("td[data-day]");
  if (cell === drag.over) return;
  drag.over?.classList.remove("over");
  cell?.classList.add("over");
  drag.over = cell;
});
document.addEventListener("pointerup", () => {
  const { entry, over, ghost } = drag;
  end();
  if (ghost && over && over !== entry.closest("td")) drop(entry, over);
});
document.addEventListener("pointercancel", end);
document.addEventListener("keydown", (event) => { if (event.key === "Escape") end(); });
document.addEventListener("dragstart", (event) => { if (event.target.closest(".entry")) event.preventDefault(); });

// Who never chose a time zone is offered the browser's.
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
const calendar = document.getElementById("calendar");
if (calendar?.hasAttribute("data-ask") && zone && zone !== calendar.dataset.zone) {
  document.getElementById("time_zone").value = zone;
  document.querySelector(".zone").open = true;
}
