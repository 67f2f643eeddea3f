// What the shell of every page does beyond HTML: theme, search, keys, local times, lost connections.
"use strict";

(() => {
  const root = document.documentElement;
  root.classList.add("scripted");

  // --- Theme: the server renders the choice from a cookie, so that no page flashes. ---
  function toggleTheme() {
    const dark = getComputedStyle(root).colorScheme === "dark"
      || (!root.dataset.bsTheme && matchMedia("(prefers-color-scheme: dark)").matches);
    root.dataset.bsTheme = dark ? "light" : "dark";
    document.cookie = `theme=${root.dataset.bsTheme}; path=/; max-age=31536000; samesite=lax`;
    document.dispatchEvent(new CustomEvent("quarterdeck:theme", { detail: root.dataset.bsTheme }));
  }

  // --- Dialogs: search and the list of keys. ---
  function open(id) {
    const dialog = document.getElementById(id);
    if (!dialog || dialog.open) return false;
    dialog.showModal();
    dialog.querySelector("input")?.select();
    return true;
  }

  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-opens]");
    if (opener && open(opener.dataset.opens)) event.preventDefault();
    if (event.target.closest("[data-theme-toggle]")) toggleTheme();
    if (event.target.closest("[data-dismiss]")) event.target.closest("#toasts > *")?.remove();
    if (event.target instanceof HTMLDialogElement) event.target.close();
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      if (!menu.contains(event.target)) menu.open = false;
    }
  });

  // --- Keys. ---
  const typing = (target) => target.closest("input, textarea, select, [contenteditable]");
  let afterG = 0;

  function goTo(key) {
    const link = document.querySelector(`.sections [data-key="${CSS.escape(key)}"]`);
    if (link) location.assign(link.href);
  }

  function moveThroughResults(event) {
    const dialog = event.target.closest("#palette");
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!dialog || !step) return;
    const stops = [dialog.querySelector("input"), ...dialog.querySelectorAll(".results a")];
    const next = stops.indexOf(document.activeElement) + step;
    stops[(next + stops.length) % stops.length].focus();
    event.preventDefault();
  }

  document.addEventListener("keydown", (event) => {
    moveThroughResults(event);
    if (event.key === "k" && (event.ctrlKey || event.metaKey)) {
      if (open("palette")) event.preventDefault();
      return;
    }
    if (event.key === "Escape") document.querySelector("details.menu[open]")?.removeAttribute("open");
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
    if (event.key === "/" && open("palette")) event.preventDefault();
    else if (event.key === "?") open("keys");
    else if (event.key === "g") afterG = event.timeStamp;
    else if (event.timeStamp - afterG < 1500) goTo(event.key);
  });

  document.addEventListener("submit", (event) => {
    const first = event.target.closest("#palette")?.querySelector(".results a");
    if (!first) return;
    event.preventDefault();
    location.assign(first.href);
  });

  // --- A form is sent once; the button says that it is on its way. ---
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || form.method !== "post") return;
    if (form.dataset.sent) return event.preventDefault();
    form.dataset.sent = "1";
    event.submitter?.setAttribute("aria-busy", "true");
  });
  function freeForms() {
    for (const form of document.querySelectorAll("form[data-sent]")) {
      delete form.dataset.sent;
      form.querySelector("[aria-busy]")?.removeAttribute("aria-busy");
    }
  }
  addEventListener("pageshow", freeForms);
  document.addEventListener("htmx:afterRequest", freeForms);

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

  // --- Polling: not while nobody looks; and say when the connection is gone. ---
  const loaded = { at: new Date(), lost: false };

  function toast(text) {
    const box = document.createElement("section");
    box.append(text);
    document.getElementById("toasts").replaceChildren(box);
  }

  document.addEventListener("htmx:beforeRequest", (event) => {
    const polls = event.detail.elt.getAttribute("hx-trigger")?.includes("every");
    if (polls && document.hidden) event.preventDefault();
  });
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
