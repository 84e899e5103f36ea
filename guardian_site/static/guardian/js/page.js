// Every other page: ages that go on, filters that apply themselves.
import { refreshAges } from "./dom.js";
import "./names.js";

const age = () => refreshAges(Date.now() / 1000);
age();
setInterval(age, 5000);
for (const select of document.querySelectorAll("form[data-auto] select")) {
  select.addEventListener("change", () => select.form.requestSubmit());
}
