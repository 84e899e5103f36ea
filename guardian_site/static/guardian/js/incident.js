// An incident's page: what was expected and seen around the onset, and how long ago things were.
import { BandChart } from "./charts.js";
import { fill, find, refreshAges } from "./dom.js";
import { clock, number, range } from "./format.js";

const config = JSON.parse(find("#incident-config").textContent);
const place = find("#incident-chart");

const draw = async () => {
  const response = await fetch(config.url, { headers: { Accept: "application/json" } });
  if (!response.ok) throw new Error(String(response.status));
  const body = await response.json();
  const { minutes, seen, expected, lower, upper } = body.series;
  const columns = [minutes, upper, lower, expected, seen];
  const legend = (index) => {
    const at = index ?? minutes.findIndex((minute) => minute >= config.onset);
    if (at < 0) return;
    fill(find(".reading", place), {
      at: clock(minutes[at], config.zone), seen: number(seen[at]),
      expected: expected[at] === null ? null : range(lower[at], upper[at]),
    });
  };
  const chart = new BandChart(find(".plot", place), { zone: config.zone, share: body.share, hovered: legend });
  chart.show(columns, body.windows, config.onset);
  legend(null);
};

const age = () => refreshAges(Date.now() / 1000);
age();
setInterval(age, 5000);
if (place) draw().catch(() => { find("#chart-failed").hidden = false; });
