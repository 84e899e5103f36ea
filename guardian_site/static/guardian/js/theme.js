// Runs before the first paint: a page that flashes white at night is not calm.
(() => {
  const root = document.documentElement;
  const kept = () => {
    try { return localStorage.getItem("guardian-theme"); } catch { return null; }
  };
  const show = (theme) => { root.dataset.theme = theme === "light" || theme === "dark" ? theme : "auto"; };
  show(kept());
  document.addEventListener("DOMContentLoaded", () => {
    const button = document.getElementById("theme");
    if (!button) return;
    const dark = matchMedia("(prefers-color-scheme: dark)");
    const now = () => (root.dataset.theme === "auto" ? (dark.matches ? "dark" : "light") : root.dataset.theme);
    const tell = () => button.setAttribute("aria-pressed", String(now() === "dark"));
    const changed = () => { tell(); document.dispatchEvent(new Event("themechange")); };
    button.hidden = false;
    tell();
    dark.addEventListener("change", changed);
    button.addEventListener("click", () => {
      const next = now() === "dark" ? "light" : "dark";
      show(next);
      try { localStorage.setItem("guardian-theme", next); } catch { /* private mode: for this page only */ }
      changed();
    });
  });
})();
