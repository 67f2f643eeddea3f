// What keeps a page true while it is open: times, live parts, and what happens when they fail.
"use strict";

(() => {
  // --- Times: relative ones stay true, absolute ones also say the viewer's own. ---
  const steps = [["d", 86400], ["h", 3600], ["m", 60], ["s", 1]];
  const here = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", timeZoneName: "short" });
  const away = new Date().getTimezoneOffset() !== 0;

  function ago(then) {
    const seconds = (Date.now() - then) / 1000;
    const step = steps.find(([, size]) => Math.abs(seconds) >= size);
    if (!step) return "just now";
    const text = `${Math.floor(Math.abs(seconds) / step[1])}\u202f${step[0]}`;
    return seconds > 0 ? `${text} ago` : `in ${text}`;
  }

  function tellTimes() {
    for (const time of document.querySelectorAll("time[data-moment]")) time.textContent = ago(new Date(time.dateTime));
    if (!away) return;
    for (const time of document.querySelectorAll("time[data-clock]:not([data-local])")) {
      time.dataset.local = here.format(new Date(time.dateTime));
      time.title = `${time.dataset.local} here`;
      time.append(` (${time.dataset.local})`);
    }
  }
  document.addEventListener("DOMContentLoaded", tellTimes);
  document.addEventListener("htmx:afterSettle", tellTimes);
  setInterval(tellTimes, 10000);

  // --- Live parts ask by a timer; not while nobody looks. ---
  document.addEventListener("htmx:beforeRequest", (event) => {
    const polls = event.detail.elt.getAttribute("hx-trigger")?.includes("every");
    if (polls && document.hidden) event.preventDefault();
  });

  // --- A live part that is replaced keeps the focus, what has been written, and what is unfolded. ---
  const name = (element) => element.id || element.getAttribute("href") || element.name || element.textContent.trim();
  const alike = ({ kind, called }) => [...document.querySelectorAll(kind)].filter((other) => name(other) === called);
  const placeOf = (element) => {
    const place = { kind: element.localName, called: name(element) };
    return { ...place, number: alike(place).indexOf(element) };
  };
  const at = (place) => alike(place)[place.number];
  let restore = () => {};

  document.addEventListener("input", (event) => { event.target.dataset.written = ""; });
  document.addEventListener("htmx:beforeSwap", ({ detail: { target, requestConfig } }) => {
    // What has been sent is not written again.
    if (requestConfig.verb !== "get") return;
    const focused = target.contains(document.activeElement) && placeOf(document.activeElement);
    const unfolded = [...target.querySelectorAll("details[open] > summary")].map(placeOf);
    const written = [...target.querySelectorAll("[data-written]")]
      .map((field) => ({ ...placeOf(field), value: field.value, checked: field.checked }));
    restore = () => {
      for (const place of unfolded) at(place)?.parentElement.setAttribute("open", "");
      for (const { value, checked, ...place } of written) {
        const field = at(place);
        if (field) Object.assign(field, { value, checked }).dataset.written = "";
      }
      if (focused && document.activeElement === document.body) at(focused)?.focus({ preventScroll: true });
    };
  });
  document.addEventListener("htmx:afterSettle", () => {
    restore();
    restore = () => {};
  });

  // --- A lost connection is said once, and forgotten when it is back. ---
  const loaded = { at: new Date(), lost: false };

  function toast(text) {
    const box = document.createElement("section");
    box.append(text);
    document.getElementById("toasts").replaceChildren(box);
  }

  for (const failure of ["htmx:sendError", "htmx:timeout"]) {
    document.addEventListener(failure, () => {
      loaded.lost = true;
      toast(`Connection lost. This page shows data as of ${loaded.at.toISOString().slice(11, 19)} UTC.`);
    });
  }
  document.addEventListener("htmx:responseError", (event) => {
    const { status, responseText } = event.detail.xhr;
    if (!responseText.includes('id="problem"')) toast(`The server answered ${status}. The page was not changed.`);
  });
  document.addEventListener("htmx:afterOnLoad", (event) => {
    if (event.detail.xhr.status >= 400) return;
    if (loaded.lost) document.getElementById("toasts").replaceChildren();
    Object.assign(loaded, { at: new Date(), lost: false });
  });
})();
