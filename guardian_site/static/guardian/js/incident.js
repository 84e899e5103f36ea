// An incident's page: what was expected and seen around the onset, and what has become of it since.
import { BandChart } from "./charts.js";
import { fill, find, refreshAges } from "./dom.js";
import { DAY, clock, moment, number, range } from "./format.js";
import { keepFresh } from "./fresh.js";

const config = JSON.parse(find("#incident-config").textContent);
const place = find("#incident-chart");
const stale = find("#stale");
let chart, series;

const legend = (index) => {
  const { minutes, seen, expected, lower, upper } = series;
  const at = index ?? minutes.findIndex((minute) => minute >= config.onset);
  if (at < 0) return;
  fill(find(".reading", place), {
    at: (minutes.at(-1) - minutes[0] > DAY ? moment : clock)(minutes[at], config.zone), seen: number(seen[at]),
    expected: expected[at] === null ? null : range(lower[at], upper[at]),
  });
};

const draw = async () => {
  const response = await fetch(config.url, { headers: { Accept: "application/json" } });
  if (!response.ok) throw new Error(String(response.status));
  const body = await response.json();
  series = body.series;
  chart ??= new BandChart(find(".plot", place), { zone: config.zone, share: body.share, hovered: legend });
  chart.show([series.minutes, series.upper, series.lower, series.expected, series.seen], body.windows, config.onset);
  legend(null);
};

const redraw = () => draw()
  .then(() => { find("#chart-failed").hidden = true; })
  .catch(() => { find("#chart-failed").hidden = chart !== undefined; });

const now = () => Date.now() / 1000;
const age = () => refreshAges(now());
let answeredAt = now();
age();
setInterval(age, 5000);
redraw();
keepFresh({
  exchanged: () => { age(); redraw(); },
  answered: () => { answeredAt = now(); stale.hidden = true; },
  failed: () => { fill(stale, { at: clock(answeredAt, config.zone) }); stale.hidden = false; },
});
