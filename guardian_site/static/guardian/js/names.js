// A field in which a source is found by typing a part of its name; sent when one is picked or with Enter.
const PATIENCE = 150;

const suggestNames = (field) => {
  const list = document.createElement("datalist");
  list.id = `${field.id || field.name}-names`;
  field.after(list);
  field.setAttribute("list", list.id);
  let waiting, newest = 0;

  const ask = async () => {
    const mine = ++newest;
    const answer = await fetch(`${field.dataset.names}?${new URLSearchParams({ q: field.value })}`).catch(() => null);
    if (!answer?.ok || mine !== newest) return;
    const { sources } = await answer.json();
    list.replaceChildren(...sources.map(({ name, title }) => new Option(title, name)));
  };
  field.addEventListener("input", (event) => {
    clearTimeout(waiting);
    // Whoever picks from the list does not type: browsers tell no kind of input, or a replacement.
    const picked = !event.inputType || event.inputType === "insertReplacementText";
    if (picked && [...list.options].some(({ value }) => value === field.value)) field.form.requestSubmit();
    else waiting = setTimeout(ask, PATIENCE);
  });
  field.addEventListener("focus", ask, { once: true });
};

for (const field of document.querySelectorAll("input[data-names]")) suggestNames(field);
