// Charts: what each kind looks like, as ECharts takes it; colours from the style sheet.
"use strict";
(() => {
  const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const group = (n) =>
    n == null ? "–" : Number(n).toLocaleString("en-US", { maximumFractionDigits: 2 }).replace("-", "−");
  const compact = (n) =>
    (Math.abs(n) >= 1e4
      ? Number(n).toLocaleString("en-US", { notation: "compact", maximumFractionDigits: 1 })
      : group(n)
    ).replace("-", "−");

  const look = () => ({
    ink: css("--ink"),
    ink2: css("--ink-2"),
    ink3: css("--ink-3"),
    line: css("--line"),
    strong: css("--line-strong"),
    surface: css("--surface"),
    good: css("--good"),
    warn: css("--warn"),
    bad: css("--bad"),
    accent: css("--accent"),
    land: css("--land"),
    landLine: css("--land-line"),
    sunken: css("--sunken"),
    series: [1, 2, 3, 4, 5, 6].map((n) => css(`--chart-${n}`)),
    sans: css("--sans"),
  });
  const tone = (t, c, i) =>
    ({ good: c.series[2], warn: c.series[1], bad: c.bad, quiet: c.series[5] })[t] || c.series[i % 6];

  const single = (s) => s.values.filter((v) => v != null).length === 1; // where something stands now: a dot

  const base = (c, d) => ({
    animation: !matchMedia("(prefers-reduced-motion: reduce)").matches,
    animationDuration: 300,
    color: c.series,
    textStyle: { fontFamily: c.sans, color: c.ink2 },
    aria: { enabled: false },
    grid: { left: 4, right: 16, top: d.legend ? 40 : 16, bottom: 4, containLabel: true },
    tooltip: {
      trigger: "axis",
      renderMode: "richText",
      confine: true,
      backgroundColor: c.surface,
      borderColor: c.strong,
      borderWidth: 1,
      padding: [8, 12],
      textStyle: { color: c.ink, fontSize: 13 },
      axisPointer: {
        lineStyle: { color: c.strong },
        shadowStyle: { color: c.sunken, opacity: 0.6 },
        crossStyle: { color: c.strong },
      },
      valueFormatter: (v) => `${group(v)} ${d.unit}`,
    },
    legend: {
      show: Boolean(d.legend),
      top: 0,
      left: 0,
      icon: "roundRect",
      itemWidth: 10,
      itemHeight: 10,
      itemGap: 16,
      textStyle: { color: c.ink2, fontSize: 12.5 },
      data: d.legend || [],
    },
  });
  const categories = (c, x, gap) => ({
    type: "category",
    data: x,
    boundaryGap: gap,
    axisLine: { lineStyle: { color: c.strong } },
    axisTick: { show: false },
    axisLabel: {
      color: c.ink3,
      fontSize: 12,
      hideOverlap: true,
      ...(gap ? {} : { alignMinLabel: "left", alignMaxLabel: "right" }),
    },
  });
  const values = (c, extra) => ({
    type: "value",
    splitLine: { lineStyle: { color: c.line } },
    axisLabel: { color: c.ink3, fontSize: 12, hideOverlap: true, formatter: compact },
    ...extra,
  });
  // the library looks at some labels only when it makes room for them
  const pen = document.createElement("canvas").getContext("2d");
  const widest = (c, texts) => {
    pen.font = `12px ${c.sans}`;
    return Math.ceil(Math.max(0, ...texts.map((text) => pen.measureText(text).width))) + 2;
  };

  const kinds = {
    line: (d, c) => ({
      ...base(c, { ...d, legend: d.series.length > 1 ? d.series.map((s) => s.name) : null }),
      xAxis: categories(c, d.x, d.step ? false : false),
      yAxis: values(c, { scale: true }),
      series: d.series.map((s, i) => ({
        name: s.name,
        type: single(s) ? "scatter" : "line",
        z: single(s) ? 5 : 2,
        data: s.values,
        step: d.step ? "end" : false,
        symbolSize: single(s) ? 13 : 6,
        showSymbol: d.x.length < 14,
        lineStyle: { width: 2.25, type: s.dashed ? "dashed" : "solid" },
        itemStyle: { color: tone(s.tone, c, i) },
        areaStyle: d.series.length === 1 ? { opacity: 0.1 } : undefined,
      })),
    }),
    bar: (d, c) => {
      const cat = categories(c, d.x, true);
      const val = values(c, d.horizontal ? { splitNumber: d.width < 480 ? 3 : 5 } : {});
      const option = base(c, { ...d, legend: d.series.length > 1 ? d.series.map((s) => s.name) : null });
      const label = d.horizontal ? Math.min(widest(c, d.x), Math.round(d.width * 0.4)) : 0;
      if (d.horizontal) option.grid = { ...option.grid, left: label + 12, bottom: 26, containLabel: false };
      return {
        ...option,
        xAxis: d.horizontal ? val : cat,
        yAxis: d.horizontal
          ? {
              ...cat,
              inverse: true,
              axisLabel: { ...cat.axisLabel, hideOverlap: false, interval: 0, width: label, overflow: "truncate" },
            }
          : val,
        series: d.series.map((s, i) => ({
          name: s.name,
          type: "bar",
          data: s.values,
          stack: d.stacked ? "all" : undefined,
          barMaxWidth: 36,
          itemStyle: {
            color: tone(s.tone, c, i),
            borderRadius: d.stacked ? 0 : d.horizontal ? [0, 4, 4, 0] : [4, 4, 0, 0],
            borderColor: c.surface,
            borderWidth: d.stacked ? 1 : 0,
          },
        })),
      };
    },
    band: (d, c) => {
      const [actual, low, middle, high] = d.names;
      const option = base(c, {
        ...d,
        legend: [actual, middle, `${low} to ${high}`.toLowerCase().replace(/^./, (l) => l.toUpperCase())],
      });
      const range = option.legend.data[2];
      option.tooltip.formatter = (points) => {
        const i = points?.[0]?.dataIndex;
        if (i === undefined) return "";
        const rows = [
          [actual, d.actual[i]],
          [middle, d.middle[i]],
          [low, d.low[i]],
          [high, d.high[i]],
        ].filter((r) => r[1] != null);
        return [d.x[i], ...rows.map(([n, v]) => `${n}: ${group(v)} ${d.unit}`)].join("\n");
      };
      return {
        ...option,
        xAxis: categories(c, d.x, false),
        yAxis: values(c),
        series: [
          {
            name: "base",
            type: "line",
            stack: "band",
            data: d.low,
            symbol: "none",
            lineStyle: { opacity: 0 },
            silent: true,
            tooltip: { show: false },
          },
          {
            name: range,
            type: "line",
            stack: "band",
            data: d.high.map((h, i) => (h == null ? null : h - d.low[i])),
            symbol: "none",
            lineStyle: { opacity: 0 },
            areaStyle: { color: c.series[0], opacity: 0.18 },
            itemStyle: { color: c.series[0], opacity: 0.35 },
            silent: true,
          },
          {
            name: middle,
            type: "line",
            data: d.middle,
            symbol: "none",
            lineStyle: { width: 2, type: [5, 4], color: c.series[0] },
            itemStyle: { color: c.series[0] },
          },
          {
            name: actual,
            type: "line",
            data: d.actual,
            symbol: "none",
            lineStyle: { width: 2.25, color: c.ink },
            itemStyle: { color: c.ink },
          },
        ],
      };
    },
    waterfall: (d, c) => {
      const option = base(c, d);
      option.grid.top = 28;
      option.tooltip.formatter = (points) => {
        const s = d.steps[points?.[0]?.dataIndex];
        return !s ? "" : `${s.label}\n${group(s.value)} ${d.unit}${s.total ? "" : `\nLevel ${group(s.end)} ${d.unit}`}`;
      };
      const spans = d.steps.map((s) => [Math.min(s.start, s.end), Math.max(s.start, s.end)]);
      const colour = (s) => (s.total ? c.series[0] : s.value < 0 ? c.series[2] : c.series[1]);
      const bar = (lengths, position, says) => ({
        type: "bar",
        stack: "w",
        barMaxWidth: 48,
        label: {
          show: true,
          position,
          color: c.ink2,
          fontSize: 12,
          formatter: (p) => (says(spans[p.dataIndex]) ? group(d.steps[p.dataIndex].value) : ""),
        },
        data: lengths.map((value, i) => ({ value, itemStyle: { color: colour(d.steps[i]), borderRadius: 3 } })),
      });
      return {
        ...option,
        xAxis: {
          ...categories(
            c,
            d.steps.map((s) => s.label),
            true,
          ),
          axisLabel: {
            color: c.ink2,
            fontSize: d.width < 480 ? 11 : 12,
            interval: 0,
            width: Math.min(76, Math.floor((d.width - 52) / d.steps.length)),
            overflow: "break",
          },
        },
        yAxis: values(c, spans.some(([low]) => low < 0) ? { boundaryGap: ["12%", "4%"] } : {}),
        series: [
          {
            type: "bar",
            stack: "w",
            silent: true,
            itemStyle: { opacity: 0 },
            data: spans.map(([low, high]) => (low > 0 ? low : high < 0 ? high : 0)),
          },
          bar(
            spans.map(([low, high]) => Math.max(0, high) - Math.max(0, low)),
            "top",
            ([low, high]) => high > 0 || low === 0,
          ), // what lies above nought
          bar(
            spans.map(([low, high]) => Math.min(0, low) - Math.min(0, high)),
            "bottom",
            ([low, high]) => low < 0 && high <= 0,
          ), // and below
        ],
      };
    },
    control: (d, c) => {
      const option = base(c, d);
      option.grid.right = 64;
      const rule = (y, name, dashed) => ({
        yAxis: y,
        name,
        lineStyle: { color: dashed ? c.series[1] : c.ink3, type: dashed ? "dashed" : "solid", width: 1.25 },
        label: { formatter: `${name} ${group(y)}`, position: "end", color: c.ink3, fontSize: 11.5 },
      });
      return {
        ...option,
        xAxis: categories(c, d.x, false),
        yAxis: values(c, {
          scale: true,
          min: (v) => Math.floor(Math.min(v.min, d.low) - 1),
          max: (v) => Math.ceil(Math.max(v.max, d.high) + 1),
        }),
        series: [
          {
            type: "line",
            cursor: d.hrefs.length ? "pointer" : "default",
            lineStyle: { width: 1.75, color: c.series[0] },
            symbolSize: 8,
            data: d.values.map((v) => ({
              value: v,
              symbol: "circle",
              symbolSize: v < d.low || v > d.high ? 12 : 7,
              itemStyle: { color: v < d.low || v > d.high ? c.bad : c.series[0] },
            })),
            markLine: {
              silent: true,
              symbol: "none",
              data: [rule(d.high, "high", true), rule(d.centre, "mean", false), rule(d.low, "low", true)],
            },
          },
        ],
      };
    },
    map: (d, c) => {
      const option = base(c, d);
      const lats = d.points.map((p) => p.lat);
      const lons = d.points.map((p) => p.lon);
      const pad = (a, least) => {
        const lo = Math.min(...a);
        const hi = Math.max(...a);
        const more = Math.max((hi - lo) * 0.3, least);
        return [lo - more, hi + more];
      };
      const [south, north] = d.points.length ? pad(lats, 4) : [-55, 75];
      const [west, east] = d.points.length ? pad(lons, 7) : [-170, 180];
      const most = Math.max(1, ...d.points.map((p) => p.value));
      const heavy = Math.max(1e-9, ...d.flows.map((f) => f.value));
      const at = new Map(d.points.map((p) => [p.name, [p.lon, p.lat]]));
      option.tooltip = { ...option.tooltip, trigger: "item", formatter: (p) => p.data?.words || p.name };
      delete option.grid;
      return {
        ...option,
        geo: {
          map: "world",
          roam: "move",
          scaleLimit: { min: 1, max: 12 },
          aspectScale: Math.max(0.4, Math.cos((((south + north) / 2) * Math.PI) / 180)),
          boundingCoords: [
            [Math.max(-180, west), Math.min(85, north)],
            [Math.min(180, east), Math.max(-85, south)],
          ],
          left: 0,
          right: 0,
          top: 0,
          bottom: 0,
          silent: true,
          itemStyle: { areaColor: c.land, borderColor: c.landLine, borderWidth: 0.8 },
        },
        series: [
          {
            type: "lines",
            coordinateSystem: "geo",
            symbol: ["none", "arrow"],
            symbolSize: 9,
            silent: false,
            data: d.flows.map((f) => ({
              coords: [at.get(f.start), at.get(f.end)],
              words: `${f.start} to ${f.end}\n${group(f.value)} ${d.unit} ${f.label}`,
              lineStyle: { width: 1.5 + (2.5 * f.value) / heavy },
            })),
            lineStyle: { color: c.series[1], opacity: 0.85, curveness: 0.22 },
          },
          {
            type: "scatter",
            coordinateSystem: "geo",
            symbolSize: (v) => 10 + 22 * Math.sqrt(Math.max(0, v[2]) / most),
            cursor: "pointer",
            data: d.points.map((p) => ({
              name: p.name,
              value: [p.lon, p.lat, p.value],
              href: p.href,
              words: `${p.name}\n${group(p.value)} ${p.unit || d.unit}`,
              label: { position: p.tone === "warn" ? "left" : "right" },
              itemStyle: {
                color: p.tone ? tone(p.tone, c, 0) : c.series[0],
                opacity: 0.85,
                borderColor: c.surface,
                borderWidth: 1.5,
              },
            })),
            label: {
              show: true,
              position: "right",
              formatter: "{b}",
              color: c.ink,
              fontSize: 12,
              textBorderColor: c.surface,
              textBorderWidth: 2.5,
            },
            labelLayout: { hideOverlap: true, moveOverlap: "shiftY" },
          },
        ],
      };
    },
  };

  window.hanseCharts = { kinds, look };
})();
