"use strict";
/* Light or dark: as the system says, until the reader says otherwise. */
const theme = (() => {
  const root = document.documentElement;
  const button = document.getElementById("theme");
  const system = matchMedia("(prefers-color-scheme: dark)");
  const listeners = [];
  let chosen = null;
  const show = () => {
    const now = chosen ?? (system.matches ? "dark" : "light");
    root.dataset.theme = now;
    button.setAttribute("aria-pressed", String(now === "dark"));
    for (const listener of listeners) listener();
  };
  button.addEventListener("click", () => {
    chosen = root.dataset.theme === "dark" ? "light" : "dark";
    show();
  });
  system.addEventListener("change", show);
  show();
  return { onChange: (listener) => listeners.push(listener) };
})();
