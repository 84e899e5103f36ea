// The minutes the page knows: new answers replace the end, old minutes fall off the front.
const PARTS = ["seen", "expected", "lower", "upper"];

export const merge = (known, fresh, from) => {
  if (!known) return fresh;
  const keepUntil = fresh.minutes.length ? known.minutes.findIndex((minute) => minute >= fresh.minutes[0]) : -1;
  const keepFrom = Math.max(0, known.minutes.findIndex((minute) => minute >= from));
  const end = keepUntil < 0 ? known.minutes.length : keepUntil;
  const join = (before, after) => [...before.slice(keepFrom, end), ...after];
  const merged = { ...fresh, minutes: join(known.minutes, fresh.minutes) };
  for (const part of PARTS) {
    merged[part] = {};
    for (const name of Object.keys(fresh[part])) merged[part][name] = join(known[part][name], fresh[part][name]);
  }
  return merged;
};

export const bandColumns = (series, name, second = null) => {
  const columns = [series.minutes, series.upper[name], series.lower[name], series.expected[name], series.seen[name]];
  if (second) columns.push(series.seen[second]);
  return columns;
};

const ratio = (above, below) => above.map((value, index) => (value === null || !below[index] ? null : value / below[index]));

export const approvalColumns = (series) => {
  const nothing = series.minutes.map(() => null);
  const expected = ratio(series.expected.approved, series.expected.total);
  return [series.minutes, nothing, nothing, expected, ratio(series.seen.approved, series.seen.total)];
};

// What the last `count` points hold together; null where nothing is known.
export const lately = (series, part, name, count) => {
  const values = series[part][name].slice(-count).filter((value) => value !== null);
  return values.length ? values.reduce((sum, value) => sum + value, 0) : null;
};

export const last = (values) => (values.length ? values[values.length - 1] : null);
