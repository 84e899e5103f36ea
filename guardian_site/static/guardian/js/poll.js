// Asks the server again and again: while the page is seen, slower when it does not answer.
const EVERY = 2500;
const LONGEST = 30000;
const PATIENCE = 10000;

export class Poller {
  constructor({ address, answered, failed }) {
    Object.assign(this, { address, answered, failed });
    this.etags = new Map();
    this.failures = 0;
    this.paused = false;
    this.turn = 0;
    document.addEventListener("visibilitychange", () => this.#wake());
    addEventListener("online", () => this.#wake());
  }

  #wake() {
    if (!document.hidden && !this.paused) this.now();
  }

  pause(paused) {
    this.paused = paused;
    clearTimeout(this.timer);
    if (!paused) this.now();
  }

  // Ask at once; an answer to an older question is dropped.
  async now() {
    clearTimeout(this.timer);
    const turn = ++this.turn;
    let wait = EVERY;
    try {
      await this.#ask(turn);
      this.failures = 0;
    } catch (error) {
      if (turn !== this.turn) return;
      wait = error.wait ?? Math.min(LONGEST, EVERY * 2 ** ++this.failures);
      this.failed(error, wait);
    }
    if (turn === this.turn && !this.paused && !document.hidden) this.timer = setTimeout(() => this.now(), wait);
  }

  async #ask(turn) {
    const url = this.address();
    const headers = { Accept: "application/json" };
    if (this.etags.has(url)) headers["If-None-Match"] = this.etags.get(url);
    const response = await fetch(url, { headers, cache: "no-store", signal: AbortSignal.timeout(PATIENCE) });
    if (turn !== this.turn) return;
    if (response.status === 304) {
      this.answered(null);
      return;
    }
    if (!response.ok) {
      const after = Number(response.headers.get("Retry-After"));
      throw Object.assign(new Error(String(response.status)), { status: response.status, wait: after ? after * 1000 : undefined });
    }
    const body = await response.json();
    if (turn !== this.turn) return;
    this.etags = new Map([[url, response.headers.get("ETag")]]);
    this.answered(body);
  }
}
