// Filling the page's own <template>s: no markup in scripts, so every word is translated in one place.
import { moment, since } from "./format.js";

export const find = (selector, within = document) => within.querySelector(selector);

export const copy = (id) => document.getElementById(id).content.firstElementChild.cloneNode(true);

// An empty value hides the element that would have shown it, or the nearest data-optional around it.
export const fill = (node, record) => {
  for (const place of node.querySelectorAll("[data-field]")) {
    const value = record[place.dataset.field];
    const empty = value === null || value === undefined || value === "";
    (place.closest("[data-optional]") ?? place).hidden = empty;
    if (!empty && place.textContent !== String(value)) place.textContent = value;
  }
  for (const place of node.querySelectorAll("[data-to]")) place.setAttribute("href", record[place.dataset.to]);
  return node;
};

export const setLevel = (node, level) => {
  node.dataset.level = level;
  const use = node.querySelector("use");
  if (use) use.setAttribute("href", `${use.getAttribute("href").split("#")[0]}#${level}`);
};

export const setTime = (place, seconds, zone) => {
  place.dateTime = new Date(seconds * 1000).toISOString();
  place.textContent = moment(seconds, zone);
};

// Elements with data-since="<epoch>" say how long ago that was, and go on saying it.
export const refreshAges = (now, within = document) => {
  for (const place of within.querySelectorAll("[data-since]")) {
    const text = since(Number(place.dataset.since), now);
    if (place.textContent !== text) place.textContent = text;
  }
};

// Rows are kept where they are if nothing about them changed: a reader's place and focus stay.
export const showList = (list, records, make) => {
  const old = new Map([...list.children].map((child) => [child.dataset.key, child]));
  const rows = records.map((record) => {
    const key = String(record.id);
    const print = JSON.stringify(record);
    const known = old.get(key);
    if (known && known.guardianPrint === print) return known;
    const row = make(record);
    row.dataset.key = key;
    row.guardianPrint = print;
    return row;
  });
  const same = rows.length === list.children.length && rows.every((row, index) => row === list.children[index]);
  if (!same) list.replaceChildren(...rows);
};
