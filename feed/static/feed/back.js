"use strict";
// Going back asks the server for the page anew, so that what is shown is right. This is what the server cannot know:
// where in an endless page one was, and that a form which the browser fills in again is the form that was sent.
const isNew = performance.getEntriesByType("navigation")[0]?.type === "navigate";
const left = (!isNew && history.state) || {};
const note = (what) => history.replaceState({ ...history.state, ...what }, "");

// A form of before keeps its token: sent again, it has no second effect.
const token = (form) => form.elements.once || form.elements.token;
const forms = () => [...document.forms].filter(token);
for (const form of forms()) {
  const kept = left.tokens?.[form.getAttribute("action")];
  if (kept) token(form).value = kept;
}
const noteTokens = () => {
  if (forms().length) note({ tokens: Object.fromEntries(forms().map((form) => [form.getAttribute("action"), token(form).value])) });
};
noteTokens();
addEventListener("htmx:load", noteTokens);

// The uppermost post on the screen, and how far down it is; its page is fetched again when it is further down.
const MOST_PAGES = 40;
const notePlace = () => {
  const first = [...document.querySelectorAll(".post")].find((post) => post.getBoundingClientRect().bottom > 0);
  if (first) note({ post: first.id, top: first.getBoundingClientRect().top });
};
const returnTo = async ({ post, top }) => {
  const way = () => document.getElementById(post)?.getBoundingClientRect().top - top;
  // Not only there, but with a screen below it: a page does not scroll beyond its end.
  const isReached = () => way() + innerHeight <= document.documentElement.getBoundingClientRect().bottom;
  for (let pages = 0; pages < MOST_PAGES && !isReached(); pages += 1) {
    const more = document.querySelector(".stream .more");
    if (!more) break;
    const arrived = new Promise((done) => { addEventListener("htmx:afterSettle", done, { once: true }); });
    htmx.trigger(more, "revealed");
    await arrived;
  }
  scrollBy({ top: way() || 0, behavior: "instant" });
};
// What was written meanwhile stands above: the browser's own way back, by pixels, would end elsewhere.
if (document.querySelector(".stream")) history.scrollRestoration = "manual";
// Not before htmx listens.
if (left.post) addEventListener("DOMContentLoaded", () => returnTo(left));
addEventListener("scrollend", notePlace);
// A link is followed before the scrolling ends, or without any.
addEventListener("click", notePlace, { capture: true });
// A browser may keep the page as it was, script and all: it is asked for anew unless something is typed in it.
addEventListener("pageshow", ({ persisted }) => {
  const fields = [...document.querySelectorAll("input, textarea")];
  if (persisted && document.body.dataset.live && fields.every((field) => field.value === field.defaultValue)) location.reload();
});
