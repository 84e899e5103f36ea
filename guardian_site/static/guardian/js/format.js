// Numbers and times as people of the page's language read them, in the time zone of the source.
const language = document.documentElement.lang || "en";
const whole = new Intl.NumberFormat(language, { maximumFractionDigits: 0 });
const tenth = new Intl.NumberFormat(language, { maximumFractionDigits: 1 });
const hundredths = new Intl.NumberFormat(language, { minimumFractionDigits: 2, maximumFractionDigits: 2 });
const ago = new Intl.RelativeTimeFormat(language, { numeric: "always", style: "short" });
const zoned = new Map();

const formatter = (zone, options) => {
  const key = `${zone}|${JSON.stringify(options)}`;
  if (!zoned.has(key)) zoned.set(key, new Intl.DateTimeFormat(language, { timeZone: zone, hourCycle: "h23", ...options }));
  return zoned.get(key);
};

export const DAY = 86400;
export const UNKNOWN = "–";
export const number = (value) => {
  if (value === null || value === undefined) return UNKNOWN;
  return (Math.abs(value) < 10 ? tenth : whole).format(value);
};
export const score = (value) => (value === null || value === undefined ? null : hundredths.format(value));
export const percent = (share) => (share === null || share === undefined ? UNKNOWN : `${tenth.format(share * 100)} %`);
export const range = (low, high) => (low === null || low === undefined ? UNKNOWN : `${number(low)}–${number(high)}`);
export const clock = (seconds, zone) => formatter(zone, { hour: "2-digit", minute: "2-digit" }).format(seconds * 1000);
export const day = (seconds, zone) => formatter(zone, { month: "short", day: "numeric" }).format(seconds * 1000);
export const moment = (seconds, zone) =>
  formatter(zone, { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit" }).format(seconds * 1000);

// "12 min ago": the unit a person would use.
export const since = (seconds, now) => {
  const age = Math.max(0, now - seconds);
  if (age < 60) return ago.format(-Math.round(age), "second");
  if (age < 5400) return ago.format(-Math.round(age / 60), "minute");
  if (age < 129600) return ago.format(-Math.round(age / 3600), "hour");
  return ago.format(-Math.round(age / 86400), "day");
};
