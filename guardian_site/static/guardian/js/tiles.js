// The figures on top: the last whole minute and the last quarter of an hour.
import { find, fill, setLevel } from "./dom.js";
import { number, percent, range } from "./format.js";
import { last, lately } from "./series.js";

const QUARTER = 15;
// The newest minutes are judged some seconds after they close: until then the last band stands.
const JUDGED_WITHIN = 5;
const newest = (values) => values.slice(-JUDGED_WITHIN).findLast((value) => value !== null) ?? null;
const sum = (...values) => {
  const known = values.filter((value) => value !== null);
  return known.length ? known.reduce((total, value) => total + value, 0) : null;
};

const counted = (series, points, ...names) => ({
  figure: number(sum(...names.map((name) => lately(series, "seen", name, points)))),
  usual: number(sum(...names.map((name) => lately(series, "expected", name, points)))),
});

const figures = (series, current) => {
  const points = Math.max(1, Math.round(QUARTER / series.step));
  const approval = (part) => {
    const total = lately(series, part, "total", points);
    return percent(total ? lately(series, part, "approved", points) / total : null);
  };
  return {
    volume: {
      figure: number(last(series.seen.total)),
      usual: range(newest(series.lower.total), newest(series.upper.total)),
      current: current ? number(current.total) : null,
    },
    approval: { figure: approval("seen"), usual: approval("expected") },
    denied: counted(series, points, "denied"),
    failed: counted(series, points, "failed"),
    reversed: counted(series, points, "reversed", "backend_reversed"),
  };
};

const worst = (incidents) => {
  const levels = incidents.map((incident) => incident.level);
  return ["CRITICAL", "WARNING"].find((level) => levels.includes(level)) ?? "";
};

export const showTiles = (series, current, incidents) => {
  // Points of several minutes hold means per minute: their sum would be too small.
  const scale = series.step;
  const shown = figures(scale === 1 ? series : multiplied(series, scale), current);
  if (scale !== 1) shown.volume.figure = number(last(series.seen.total));
  for (const [name, record] of Object.entries(shown)) {
    const tile = find(`[data-tile="${name}"]`);
    fill(tile, record);
    const families = tile.dataset.families.split(" ");
    setLevel(tile, worst(incidents.filter((incident) => incident.families.some((family) => families.includes(family)))));
  }
};

const multiplied = (series, scale) => {
  const by = (part) => Object.fromEntries(Object.entries(part).map(([name, values]) =>
    [name, values.map((value) => (value === null ? null : value * scale))]));
  return { ...series, seen: by(series.seen), expected: by(series.expected) };
};
