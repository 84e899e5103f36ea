// A page that the server wrote stays true: while it is seen its parts marked data-fresh are asked for
// again, and exchanged where they changed. Nobody is disturbed in a part that is in use.
const EVERY = 15000;
const PATIENCE = 10000;

// What a part says, without what differs each time it is written.
const words = (part) => {
  const copy = part.cloneNode(true);
  for (const token of copy.querySelectorAll("[name=csrfmiddlewaretoken]")) token.remove();
  for (const age of copy.querySelectorAll("[data-since]")) age.textContent = "";
  return copy.outerHTML;
};

const inUse = (part) => part.contains(document.activeElement)
  || part.querySelector("details[open]") !== null
  || [...part.querySelectorAll("select")].some((choice) => choice.selectedIndex > 0);

export const keepFresh = ({ exchanged, failed, answered }) => {
  const parts = () => [...document.querySelectorAll("[data-fresh]")];
  const said = new Map(parts().map((part) => [part.dataset.fresh, words(part)]));
  let timer;

  const take = (page) => {
    let changed = false;
    for (const part of parts()) {
      const fresh = page.querySelector(`[data-fresh="${part.dataset.fresh}"]`);
      if (!fresh || inUse(part) || said.get(part.dataset.fresh) === words(fresh)) continue;
      said.set(part.dataset.fresh, words(fresh));
      part.replaceWith(document.adoptNode(fresh));
      changed = true;
    }
    if (changed) exchanged();
  };

  const ask = async () => {
    clearTimeout(timer);
    if (document.hidden) return;
    try {
      const response = await fetch(location.href, { cache: "no-store", signal: AbortSignal.timeout(PATIENCE) });
      // Who was signed out meanwhile is led to the sign-in page, which has none of these parts.
      if (!response.ok || response.redirected) throw new Error(String(response.status));
      take(new DOMParser().parseFromString(await response.text(), "text/html"));
      answered();
    } catch {
      failed();
    }
    timer = setTimeout(ask, EVERY);
  };

  document.addEventListener("visibilitychange", ask);
  addEventListener("online", ask);
  timer = setTimeout(ask, EVERY);
};
