// One line over its expected band, with the incidents shaded behind it.
import { DAY, clock, day, number, percent } from "./format.js";

const AXIS_FONT = '11px system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", sans-serif';
const HATCH = 7;
const MIDNIGHT = "00:00";
const probe = document.createElement("span");
probe.hidden = true;
document.documentElement.append(probe);
let colours = new Map();
document.addEventListener("themechange", () => { colours = new Map(); });

// A canvas knows no custom properties: have the browser resolve them, once per theme.
const colour = (name) => {
  if (!colours.has(name)) {
    probe.style.color = `var(--${name})`;
    colours.set(name, getComputedStyle(probe).color);
  }
  return colours.get(name);
};

// One shade for all incidents of a level: many on top of each other would hide the line. Critical ones
// come last, on top.
const joined = (windows) => {
  const spans = [];
  for (const span of [...windows].sort((one, other) => one.from - other.from)) {
    const before = spans.findLast(({ level }) => level === span.level);
    if (before && span.from <= before.to) before.to = Math.max(before.to, span.to);
    else spans.push({ ...span });
  }
  return spans.sort((one, other) => other.level.localeCompare(one.level));
};

const shadeWindows = (chart, windows) => {
  const { ctx, bbox } = chart;
  for (const span of windows) {
    const from = Math.max(bbox.left, chart.valToPos(span.from, "x", true));
    const to = Math.min(bbox.left + bbox.width, chart.valToPos(span.to, "x", true));
    if (to <= bbox.left || from >= bbox.left + bbox.width) continue;
    const level = span.level === "CRITICAL" ? "critical" : "warning";
    const width = Math.max(to - from, 3);
    ctx.save();
    ctx.beginPath();
    ctx.rect(from, bbox.top, width, bbox.height);
    ctx.clip();
    ctx.fillStyle = colour(`chart-${level}`);
    ctx.fillRect(from, bbox.top, width, bbox.height);
    ctx.strokeStyle = colour(`chart-${level}`);
    // Critical is hatched, so that the two levels differ without their colours.
    if (level === "critical") {
      ctx.beginPath();
      for (let x = from - bbox.height; x < from + width; x += HATCH * devicePixelRatio) {
        ctx.moveTo(x, bbox.top + bbox.height);
        ctx.lineTo(x + bbox.height, bbox.top);
      }
      ctx.stroke();
    }
    ctx.fillStyle = colour(level);
    ctx.fillRect(from, bbox.top, width, 3 * devicePixelRatio);
    ctx.restore();
  }
};

const markMinute = (chart, minute) => {
  if (!minute) return;
  const { ctx, bbox } = chart;
  const x = chart.valToPos(minute, "x", true);
  if (x < bbox.left || x > bbox.left + bbox.width) return;
  ctx.save();
  ctx.strokeStyle = colour("ink");
  ctx.lineWidth = devicePixelRatio;
  ctx.setLineDash([4 * devicePixelRatio, 3 * devicePixelRatio]);
  ctx.beginPath();
  ctx.moveTo(x, bbox.top);
  ctx.lineTo(x, bbox.top + bbox.height);
  ctx.stroke();
  ctx.restore();
};

const axes = (zone, small, share) => [
  {
    stroke: () => colour("ink-2"), font: AXIS_FONT, size: small ? 22 : 28, space: small ? 70 : 80, gap: 3,
    grid: { show: !small, stroke: () => colour("chart-grid"), width: 1 },
    ticks: { stroke: () => colour("chart-grid"), width: 1, size: 4 },
    // Where a day begins, the axis shows its date.
    values: (_chart, splits, _i, _space, step) => splits.map((second) =>
      (step >= DAY || clock(second, zone) === MIDNIGHT ? day(second, zone) : clock(second, zone))),
  },
  {
    stroke: () => colour("ink-2"), font: AXIS_FONT, size: 46, gap: 4, space: small ? 30 : 36,
    grid: { stroke: () => colour("chart-grid"), width: 1 },
    ticks: { show: false },
    values: (_chart, splits) => splits.map((value) => (share ? percent(value) : number(value))),
  },
];

const line = (name, width, extra = {}) => ({ stroke: () => colour(name), width, points: { show: false }, ...extra });

// Columns of the data: time, upper, lower, expected, seen and perhaps a second line.
export class BandChart {
  constructor(place, { zone, second = false, small = false, share = false, hovered = () => {} }) {
    this.place = place;
    this.windows = [];
    this.marked = null;
    this.small = small;
    const series = [
      {},
      line("chart-expected", 0.5),
      line("chart-expected", 0.5),
      line("chart-expected", 1, { dash: [4, 4] }),
      line("chart-line", small ? 1.5 : 1.75),
    ];
    if (second) series.push(line("chart-second", 1.5, { dash: [6, 3] }));
    this.chart = new uPlot({
      ...this.#size(),
      pxAlign: false,
      legend: { show: false },
      // On the right there is room for half of a time that stands at the very end.
      padding: [6, 18, 0, 0],
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), zone),
      scales: { y: { range: (_chart, low, high) => this.#limits(low, high, share) } },
      series,
      bands: [{ series: [1, 2], fill: () => colour("chart-band") }],
      axes: axes(zone, small, share),
      cursor: {
        y: false, drag: { x: false, y: false }, sync: { key: "guardian" },
        points: { size: 7, width: 2, fill: () => colour("panel") },
        dataIdx: (_chart, index, hovered) => (index === 0 || index >= 4 ? hovered : null),
      },
      hooks: {
        drawClear: [(chart) => shadeWindows(chart, this.windows)],
        draw: [(chart) => markMinute(chart, this.marked)],
        setCursor: [(chart) => hovered(chart.cursor.idx ?? null)],
      },
    }, null, place);
    new ResizeObserver(() => this.#resize()).observe(place);
    document.addEventListener("themechange", () => requestAnimationFrame(() => this.chart.redraw(false, false)));
    place.addEventListener("keydown", (event) => this.#step(event));
  }

  // An approval rate says little when drawn from zero; a count says everything from there.
  #limits(low, high, share) {
    if (low === null || high === null) return [0, 1];
    if (!share) return [0, Math.max(high * 1.08, 4)];
    const floor = Math.max(0, low - Math.max(0.02, (high - low) * 0.1));
    return [floor * 100 < 5 ? 0 : floor, Math.min(1, high + 0.02)];
  }

  #size() {
    return { width: Math.max(120, this.place.clientWidth), height: Math.max(60, this.place.clientHeight) };
  }

  #resize() {
    const size = this.#size();
    if (size.width !== this.chart.width || size.height !== this.chart.height) this.chart.setSize(size);
  }

  #step(event) {
    const step = { ArrowLeft: -1, ArrowRight: 1, PageUp: -15, PageDown: 15 }[event.key];
    if (!step || !this.chart.data[0].length) return;
    event.preventDefault();
    const last = this.chart.data[0].length - 1;
    const index = Math.min(last, Math.max(0, (this.chart.cursor.idx ?? last + 1) + step));
    const left = this.chart.valToPos(this.chart.data[0][index], "x");
    this.chart.setCursor({ left, top: 10 });
  }

  show(columns, windows = [], marked = null) {
    this.windows = joined(windows);
    this.marked = marked;
    this.chart.setData(columns);
  }
}
