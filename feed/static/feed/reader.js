"use strict";
// Says so when something that needed no reload did not arrive; nothing else needs a script of our own.
const say = (text) => {
  const toast = document.getElementById("toast");
  toast.textContent = text;
  toast.hidden = false;
  clearTimeout(say.timer);
  say.timer = setTimeout(() => { toast.hidden = true; }, 8000);
};
const reasons = {
  403: "That was not accepted. Reload the page and try again.",
  404: "It is no longer there.",
  429: "That was a lot at once. Wait a minute, then try again.",
};
addEventListener("htmx:sendError", () => say("The server cannot be reached. Nothing was changed."));
addEventListener("htmx:responseError", (event) => {
  say(reasons[event.detail.xhr.status] || "That did not work. Reload the page and try again.");
});

// Remembers that everything down from the newest post is read, when the reader has come to where they left off.
const readTo = document.getElementById("read-to");
if (readTo) {
  const watch = new IntersectionObserver((seen) => {
    if (!seen.some((entry) => entry.isIntersecting)) return;
    watch.disconnect();
    fetch(readTo.action, { method: "POST", body: new FormData(readTo), headers: { "HX-Request": "true" } });
  });
  const look = () => { const place = document.querySelector(readTo.dataset.watch); if (place) watch.observe(place); };
  look();
  addEventListener("htmx:load", look);
}

// What happens meanwhile: counts in the navigation, and a bar over the home timeline. The server says when to ask again.
const { live } = document.body.dataset;
if (live) {
  let source, fresh = 0, last = sessionStorage.getItem("last-event") || "";
  const bar = document.getElementById("fresh");
  const newest = document.querySelector(".post time")?.dateTime || "";
  const heard = (name, then) => source.addEventListener(name, (event) => {
    sessionStorage.setItem("last-event", last = event.lastEventId);
    then(JSON.parse(event.data));
  });
  const show = ([kind, number]) => {
    for (const count of document.querySelectorAll(`[data-count=${kind}]`)) {
      count.hidden = !number;
      count.firstChild.textContent = number > 99 ? "99+" : number;
    }
  };
  const listen = () => {
    source = new EventSource(last ? `${live}?after=${encodeURIComponent(last)}` : live);
    heard("counts", (counts) => {
      Object.entries(counts).forEach(show);
      const now = JSON.stringify(counts), before = sessionStorage.getItem("counts");
      sessionStorage.setItem("counts", now);
      if (before !== now) htmx.trigger(document.body, "news");
    });
    heard("notification", () => {});
    heard("post", (post) => {
      if (!bar || post.published_at <= newest) return;
      fresh += 1;
      bar.textContent = fresh === 1 ? "1 new post" : `${fresh} new posts`;
      bar.hidden = false;
    });
  };
  const turn = () => { source?.close(); if (!document.hidden) listen(); };
  document.addEventListener("visibilitychange", turn);
  addEventListener("pagehide", () => source?.close());
  turn();
}
