"use strict";
/* Plain data of a content -> traces and layout of Plotly. Texts are escaped: Plotly reads some tags in them. */
const traces = (() => {
  const SYMBOLS = ["circle", "diamond", "square", "triangle-up"];
  const DASHES = ["solid", "dash", "dot", "dashdot"];
  const COLOURS = 8;
  const escape = (text) => String(text).replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
  const short = (text, most) => escape(text.length > most ? `${text.slice(0, most - 1)}…` : text);
  const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
  const colourOf = (series) =>
    series.colour ? css(`c${(series.colour - 1) % COLOURS}`) : css(series.role === "real" || series.role === "other" ? "ink" : series.role);

  const base = (height) => ({
    height,
    margin: { l: 56, r: 12, t: 30, b: 44 },
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    font: { family: getComputedStyle(document.body).fontFamily, size: 13, color: css("ink") },
    hoverlabel: { bgcolor: css("page"), bordercolor: css("line"), font: { color: css("ink"), size: 13 } },
    dragmode: matchMedia("(pointer: coarse)").matches ? false : "zoom",
    showlegend: false,
  });
  /* A title longer than an axis of a narrow panel is set in two lines, broken at the space next to its middle. */
  const folded = (title, most = 30) => {
    const spaces = [...title.matchAll(/ /g)].map((found) => found.index);
    if (title.length <= most || !spaces.length) return escape(title);
    const at = spaces.reduce((best, place) => (Math.abs(place - title.length / 2) < Math.abs(best - title.length / 2) ? place : best));
    return `${escape(title.slice(0, at))}<br>${escape(title.slice(at + 1))}`;
  };
  const axis = (title, more = {}) => ({
    title: { text: folded(title ?? ""), font: { size: 13, color: css("muted") }, standoff: 8 },
    gridcolor: css("line"), linecolor: css("line"), zeroline: false, automargin: true, tickfont: { size: 12, color: css("muted") },
    ...more,
  });
  /* Plotly labels a logarithmic axis by its range: in linear steps within a decade, by 1-2-5, or by powers. Just above a
     decade it would take every digit, and far below one or two numbers at most: such ranges are made wider. */
  const logarithmic = (values) => {
    const ends = values.filter((value) => value > 0).map(Math.log10);
    if (!ends.length) return { type: "log" };
    const [low, high] = [Math.min(...ends), Math.max(...ends)];
    const fit = 1.14 * (high - low);
    const decades = fit < 0.5 ? 0.5 : fit > 1 && fit < 1.25 ? 1.25 : fit;
    const margin = (decades - (high - low)) / 2;
    return { type: "log", range: [low - margin, high + margin], nticks: decades > 1 ? 4 : 3, tickformat: "~g" };
  };
  /* A legend at the foot of its figure, below whatever the axis has. */
  const below = { orientation: "h", x: 0, xanchor: "left", y: 0.01, yanchor: "bottom", yref: "container", font: { size: 12 } };
  const titled = (layout, title) => {
    if (title) layout.title = { text: short(title, 60), font: { size: 13 }, x: 0.01, xanchor: "left", y: 0.98, yanchor: "top" };
    else layout.margin.t = 12;
    return layout;
  };

  const markTraces = (marks, range, onY) => marks.map((mark) => ({
    type: "scatter", mode: "lines", name: mark.label, hoverinfo: "name", showlegend: false,
    x: mark.axis === "x" ? [mark.at, mark.at] : range,
    y: mark.axis === "x" ? (onY ?? range) : [mark.at, mark.at],
    line: { width: 2, color: css(mark.role === "tss" ? "muted" : mark.role), dash: mark.role === "floor" ? "solid" : "dot" },
  }));
  /* Labels of marks stand above the axes; of two, each on the side of its line that the other is not on. */
  const markLabels = (marks) => marks.filter((mark) => mark.axis === "x").map((mark, index, all) => {
    const left = all.some((other, place) => other.at > mark.at || (other.at === mark.at && place > index));
    return {
      x: mark.at, y: 1, yref: "paper", yanchor: "bottom", xanchor: all.length > 1 ? (left ? "right" : "left") : "center",
      text: escape(mark.label), showarrow: false, font: { size: 12, color: css(mark.role === "tss" ? "muted" : mark.role) },
    };
  });

  const named = (panel) => {
    const names = panel.names.filter((name) => !hidden.generator.has(name));
    const [bars, spread] = ["bars", "spread"].map((shape) => panel.series.some((series) => series.shape === shape));
    const all = [];
    for (const series of panel.series) {
      const keep = series.y.map((_, index) => index).filter((index) => names.includes(series.y[index]));
      const pick = (values) => keep.map((index) => values?.[index] ?? null);
      const [x, on] = [pick(series.x), pick(series.y)];
      const text = pick(series.text).map((said, index) => escape(`${on[index]}: ${said ?? x[index]}`));
      const colour = colourOf(series);
      if (bars) {
        all.push({ type: "bar", orientation: "h", x, y: on.map((name) => names.indexOf(name)), marker: { color: colour },
          hovertext: text, hoverinfo: "text", name: escape(series.name), width: 0.6 });
        continue;
      }
      if (series.shape === "spread") {
        const at = on.map((name) => names.indexOf(name) + (series.role === "real" ? -0.18 : 0.18));
        const reach = (low, high, more) => ({ type: "data", symmetric: false, width: 0, color: colour, ...more,
          array: pick(high).map((end, i) => end - x[i]), arrayminus: pick(low).map((end, i) => x[i] - end) });
        const place = { type: "scatter", mode: "markers", x, y: at, name: short(series.name, 32) };
        all.push({ ...place, hoverinfo: "skip", showlegend: false, marker: { color: colour, size: 1 },
          error_x: reach(series.low, series.high, { thickness: 1.5 }) });
        all.push({ ...place, hovertext: text, hoverinfo: "text", marker: { color: colour, size: 10, symbol: "diamond", line: { width: 1.5, color: css("page") } },
          error_x: reach(series.inner_low, series.inner_high, { thickness: 6 }) });
        continue;
      }
      const error = series.low
        ? { type: "data", symmetric: false, array: pick(series.high).map((end, i) => (end === null ? 0 : end - x[i])),
          arrayminus: pick(series.low).map((end, i) => (end === null ? 0 : x[i] - end)), thickness: 1, width: 0, color: colour }
        : undefined;
      const seen = {};
      const offset = on.map((name) => (seen[name] = (seen[name] ?? -1) + 1));
      const y = on.map((name, index) => names.indexOf(name) + (series.faint ? 0.12 + 0.28 * (offset[index] / Math.max(1, seen[name])) : -0.2));
      all.push({ type: "scatter", mode: "markers", x, y, hovertext: text, hoverinfo: "text", name: escape(series.name), error_x: error,
        marker: { color: colour, size: series.faint ? 5 : 11, symbol: series.faint ? "circle" : "diamond", opacity: series.faint ? 0.75 : 1 } });
    }
    const marks = panel.marks ?? [];
    all.unshift(...markTraces(marks, [0, 0], [-0.6, names.length - 0.4]));
    const layout = base(74 + 34 * Math.max(2, names.length));
    const values = all.flatMap((trace) => trace.x).filter((value) => value !== null);
    const narrow = innerWidth < 640;
    layout.xaxis = axis(panel.x_title, panel.logarithmic ? logarithmic(values) : { nticks: narrow ? 4 : 7 });
    layout.yaxis = axis("", {
      tickvals: names.map((_, index) => index), ticktext: names.map((name) => short(name, narrow ? (spread ? 18 : 14) : 26)),
      range: [names.length - 0.4, -0.6], showgrid: false, tickfont: { size: 13, color: css("ink") }, fixedrange: true,
    });
    layout.annotations = markLabels(marks);
    titled(layout, panel.title);
    if (marks.length) layout.margin.t = 28;
    if (spread) {
      layout.showlegend = true;
      layout.legend = below;
      layout.height += 24;
    }
    return [all, layout];
  };

  /* A series whose points are of several generators loses the points of hidden ones, and a line of one point is none. */
  const withoutHidden = (series) => {
    if (!series.of) return hidden.generator.has(series.name) ? null : series;
    const [x, y] = [series.x, series.y].map((values) => values.filter((_, index) => !hidden.generator.has(series.of[index])));
    return x.length > 1 ? { ...series, x, y } : null;
  };

  const numeric = (panel) => {
    const shown = panel.series.map(withoutHidden).filter((series) => series !== null);
    const all = shown.map((series) => {
      const colour = colourOf(series);
      const text = series.text?.map(escape);
      const common = { x: series.x, y: series.y, name: short(series.name, 32), hovertext: text, hoverinfo: text ? "text+x+y" : "x+y+name" };
      if (series.shape === "bars") return { ...common, type: "bar", marker: { color: colour } };
      if (series.shape === "points") {
        const turn = series.colour ? Math.floor((series.colour - 1) / COLOURS) : 0;
        const generated = !series.faint;
        return { ...common, type: "scatter", mode: "markers", hoverinfo: text ? "text+x+y" : "name",
          marker: { color: colour,
            size: panel.bare ? (generated ? 6 : 5) : series.x.length === 1 ? 10 : 6, opacity: panel.bare ? (generated ? 0.9 : 0.4) : 0.65,
            symbol: panel.bare && generated ? ["x-thin-open", "cross-thin-open", "asterisk-open"][turn % 3] : SYMBOLS[turn % SYMBOLS.length],
            line: { width: panel.bare && generated ? 1.5 : 0 } } };
      }
      return { ...common, type: "scatter", mode: "lines",
        line: { color: colour, width: series.role === "real" ? 2.5 : 2, shape: series.shape === "steps" ? "hvh" : "linear",
          dash: series.role === "other" ? DASHES[((series.colour ?? 1) - 1) % DASHES.length] : "solid" } };
    });
    const layout = titled(base(panel.bare ? 380 : 300), panel.title);
    const [xs, ys] = ["x", "y"].map((name) => shown.flatMap((series) => series[name]).filter((value) => value !== null));
    layout.xaxis = axis(panel.x_title, panel.logarithmic ? logarithmic(xs) : {});
    layout.yaxis = axis(panel.y_title, { rangemode: panel.diagonal || panel.bare || panel.series.every((series) => series.role === "other") ? "normal" : "tozero" });
    if (panel.diagonal) {
      const ends = [Math.min(...xs, ...ys), Math.max(...xs, ...ys)];
      all.unshift({ type: "scatter", mode: "lines", x: ends, y: ends, hoverinfo: "skip", showlegend: false, line: { color: css("muted"), width: 1, dash: "dot" } });
    }
    const marks = panel.marks ?? [];
    all.unshift(...markTraces(marks, [0, 0], [Math.min(...ys, 0), Math.max(...ys, 0)]));
    layout.annotations = markLabels(marks);
    if (panel.bare)
      for (const name of ["xaxis", "yaxis"]) Object.assign(layout[name], { showticklabels: false, showgrid: false, showline: true, mirror: true });
    if (shown.length > 1) {
      layout.showlegend = true;
      layout.legend = below;
      layout.height += 6 + 18 * Math.ceil(shown.length / (panel.bare || innerWidth < 640 ? 2 : 8));
    }
    return [all, layout];
  };

  const heat = (content) => {
    const rows = content.rows.map((name, index) => [name, content.values[index]]).filter(([name]) => !hidden.generator.has(name));
    const narrow = innerWidth < 640;
    const trace = {
      type: "heatmap", z: rows.map(([, values]) => values), x: content.columns.map((_, index) => index), y: rows.map((_, index) => index),
      colorscale: "Cividis", reversescale: content.direction === "lower", showscale: !narrow, xgap: 2, ygap: 2,
      text: rows.map(([, values]) => values.map((value) => (value === null ? "" : Number(value.toPrecision(3)).toString().replace("-", "−")))),
      texttemplate: narrow && content.columns.length > 6 ? undefined : "%{text}", textfont: { size: 12 },
      hovertext: rows.map(([name, values]) => values.map((value, index) => escape(`${name}, ${content.columns[index]}: ${value ?? "no score"}`))),
      hoverinfo: "text", colorbar: { thickness: 10, outlinewidth: 0, tickfont: { size: 12, color: css("muted") } },
    };
    const layout = titled(base(60 + 32 * Math.max(2, rows.length)), content.title);
    const labels = (names, most) => ({ tickvals: names.map((_, index) => index), ticktext: names.map((name) => short(name, most)), showgrid: false });
    layout.xaxis = axis("", { ...labels(content.columns, 12), side: "bottom", tickfont: { size: 13, color: css("ink") } });
    layout.yaxis = axis("", { ...labels(rows.map(([name]) => name), narrow ? 14 : 26), autorange: "reversed", tickfont: { size: 13, color: css("ink") } });
    return [[trace], layout];
  };

  /* Each letter is one trace: the outlines of all its places, one after the other. */
  const logo = (content, glyphs) => {
    const outlines = Object.fromEntries([..."ACGT"].map((letter) => [letter, { x: [], y: [] }]));
    content.heights.forEach((column, index) => {
      let bottom = 0;
      [..."ACGT"].map((letter, base) => [letter, column[base]]).sort((one, other) => one[1] - other[1]).forEach(([letter, height]) => {
        if (height < 0.004) return;
        const { x, y } = outlines[letter];
        for (const polygon of glyphs[letter]) {
          for (const [across, up] of polygon) {
            x.push(content.first + index - 0.46 + 0.92 * across);
            y.push(bottom + height * up);
          }
          x.push(null);
          y.push(null);
        }
        bottom += height;
      });
    });
    const all = Object.entries(outlines).map(([letter, { x, y }]) => ({
      type: "scatter", mode: "lines", x, y, fill: "toself", fillcolor: css(letter), line: { width: 0.5, color: css(letter) }, name: letter, hoverinfo: "skip",
    }));
    const top = Math.max(0.2, ...content.heights.map((column) => column.reduce((sum, height) => sum + height, 0)));
    const marks = content.marks ?? [];
    all.unshift(...markTraces(marks, [0, 0], [0, top]));
    const layout = titled(base(190), content.title);
    layout.xaxis = axis(content.x_title, { range: [content.first - 0.7, content.first + content.heights.length - 0.3], showgrid: false });
    layout.yaxis = axis("bits", { range: [0, top * 1.05], nticks: 4 });
    layout.annotations = markLabels(marks);
    return [all, layout];
  };

  return (content, glyphs) =>
    content.type === "heat" ? heat(content) : content.type === "logo" ? logo(content, glyphs)
      : content.names ? named(content) : numeric(content);
})();
