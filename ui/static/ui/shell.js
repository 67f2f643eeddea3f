// What the shell of every page does beyond HTML: theme, search, keys, forms that are sent once.
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
  let afterG = -Infinity;

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
    // A search field keeps the first Escape for itself.
    if (event.key === "Escape") document.querySelector("#palette[open]")?.close();
    if (event.key === "Escape") document.querySelector("details.menu[open]")?.removeAttribute("open");
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
    if (event.key === "/" && open("palette")) event.preventDefault();
    else if (event.key === "?") open("keys");
    else if (event.key === "g") afterG = event.timeStamp;
    else if (event.timeStamp - afterG < 1500) goTo(event.key);
  });

  document.addEventListener("submit", (event) => {
    const palette = event.target.closest("#palette");
    const results = palette?.querySelector(".results");
    const first = results?.querySelector("a");
    // Results of what had been typed before lead elsewhere; the search page answers what is now.
    if (!first || results.dataset.query !== palette.querySelector("input").value.trim()) return;
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
  function free(form) {
    delete form.dataset.sent;
    form.querySelector("[aria-busy]")?.removeAttribute("aria-busy");
  }
  addEventListener("pageshow", () => document.querySelectorAll("form[data-sent]").forEach(free));
  document.addEventListener("htmx:afterRequest", (event) => {
    // Its own answer frees a form; a live part that is read meanwhile does not.
    const form = event.detail.elt.closest("form[data-sent]");
    if (form) free(form);
  });
})();
