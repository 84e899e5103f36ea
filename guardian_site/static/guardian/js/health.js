// The strip that says whether the parts behind the page are alive.
import { find, setLevel } from "./dom.js";
import { since } from "./format.js";

const LEVELS = { ok: "NORMAL", degraded: "WARNING", down: "CRITICAL", idle: "UNKNOWN" };
const EVERY = 10000;

const show = (strip, parts, now) => {
  for (const item of strip.querySelectorAll("[data-part]")) {
    const part = parts[item.dataset.part];
    item.hidden = !part;
    if (!part) continue;
    setLevel(item, LEVELS[part.state] ?? "UNKNOWN");
    const words = find(`[data-state="${part.state}"]`, strip);
    find("[data-word]", item).textContent = words ? words.textContent : part.state;
    item.title = part.detail ?? "";
    const age = find("[data-age]", item);
    if (age && part.age_seconds > 60) age.textContent = since(now - part.age_seconds, now);
    else if (age) age.textContent = "";
  }
};

export const watchHealth = (strip) => {
  const ask = async () => {
    if (!document.hidden) {
      try {
        const response = await fetch(strip.dataset.url, { cache: "no-store", signal: AbortSignal.timeout(EVERY) });
        show(strip, (await response.json()).parts ?? {}, Date.now() / 1000);
        strip.dataset.stale = "";
      } catch {
        // The live poll already says that the server does not answer.
        strip.dataset.stale = "yes";
      }
    }
    setTimeout(ask, EVERY);
  };
  ask();
};
