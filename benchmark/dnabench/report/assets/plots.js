"use strict";
/* Figures are drawn as they come into view; Plotly is unpacked as soon as the page stands. */
const plots = (() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const figures = new Map(data.figures.map((figure) => [figure.id, figure]));
  const config = { displayModeBar: false, responsive: true, showTips: false };
  const drawn = new Set();
  const chosen = { generator: null, metric: null };
  let unpacked = null;

  const unpack = async () => {
    const packed = document.getElementById("plotly").textContent;
    const bytes = Uint8Array.fromBase64 ? Uint8Array.fromBase64(packed) : Uint8Array.from(atob(packed), (letter) => letter.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    const script = document.createElement("script");
    script.textContent = await new Response(stream).text();
    document.head.append(script);
  };

  const choiceOf = (figure) => {
    const left = figure.choices.filter(([name]) => !hidden[figure.chooses]?.has(name));
    return left.find(([name]) => name === chosen[figure.chooses]) ?? left[0];
  };

  const draw = async (element) => {
    const figure = figures.get(element.dataset.figure);
    drawn.add(element);
    await (unpacked ??= unpack());
    const [name, all] = choiceOf(figure) ?? ["", []];
    const one = element.querySelector("select[data-panels]")?.value;
    const contents = one ? all.filter((content) => content.title === one) : all;
    const select = element.querySelector("select[data-chooses]");
    if (select) {
      select.value = name;
      for (const option of select.options) option.hidden = option.disabled = hidden[figure.chooses].has(option.value);
    }
    const panels = element.querySelector(".panels");
    panels.classList.toggle("wide", contents.length === 1 || contents.some((content) => content.type !== "panel"));
    while (panels.children.length > contents.length) {
      Plotly.purge(panels.lastChild);
      panels.lastChild.remove();
    }
    while (panels.children.length < contents.length) panels.append(document.createElement("div"));
    contents.forEach((content, index) => Plotly.react(panels.children[index], ...traces(content, data.glyphs), config));
    element.dataset.drawn = String(Number(element.dataset.drawn ?? 0) + 1);
  };
  const redraw = () => { for (const element of drawn) draw(element); };

  for (const element of document.querySelectorAll("figure[data-figure]")) {
    element.querySelector("select[data-chooses]")?.addEventListener("change", (event) => {
      chosen[event.target.dataset.chooses] = event.target.value;
      redraw();
    });
    const one = element.querySelector("select[data-panels]");
    if (one && innerWidth < 640) one.selectedIndex = 1;  // many panels below each other are a long way down
    one?.addEventListener("change", () => draw(element));
  }
  theme.onChange(redraw);
  hidden.listeners.push(redraw);
  addEventListener("beforeprint", () => { for (const element of document.querySelectorAll("figure[data-figure]")) draw(element); });

  const watch = new IntersectionObserver((entries) => {
    for (const { isIntersecting, target } of entries) {
      if (!isIntersecting) continue;
      watch.unobserve(target);
      draw(target);
    }
  }, { rootMargin: "300px" });
  const start = () => {
    const elements = document.querySelectorAll("figure[data-figure]");
    if (elements.length) unpacked ??= unpack();  // while the head and the table are being read
    for (const element of elements) watch.observe(element);
  };
  if (typeof DecompressionStream === "undefined")
    for (const panels of document.querySelectorAll(".panels")) panels.textContent = "This browser is too old for the plots.";
  else requestAnimationFrame(() => setTimeout(start));
  return { draw };
})();
