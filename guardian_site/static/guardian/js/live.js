// The live page: asks, merges, shows.
import { BandChart } from "./charts.js";
import { copy, fill, find, refreshAges, setLevel, setTime, showList } from "./dom.js";
import { clock, moment, number, percent, range, score } from "./format.js";
import { watchHealth } from "./health.js";
import "./names.js";
import { Poller } from "./poll.js";
import { approvalColumns, bandColumns, last, merge } from "./series.js";
import { showTiles } from "./tiles.js";

const config = JSON.parse(find("#live-config").textContent);
// Minutes further back than an answer repeats may change too (late reports): ask for all now and then.
const WHOLE_EVERY = 300;
const TABLE_MINUTES = 30;
// A source that is well reports each minute; after so many seconds somebody should look.
const QUIET_TOO_LONG = 180;
const SMALLS = ["denied", "failed", "reversed", "backend_reversed", "refunded"];
const known = { series: null, body: null, incidents: null, wholeAt: 0, shownAt: 0, ahead: 0 };
const text = (name, words = {}) =>
  find(`[data-text="${name}"]`, find("#texts").content).textContent.replace(/\{(\w+)\}/g, (_all, word) => words[word]);
const now = () => Date.now() / 1000 - known.ahead;

const address = () => {
  const query = new URLSearchParams({ source: config.source, hours: config.hours });
  if (config.until) query.set("until", config.until);
  else if (known.series && now() - known.wholeAt < WHOLE_EVERY) query.set("since", last(known.series.minutes) ?? 0);
  return `${config.url}?${query}`;
};

const banner = find("#banner");
const say = (message, level) => {
  banner.hidden = !message;
  if (!message) return;
  setLevel(banner, level);
  find("[data-field]", banner).textContent = message;
};

// What came of a press stays until the next one: the poll, which says how things stand, goes on.
const refuse = (message) => {
  const notice = find("#refusal");
  notice.hidden = !message;
  find("[data-field]", notice).textContent = message;
};

// Charts -------------------------------------------------------------------------------------------
const charts = {};
const chartOf = (name, options) => {
  charts[name] ??= new BandChart(find(`[data-chart="${name}"] .plot`), {
    zone: config.zone, hovered: (index) => showLegend(name, index), ...options,
  });
  return charts[name];
};

const columnsOf = (name) => {
  if (name === "approval") return approvalColumns(known.series);
  return bandColumns(known.series, name, name === "total" ? "approved" : null);
};

const showLegend = (name, index) => {
  if (!known.series) return;
  const columns = columnsOf(name);
  const at = index ?? columns[0].length - 1;
  const form = name === "approval" ? percent : number;
  const [upper, lower, expected] = columns.slice(1, 4).map((column) => column[at] ?? null);
  const band = lower === null ? form(expected) : range(lower, upper);
  const legend = find(`[data-chart="${name}"] .reading`);
  fill(legend, {
    at: columns[0][at] ? (config.hours > 24 ? moment : clock)(columns[0][at], config.zone) : null,
    seen: form(columns[4][at]),
    expected: columns[3].every((value) => value === null) ? text("not-learned") : band,
    approved: name === "total" ? number(columns[5][at]) : null,
  });
};

const showCharts = () => {
  const windows = known.body.windows;
  chartOf("total", { second: true }).show(columnsOf("total"), windows);
  chartOf("approval", { small: true, share: true }).show(columnsOf("approval"), windows);
  for (const name of SMALLS) chartOf(name, { small: true }).show(columnsOf(name), windows);
  for (const name of Object.keys(charts)) {
    const index = charts[name].chart.cursor.idx;
    showLegend(name, index);
  }
  describe();
  showTable();
};

// What somebody who does not see the chart hears.
const describe = () => {
  const { seen, lower, upper } = known.series;
  find('[data-chart="total"] .plot').setAttribute("aria-label", text("chart", {
    seen: number(last(seen.total)), expected: range(last(lower.total), last(upper.total)), incidents: known.body.windows.length,
  }));
};

const showTable = () => {
  const { minutes, seen, lower, upper } = known.series;
  const rows = [];
  for (let at = minutes.length - 1; at >= Math.max(0, minutes.length - TABLE_MINUTES); at -= 1) {
    rows.push({
      id: minutes[at], at: clock(minutes[at], config.zone), total: number(seen.total[at]),
      expected: range(lower.total[at], upper.total[at]), approved: number(seen.approved[at]), denied: number(seen.denied[at]),
      failed: number(seen.failed[at]), reversed: number(seen.reversed[at] === null ? null : seen.reversed[at] + seen.backend_reversed[at]),
    });
  }
  showList(find("#numbers"), rows, (record) => fill(copy("numbers-row"), record));
};

// Incidents and verdicts ------------------------------------------------------------------------------
const makeIncident = (record) => {
  const card = fill(copy("incident-card"), record);
  setLevel(card, record.level);
  setTime(find("time", card), record.onset, config.zone);
  find("[data-since]", card).dataset.since = record.onset;
  for (const words of record.lines) {
    const item = document.createElement("li");
    item.textContent = words;
    find(".lines", card).append(item);
  }
  const form = find("form", card);
  if (form) {
    form.action = record.acknowledge;
    form.hidden = record.state !== "open";
  }
  return card;
};

const makeVerdict = (record) => {
  const row = fill(copy("verdict-row"), {
    ...record, seen: number(record.count), expected: range(record.lower, record.upper),
    score: score(record.score),
  });
  setLevel(row, record.level);
  setTime(find("time", row), record.minute, config.zone);
  if (known.shownAt) row.classList.add("fresh");
  return row;
};

// The cards tell their age each second; a screen reader should only hear what is new.
const announce = (incidents) => {
  const fresh = incidents.filter((one) => !known.incidents?.has(one.id));
  if (known.incidents && fresh.length) {
    find("#announcement").textContent = fresh.map((one) => `${one.level_label}: ${one.title}`).join(". ");
  }
  known.incidents = new Set(incidents.map((one) => one.id));
};

const showLists = () => {
  const { incidents, beyond, quiet, verdicts } = known.body;
  announce(incidents);
  showList(find("#incidents"), incidents, makeIncident);
  find("#beyond").hidden = beyond === 0;
  fill(find("#beyond"), { beyond: number(beyond) });
  showList(find("#quiet"), quiet, (record) => fill(copy("quiet-row"), record));
  find("#quiet").hidden = quiet.length === 0;
  find("#no-incidents").hidden = incidents.length > 0 || known.body.state === "empty";
  showList(find("#verdicts"), verdicts, makeVerdict);
  find("#no-verdicts").hidden = verdicts.length > 0;
  find("#verdict-table").hidden = verdicts.length === 0;
  const count = incidents.length ? `(${incidents.length + beyond}) ` : "";
  document.title = count + document.title.replace(/^\(\d+\) /, "");
};

const showFreshness = () => {
  const { newest, judged, state } = known.body;
  const age = find("#data-age");
  age.parentElement.hidden = !newest;
  age.hidden = !newest;
  if (newest) age.dataset.since = newest;
  setLevel(age.parentElement, newest && now() - newest < QUIET_TOO_LONG ? "NORMAL" : "WARNING");
  const note = find("#newest-minute");
  note.hidden = !newest || config.until !== null || state === "empty" || now() - newest < config.hours * 3600;
  if (!note.hidden) {
    fill(note, { at: moment(newest, config.zone) });
    find("a", note).href = `?${new URLSearchParams({ source: config.source, hours: config.hours, until: newest + 60 })}`;
  }
  const line = find("#judged");
  line.hidden = !judged;
  if (!judged) return;
  fill(line, { level_label: judged.level_label, score: score(judged.score) });
  setLevel(find(".level", line), judged.level);
  setTime(find("time", line), judged.minute, config.zone);
};

// Answers ---------------------------------------------------------------------------------------------
const take = (body) => {
  known.ahead = Date.now() / 1000 - body.now;
  const from = body.series.start;
  const whole = !body.series.part;
  if (whole) known.wholeAt = now();
  known.series = merge(whole ? null : known.series, body.series, from);
  known.body = body;
  const empty = body.state === "empty";
  find("#empty").hidden = !empty;
  find("#open").hidden = empty;
  find("#numbers-and-charts").hidden = empty;
  find("#learning").hidden = body.state !== "learning";
  find("#many").hidden = !body.many;
  fill(find("#learning"), { hours: number(body.history_hours) });
  showLists();
  showFreshness();
  if (empty) return;
  showTiles(known.series, body.current, body.incidents);
  showCharts();
};

const answered = (body) => {
  if (body) take(body);
  known.shownAt = now();
  if (poller.paused) sayPaused();
  else say("");
  find("#updated").textContent = new Intl.DateTimeFormat(document.documentElement.lang, {
    timeZone: config.zone, hourCycle: "h23", hour: "2-digit", minute: "2-digit", second: "2-digit",
  }).format(new Date(known.shownAt * 1000));
  refreshAges(now());
  document.body.dataset.live = poller.paused ? "paused" : "yes";
};

const failed = (error, wait) => {
  document.body.dataset.live = "no";
  const words = { wait: Math.round(wait / 1000), at: known.shownAt ? clock(known.shownAt, config.zone) : text("never") };
  const name = { 401: "signed-out", 403: "signed-out", 429: "too-many" }[error.status] ?? "lost";
  say(text(name, words), "CRITICAL");
};

const sayPaused = () => say(text("paused", { at: clock(now(), config.zone) }), "WARNING");

const poller = new Poller({ address, answered, failed });

// Controls ---------------------------------------------------------------------------------------------
find("select#source")?.addEventListener("change", (event) => event.target.form.submit());

const pause = find("#pause");
pause.addEventListener("click", () => {
  const paused = pause.getAttribute("aria-pressed") !== "true";
  pause.setAttribute("aria-pressed", String(paused));
  find("use", pause).setAttribute("href", find("use", pause).getAttribute("href").replace(/#.*/, paused ? "#play" : "#pause"));
  find("span", pause).textContent = paused ? pause.dataset.go : pause.dataset.hold;
  poller.pause(paused);
  document.body.dataset.live = paused ? "paused" : "yes";
  if (paused) sayPaused();
  else say("");
});

// Without a script the form works too; with one the page stays where it is.
find("#incidents").addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = find("button", event.target);
  button.disabled = true;
  refuse("");
  try {
    const response = await fetch(event.target.action, {
      method: "POST", body: new FormData(event.target), redirect: "manual", headers: { Accept: "application/json" },
    });
    // Who was slower hears who was faster, and the card shows it.
    if (!response.ok) refuse(response.status === 409 ? (await response.json()).detail : text("not-done"));
    poller.now();
  } catch {
    refuse(text("not-done"));
  }
  button.disabled = false;
});

setInterval(() => refreshAges(now()), 1000);
watchHealth(find("#health"));
poller.now();
