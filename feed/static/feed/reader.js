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
