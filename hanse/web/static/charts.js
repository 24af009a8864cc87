// Charts: when they are drawn. Data blocks to ECharts on a canvas; the table beside each has the same figures.
"use strict";
(() => {
  const drawn = new Map();
  let library;
  let world;
  const load = (src) =>
    (library ??= new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = src;
      script.onload = () => resolve(window.echarts);
      script.onerror = reject;
      document.head.append(script);
    }));
  const { kinds, look } = window.hanseCharts;
  const draw = async (figure) => {
    const canvas = figure.querySelector(".chart-canvas");
    const data = JSON.parse(figure.querySelector('script[type="application/json"]').textContent);
    const echarts = await load(figure.dataset.lib);
    if (data.kind === "map" && !echarts.getMap("world")) {
      world ??= fetch(figure.dataset.world).then((r) => r.json());
      echarts.registerMap("world", await world);
    }
    const chart = drawn.get(figure) || echarts.init(canvas, null, { renderer: "canvas" });
    data.width = canvas.clientWidth;
    figure.dataset.width = data.width;
    chart.setOption(kinds[data.kind](data, look()), true);
    if (!drawn.has(figure)) {
      drawn.set(figure, chart);
      new ResizeObserver(() =>
        later(figure, Boolean(data.horizontal) && figure.dataset.width !== String(canvas.clientWidth)),
      ).observe(canvas);
      chart.on("click", (p) => {
        const href = p.data?.href || data.hrefs?.[p.dataIndex];
        if (href?.startsWith("/") && !href.startsWith("//")) location.assign(href);
      });
    }
    figure.dataset.drawn = "yes";
  };
  const failed = (figure) => () => {
    figure.querySelector(".chart-table").open = true;
  };
  const near = new IntersectionObserver(
    (entries) => {
      for (const entry of entries)
        if (entry.isIntersecting) {
          near.unobserve(entry.target);
          draw(entry.target).catch(failed(entry.target));
        }
    },
    { rootMargin: "400px" },
  );
  const begin = () => {
    for (const [figure, chart] of drawn)
      if (!figure.isConnected) {
        chart.dispose();
        drawn.delete(figure);
      }
    for (const figure of document.querySelectorAll("[data-chart]:not([data-drawn])")) near.observe(figure);
  };
  // size and colours may change in one moment: each chart is fitted, then drawn, once a frame, and only where it
  // has room
  const due = new Map();
  const later = (figure, anew) => {
    if (!due.size) requestAnimationFrame(catchUp);
    due.set(figure, anew || Boolean(due.get(figure)));
  };
  const catchUp = () => {
    const now = [...due];
    due.clear();
    for (const [figure, anew] of now) {
      const chart = drawn.get(figure);
      if (!chart || chart.isDisposed() || !figure.querySelector(".chart-canvas")?.clientWidth) continue;
      chart.dispatchAction({ type: "hideTip" }); // it would point at what is drawn no more
      chart.resize();
      if (anew) draw(figure).catch(failed(figure));
    }
  };
  const again = () => {
    for (const figure of drawn.keys()) later(figure, true);
  };
  document.addEventListener("hanse:theme", again);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", again);
  document.addEventListener("htmx:after:swap", begin);
  addEventListener("beforeprint", () => {
    for (const table of document.querySelectorAll(".chart-table")) table.open = true;
  });
  begin();
})();
