"use strict";
/* The ranked table: sorting within each group of rows, hiding, and what flags and bars say. */
const hidden = { generator: new Set(), metric: new Set(), listeners: [] };

(() => {
  const table = document.getElementById("table");
  const heads = [...table.tHead.rows[0].cells];

  const keyOf = (cell) => {
    const text = cell?.dataset.value ?? "";
    return text === "" ? null : Number.isNaN(Number(text)) ? text : Number(text);
  };
  const compare = (first, second) =>
    typeof first === "number" && typeof second === "number"
      ? first - second
      : String(first).localeCompare(String(second), "en");

  const sortBy = (column, direction) => {
    const sign = direction === "ascending" ? 1 : -1;
    for (const body of table.tBodies) {
      const rows = [...body.rows].filter((row) => !row.classList.contains("group"));
      rows.sort((one, other) => {
        const [first, second] = [one, other].map((row) => keyOf(row.cells[column]));
        if (first === null || second === null) return (first === null) - (second === null);
        return sign * compare(first, second);
      });
      body.append(...rows);
    }
    heads.forEach((head, index) =>
      index === column ? head.setAttribute("aria-sort", direction) : head.removeAttribute("aria-sort"));
    const name = heads[column].querySelector("button").textContent.trim();
    document.getElementById("said").textContent = `Sorted by ${name}, ${direction}`;
  };
  heads.forEach((head, column) => {
    head.querySelector("button").addEventListener("click", () =>
      sortBy(column, head.getAttribute("aria-sort") === "ascending" ? "descending" : "ascending"));
  });

  /* Names are compared as values, never put into a selector. */
  const setHidden = (kind, name, off) => {
    hidden[kind][off ? "add" : "delete"](name);
    for (const element of document.querySelectorAll(`tr[data-${kind}], th[data-${kind}], td[data-${kind}], article[data-${kind}]`))
      if (element.dataset[kind] === name) element.hidden = off;
    for (const listener of hidden.listeners) listener();
  };
  for (const kind of ["generator", "metric"])
    for (const box of document.querySelectorAll(`input[data-${kind}]`))
      box.addEventListener("change", () => setHidden(kind, box.dataset[kind], !box.checked));

  const tip = document.getElementById("tip");
  let source = null;
  const showTip = (event) => {
    source = event.target.closest?.("[data-tip]") ?? null;
    if (!source) return hideTip();
    tip.textContent = source.dataset.tip;
    tip.hidden = false;
    place();
    if (source.matches("button")) source.setAttribute("aria-describedby", "tip");
  };
  /* Beside what it explains, also when that is scrolled, as it is when it gets the focus. */
  const place = () => {
    if (!source) return;
    const at = source.getBoundingClientRect();
    const [width, height] = [tip.offsetWidth, tip.offsetHeight];
    tip.style.left = `${Math.max(8, Math.min(at.left, innerWidth - width - 8))}px`;
    tip.style.top = `${at.bottom + height + 12 > innerHeight ? at.top - height - 6 : at.bottom + 6}px`;
  };
  const hideTip = () => { tip.hidden = true; source = null; };
  document.addEventListener("pointerover", showTip);
  document.addEventListener("focusin", showTip);
  document.addEventListener("focusout", hideTip);
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") hideTip(); });
  addEventListener("scroll", place, { passive: true, capture: true });
})();
