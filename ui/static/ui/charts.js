/* Draws charts. The server sends numbers and names of signals; colours come from the style sheet.

   Board: #board[data-series] holds .chart[data-panel]; #board-spec says what each panel shows.
   Anywhere: <div class="chart" data-figure="ID"> draws the {data, layout} in <script id="ID">;
   each trace's meta.signal (or a list of them, one for each bar) names its colour. */
(() => {
  "use strict";
  const COLOURS = { baseline: "--fleet-blue", new: "--fleet-green" };
  const CONFIG = { displaylogo: false, showSendToCloud: false, responsive: true, modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d"] };
  const UNITS = {
    seconds: { tickformat: ".3~s", ticksuffix: "s", hoverformat: ".3~s" },
    per_second: { tickformat: ".3~r", ticksuffix: "/s", hoverformat: ".3~r" },
    percent: { ticksuffix: "\u202f%", hoverformat: ".3~r" },
    count: { tickformat: "~r", hoverformat: ".3~r" },
  };
  const REFRESH_MS = 15000;
  // Plotly's own spike is a thick black and white one; a negative width leaves the white out.
  const SPIKE = { spikethickness: -1, spikedash: "solid" };
  const NARROW = matchMedia("(max-width: 40rem)");

  // --- Theme ---
  const probe = document.createElement("span");
  probe.hidden = true;
  document.body.append(probe);

  function variable(name) {
    probe.style.color = `var(${name})`;
    return getComputedStyle(probe).color;
  }

  function colour(signal) {
    return variable(COLOURS[signal] ?? `--${signal.replace(/^cost(\d)$/, "cost-$1")}`);
  }

  function axis() {
    const line = variable("--line");
    return { gridcolor: line, zerolinecolor: line, linecolor: line, automargin: true };
  }

  function layout(given = {}) {
    const ink = variable("--ink");
    const base = {
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
      font: { color: ink, size: 12, family: getComputedStyle(document.body).fontFamily },
      margin: { l: 48, r: 10, t: 22, b: 28 },
      height: NARROW.matches ? 180 : 220,
      hovermode: "x unified",
      hoverlabel: { bgcolor: variable("--surface"), bordercolor: variable("--line"), font: { color: ink } },
      modebar: { bgcolor: "rgba(0,0,0,0)", color: variable("--dim"), activecolor: ink },
      legend: { orientation: "h", x: 0, y: 1.02, yanchor: "bottom", font: { size: 11 } },
    };
    const axes = { xaxis: { ...axis(), ...SPIKE, spikecolor: variable("--dim"), ...given.xaxis }, yaxis: { rangemode: "tozero", ...axis(), ...given.yaxis } };
    return { ...base, ...given, ...axes };
  }

  function painted(trace) {
    const signal = trace.meta?.signal;
    if (!signal) return trace;
    const paint = Array.isArray(signal) ? signal.map(colour) : colour(signal);
    if (trace.type === "pie") return { ...trace, marker: { ...trace.marker, colors: paint } };
    const line = Array.isArray(signal) ? trace.line : { ...trace.line, color: paint };
    const fill = trace.fill && !Array.isArray(signal) ? { fillcolor: paint.replace(/^rgb\((.*)\)$/, "rgba($1, 0.15)") } : {};
    return { ...trace, ...fill, ...(line ? { line } : {}), marker: { ...trace.marker, color: paint } };
  }

  // --- Figures that came with the page ---
  function drawFigure(element) {
    const source = document.getElementById(element.dataset.figure);
    if (!source) return;
    const figure = JSON.parse(source.textContent);
    const styled = layout({ uirevision: "kept", ...figure.layout });
    // On a phone the legend is one column: it must not eat the chart.
    if (NARROW.matches && figure.data.length > 3) styled.height += 20 * figure.data.length;
    Plotly.react(element, figure.data.map(painted), styled, CONFIG);
  }

  // --- The board ---
  const board = document.getElementById("board");
  const spec = board ? JSON.parse(document.getElementById("board-spec").textContent) : null;
  const panels = new Map((spec?.panels ?? []).map((panel) => [panel.id, panel]));
  let series = null;

  async function load(cache) {
    const response = await fetch(board.dataset.series, { cache, headers: { Accept: "application/octet-stream" } });
    if (!response.ok || response.redirected) throw new Error(`the server answered ${response.status}`);
    const tag = response.headers.get("ETag");
    if (series?.tag === tag) return false;
    const number = (name) => Number(response.headers.get(`X-Series-${name}`));
    const length = number("Length");
    const bytes = await response.arrayBuffer();
    const lines = new Map();
    response.headers.get("X-Series-Keys").split(",").forEach((key, place) => {
      lines.set(key, new Float32Array(bytes, 4 * place * length, length));
    });
    series = { tag, lines, length, start: number("Start"), step: number("Step"), settled: number("Settled") };
    return true;
  }

  // A value between two gaps has no line to be part of: it alone is drawn as a dot.
  function dots(values) {
    const known = (at) => at >= 0 && at < values.length && !Number.isNaN(values[at]);
    return Array.from(values, (_, at) => (known(at) && !known(at - 1) && !known(at + 1) ? 3 : 0));
  }

  function stretch(line, from, to, more) {
    const y = series.lines.get(line.key).subarray(from, to);
    const size = dots(y);
    return painted({
      type: "scatter", mode: size.some(Boolean) ? "lines+markers" : "lines", name: line.label, legendgroup: line.key,
      x0: (series.start + from * series.step) * 1000, dx: series.step * 1000, y, connectgaps: false,
      line: { width: 1.5, dash: line.dash }, marker: { size, line: { width: 0 } }, meta: { signal: line.signal },
      hovertemplate: "%{y}", ...more,
    });
  }

  function traces(panel) {
    const settled = Math.max(0, Math.min(series.length, Math.floor((series.settled - series.start) / series.step)));
    const drawn = panel.lines.filter((line) => series.lines.has(line.key));
    return drawn.flatMap((line) => {
      const final = stretch(line, 0, settled);
      if (settled >= series.length) return [final];
      const name = `${line.label} (provisional)`;
      const tail = { name, showlegend: false, opacity: 0.75, line: { ...final.line, dash: "dot" } };
      return [final, stretch(line, Math.max(0, settled - 1), series.length, tail)];
    });
  }

  function marks(panel) {
    const ink = variable("--dim");
    const shapes = spec.markers.map(({ at }) => ({ type: "line", xref: "x", yref: "paper", x0: at * 1000, x1: at * 1000, y0: 0, y1: 1, line: { color: ink, width: 1 } }));
    const annotations = spec.markers.map(({ at, symbol, title }) => ({ x: at * 1000, xref: "x", y: 1, yref: "paper", yanchor: "top", xanchor: "left", text: symbol, hovertext: escaped(title), showarrow: false, font: { size: 11, color: ink } }));
    if (panel.threshold && reaches(panel, 0.4 * panel.threshold.value)) {
      const { value, label } = panel.threshold;
      shapes.push({ type: "line", xref: "paper", x0: 0, x1: 1, y0: value, y1: value, line: { color: variable("--errors"), width: 1, dash: "longdash" }, layer: "below", label: { text: label, textposition: "end", font: { size: 10, color: ink } } });
    }
    return { shapes, annotations };
  }

  // A limit far above all values would press them flat; its words are in the panel's head anyway.
  function reaches(panel, height) {
    return panel.lines.some((line) => series.lines.get(line.key)?.some((value) => value > height));
  }

  // Plotly reads a little HTML in texts.
  function escaped(text) {
    return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
  }

  function drawPanel(element) {
    const panel = panels.get(element.dataset.panel);
    if (!panel || !series) return;
    const given = {
      ...marks(panel), uirevision: "kept", showlegend: panel.lines.length > 1,
      xaxis: { type: "date", range: zoom ?? extent() },
      yaxis: UNITS[panel.unit],
    };
    const first = !element.dataset.drawn;
    Plotly.react(element, traces(panel), layout(given), CONFIG);
    element.dataset.drawn = "yes";
    if (first) connect(element);
  }

  // Zoom and hover go to all charts that are drawn.
  let zoom = null;
  let echoing = false;

  function extent() {
    return [series.start * 1000, (series.start + series.length * series.step) * 1000];
  }

  function echo(element, act) {
    if (echoing) return;
    echoing = true;
    try {
      for (const chart of board.querySelectorAll(".chart[data-drawn]")) if (chart !== element) act(chart);
    } finally {
      echoing = false;
    }
  }

  // Plotly tells dates as text in UTC, and takes them as milliseconds.
  function milliseconds(date) {
    return typeof date === "number" ? date : Date.parse(`${date.replace(" ", "T")}Z`);
  }

  function zoomed(element, change) {
    const reset = change["xaxis.autorange"];
    if (!reset && !("xaxis.range[0]" in change)) return;
    zoom = reset ? null : [change["xaxis.range[0]"], change["xaxis.range[1]"]];
    echo(element, (chart) => Plotly.relayout(chart, { "xaxis.range": zoom ?? extent() }));
  }

  function connect(element) {
    element.on("plotly_relayout", (change) => zoomed(element, change));
    element.on("plotly_hover", ({ points }) => {
      const at = { xval: milliseconds(points[0].x), yval: 0 };
      echo(element, (chart) => Plotly.Fx.hover(chart, at, "xy"));
    });
    element.on("plotly_unhover", () => echo(element, (chart) => Plotly.Fx.unhover(chart, {}, "xy")));
  }

  // --- When to draw ---
  const draw = (element) => (element.dataset.figure ? drawFigure(element) : drawPanel(element));
  const seen = new Set();
  const watcher = new IntersectionObserver((entries) => {
    for (const { isIntersecting, target } of entries) {
      if (!isIntersecting) continue;
      watcher.unobserve(target);
      seen.add(target);
      draw(target);
    }
  }, { rootMargin: "150px" });

  function redraw() {
    for (const element of seen) element.isConnected ? draw(element) : seen.delete(element);
  }

  function watch() {
    for (const chart of document.querySelectorAll(".chart")) if (!seen.has(chart)) watcher.observe(chart);
  }

  function say(text) {
    const place = document.getElementById("refresh");
    if (place && place.textContent !== text) place.textContent = text;
    place?.classList.toggle("is-stale", Boolean(text));
  }

  async function refresh(cache) {
    try {
      if (await load(cache)) redraw();
      say("");
    } catch (error) {
      const shown = series ? "The charts show what was loaded before." : "The charts have no data to show.";
      say(`Charts could not be refreshed: ${error.message}. ${shown} “Show data” still works.`);
    }
  }

  new MutationObserver(redraw).observe(document.documentElement, { attributeFilter: ["data-bs-theme"] });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  document.addEventListener("htmx:afterSettle", watch);
  watch();
  if (board) {
    refresh("default");
    if (spec.live) setInterval(() => document.hidden || refresh("no-cache"), REFRESH_MS);
  }
})();
