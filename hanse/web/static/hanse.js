// The shell's small helpers. Every page works without them.
"use strict";
(() => {
  const root = document.documentElement;
  root.classList.add("js");
  const year = 60 * 60 * 24 * 365;
  const keep = (name, value) => {
    document.cookie = `${name}=${encodeURIComponent(value)}; path=/; max-age=${value ? year : 0}; samesite=lax`;
  };

  // Times: the server draws them in the zone of the `tz` cookie; the first visit is corrected here.
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
  const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
  const two = (n) => String(n).padStart(2, "0");
  const localise = (scope) => {
    for (const time of scope.querySelectorAll("time[data-time]")) {
      const at = new Date(time.dateTime);
      if (Number.isNaN(at.getTime())) continue;
      const day = `${at.getDate()} ${months[at.getMonth()]} ${at.getFullYear()}`;
      const text = time.dataset.time === "day" ? day : `${day}, ${two(at.getHours())}:${two(at.getMinutes())}`;
      if (time.textContent !== text) time.textContent = text;
    }
  };
  keep("tz", zone);
  localise(document);

  const toast = (text, bad) => {
    const p = document.createElement("p");
    p.className = bad ? "toast toast-bad" : "toast";
    p.textContent = text;
    document.getElementById("toasts").append(p);
    if (!bad) setTimeout(() => p.remove(), 6000);
  };
  for (const shown of document.querySelectorAll(".toast")) setTimeout(() => shown.remove(), 6000);

  // Appearance
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.matches("[data-theme-form]") || !event.submitter) return;
    event.preventDefault();
    const theme = event.submitter.value;
    keep("theme", theme);
    if (theme) root.dataset.theme = theme;
    else delete root.dataset.theme;
    for (const button of form.querySelectorAll("button"))
      button.setAttribute("aria-pressed", String(button === event.submitter));
    document.dispatchEvent(new CustomEvent("hanse:theme"));
  });

  // The menu's headings stay as the reader left them: the server draws them so from the cookie `menu`.
  const kept = () =>
    decodeURIComponent(/(?:^|; )menu=([^;]*)/.exec(document.cookie)?.[1] || "")
      .split(".")
      .filter(Boolean);
  for (const part of document.querySelectorAll("[data-part]")) {
    part.querySelector("summary").addEventListener("click", () => {
      const name = part.dataset.part;
      const turned = new Set(kept());
      if (turned.has(name)) turned.delete(name);
      else turned.add(name);
      keep("menu", [...turned].join("."));
    });
  }
  // A browser that cannot show a closed <details> by style shows the menu of a wide page by opening it.
  if (!CSS.supports("selector(::details-content)") && innerWidth > 860)
    for (const menu of document.querySelectorAll("[data-menu]")) menu.open = true;

  // Keys: "/" goes to the search field; Escape closes what is open.
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest("input, textarea, select, [contenteditable]");
    const field = document.getElementById("search");
    if (event.key === "/" && !typing && field) {
      event.preventDefault();
      field.focus();
      field.select();
    }
    if (event.key === "Escape") {
      for (const open of document.querySelectorAll("details[data-pop][open], details[data-menu][open]")) {
        open.open = false;
        if (open.contains(document.activeElement)) open.querySelector("summary").focus();
      }
      document.getElementById("search-drop")?.replaceChildren();
    }
    const hits = [...document.querySelectorAll("#search-drop .hit")];
    if (hits.length && (event.key === "ArrowDown" || event.key === "ArrowUp") && event.target.closest(".search")) {
      event.preventDefault();
      const at = hits.indexOf(document.activeElement) + (event.key === "ArrowDown" ? 1 : -1);
      (hits[at] || (at < 0 ? field : hits[0])).focus();
    }
  });
  document.addEventListener("click", (event) => {
    for (const open of document.querySelectorAll("details[data-pop][open]"))
      if (!open.contains(event.target)) open.open = false;
  });

  // Bulk actions appear when rows are ticked; a choice in a self-sending form sends it.
  const count = (form) => {
    const ticked = document.querySelectorAll(`input[form="${form.getAttribute("id")}"]:checked`).length;
    form.classList.toggle("bulk-on", ticked > 0);
    form.querySelector(".bulk-count").textContent = `${ticked} ticked:`;
  };
  document.addEventListener("change", (event) => {
    const id = event.target.getAttribute("form");
    const form = id && document.getElementById(id);
    if (form?.matches("[data-bulk]")) count(form);
    event.target.closest("form[data-autosubmit]")?.requestSubmit();
  });

  // Whatever takes longer than a moment says so. `data-busy` on a form names what is going on.
  const busy = document.createElement("p");
  busy.className = "toast busy";
  const bar = document.createElement("progress");
  const doing = document.createElement("span");
  bar.setAttribute("aria-label", "Progress");
  busy.append(bar, doing);
  let waiting = 0;
  const work = (words) => {
    doing.textContent = words;
    bar.removeAttribute("value");
    document.getElementById("toasts").append(busy);
  };
  const rest = () => {
    clearTimeout(waiting);
    busy.remove();
    for (const b of document.querySelectorAll("button[aria-busy]")) b.removeAttribute("aria-busy");
  };
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || form.matches("[data-theme-form]") || form.hasAttribute("hx-boost")) return;
    if (event.submitter?.getAttribute("aria-busy")) {
      event.preventDefault();
      return;
    }
    clearTimeout(waiting);
    if ((event.submitter?.getAttribute("formmethod") || form.method) === "post")
      event.submitter?.setAttribute("aria-busy", "true");
    waiting = setTimeout(() => work(form.dataset.busy || "Working"), 600);
    setTimeout(() => event.submitter?.removeAttribute("aria-busy"), 8000);
  });
  addEventListener("pageshow", rest);
  addEventListener("pagehide", rest);

  // Files: dropped anywhere on the page of an upload, sent with a bar that shows how much has gone.
  const upload = (form) => {
    const request = new XMLHttpRequest();
    request.open("POST", form.action);
    request.upload.addEventListener("progress", (event) => {
      if (event.lengthComputable && event.loaded < event.total) {
        work("Sending the file");
        bar.value = event.loaded / event.total;
      }
    });
    request.upload.addEventListener("load", () => work(form.dataset.busy || "Working"));
    request.addEventListener("error", () => {
      rest();
      toast("No connection to the node. Try again.", true);
    });
    request.addEventListener("load", () => {
      if (request.status < 400 && request.responseURL && request.responseURL !== form.action) {
        location.assign(request.responseURL);
        return;
      }
      rest();
      const main = new DOMParser().parseFromString(request.responseText, "text/html").querySelector("main");
      if (!main) {
        toast("The file could not be taken. Reload the page.", true);
        return;
      }
      document.querySelector("main").replaceWith(main);
      main.focus();
    });
    work("Sending the file");
    request.send(new FormData(form));
  };
  const place = () => document.querySelector("form[data-drop]");
  document.addEventListener(
    "submit",
    (event) => {
      if (!event.target.matches("form[data-drop]") || !event.target.querySelector("input[type=file]").files.length)
        return;
      event.preventDefault();
      upload(event.target);
    },
    true,
  );
  const over = document.createElement("div");
  over.className = "dropping";
  over.textContent = "Drop the file to read it";
  let inside = 0;
  const files = (event) => place() && event.dataTransfer?.types.includes("Files");
  addEventListener("dragenter", (event) => {
    if (files(event)) {
      inside += 1;
      document.body.append(over);
    }
  });
  addEventListener("dragleave", (event) => {
    if (files(event)) {
      inside -= 1;
      if (inside <= 0) {
        inside = 0;
        over.remove();
      }
    }
  });
  addEventListener("dragover", (event) => {
    if (files(event)) event.preventDefault();
  });
  addEventListener("drop", (event) => {
    if (!files(event)) return;
    event.preventDefault();
    inside = 0;
    over.remove();
    place().querySelector("input[type=file]").files = event.dataTransfer.files;
    place().requestSubmit();
  });

  // htmx: refusals of partial requests are told in a toast, and never replace part of a page.
  document.addEventListener("htmx:before:swap", (event) => {
    const status = event.detail.ctx?.response?.raw?.status ?? event.detail.ctx?.response?.status ?? 200;
    if (status >= 400) {
      event.preventDefault();
      toast(
        status === 401
          ? "Your session has ended. Reload the page to sign in."
          : "The list could not be renewed. Reload the page.",
        true,
      );
    }
  });
  // What was typed before htmx listened counts as typed when it does; htmx itself passes over what it has had.
  const typed = () => {
    const field = document.activeElement;
    if (field?.matches("input[hx-get]") && field.value !== field.defaultValue)
      field.dispatchEvent(new Event("input", { bubbles: true }));
  };
  document.addEventListener("htmx:after:init", (event) => {
    if (event.target === document.activeElement) typed();
  });
  typed();
  document.addEventListener("htmx:error", () => toast("No connection to the node. Try again.", true));
  document.addEventListener("htmx:after:swap", () => {
    localise(document);
    for (const form of document.querySelectorAll("form[data-bulk]")) count(form);
  });
})();
