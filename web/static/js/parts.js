// The parts that pages share: states, sums, tables, notices, times.

import { h, icon } from "./dom.js";
import { exact, dayAndTime, fromNow, number } from "./format.js";
import { PARTS, isWhole } from "./model.js";

export function pill({ tone, icon: name, label }) {
  const sign = name ? icon(name) : h("span", { class: "pulse beats" });
  return h("span", { class: `pill ${tone}` }, sign, label);
}

/** A time as people say it, with the exact one in its title. */
export function moment(unixMs, show = dayAndTime) {
  if (!unixMs) return h("span", { class: "soft" }, "never");
  return h("time", { datetime: new Date(unixMs).toISOString(), title: exact(unixMs) }, show(unixMs));
}

/** `12 s ago` or `in 5 min`. */
export function relative(unixMs) {
  return moment(unixMs, fromNow);
}

export function button({ label, sign, kind = "", onclick, disabled, about, small }) {
  const properties = {
    type: "button",
    class: `button ${kind} ${small ? "small" : ""}`.trim(),
    onclick,
    disabled,
    "aria-label": about,
  };
  return h("button", properties, sign ? icon(sign) : null, label);
}

export function link({ label, sign, kind = "", to, small, about }) {
  return h(
    "a",
    { class: `button ${kind} ${small ? "small" : ""}`.trim(), href: to, "aria-label": about },
    sign ? icon(sign) : null,
    label,
  );
}

export function notice(tone, sign, ...children) {
  return h("div", { class: `notice ${tone}` }, icon(sign), h("div", null, children));
}

export function nothingYet(sign, title, text, ...actions) {
  return h("div", { class: "nothing-yet" }, icon(sign), h("h2", null, title), h("p", null, text), actions);
}

/** The head of a page: its title, a sentence, and what can be done here. */
export function pageHead({ title, text, crumb, actions = [] }) {
  const back = crumb ? h("a", { class: "crumb", href: crumb.to }, `\u2190 ${crumb.label}`) : null;
  return h(
    "div",
    { class: "head" },
    h("div", null, back, h("h1", { id: "title", tabindex: "-1" }, title), text ? h("p", null, text) : null),
    actions.length ? h("div", { class: "row" }, actions) : null,
  );
}

export function panel({ title, text, actions, flush }, ...children) {
  const head = title
    ? h("header", null, h("h2", null, title), actions ?? null, text ? h("p", { class: "small" }, text) : null)
    : null;
  return h("section", { class: flush ? "panel flush" : "panel" }, head, children);
}

/** The bar of a sum: one stretch for each part that is not empty. */
export function bar(tally) {
  const told = PARTS.filter(({ name }) => tally[name] > 0).map(
    ({ name, label }) => `${label}: ${number(tally[name])}`,
  );
  const stretches = PARTS.filter(({ name }) => tally[name] > 0).map(({ name }) =>
    h("i", { "data-part": name, key: name, style: { "--share": String(tally[name]) } }),
  );
  const label = told.length ? `${number(tally.found)} found. ${told.join(", ")}.` : "Nothing found yet.";
  return h("div", { class: "bar-of-parts", role: "img", "aria-label": label }, stretches);
}

/** found = delivered + already there + ..., as numbers that can be read as a sum. */
function equation(tally) {
  const part = ({ name, label }, index) =>
    h(
      "div",
      { class: tally[name] === 0 ? "nothing" : "", key: name },
      h("dt", null, h("i", { class: "key", "data-part": name }), label),
      h(
        "dd",
        null,
        h("span", { class: "sign", "aria-hidden": "true" }, index === 0 ? "=" : "+"),
        number(tally[name]),
      ),
    );
  return h(
    "dl",
    { class: "equation" },
    h(
      "div",
      { class: "found", key: "found" },
      h("dt", null, "Items found"),
      h("dd", null, number(tally.found)),
    ),
    PARTS.map(part),
  );
}

export function sum(tally) {
  const broken = isWhole(tally)
    ? null
    : notice(
        "bad",
        "alert",
        "These numbers do not add up. That is a fault of Notesferry: please keep the data folder and report it.",
      );
  return h("div", { class: "sum" }, bar(tally), equation(tally), broken);
}

/** A table on wide screens and cards on phones. `columns`: label, cell(row), kind; `key(row)` names a row. The roles are
 * told in words, because browsers forget them when a table is not laid out as one. */
export function table({ caption, columns, rows, key }) {
  const heads = columns.map(({ label, kind = "", hidden, head }) =>
    h(
      "th",
      { scope: "col", role: "columnheader", class: kind },
      head ?? (hidden ? h("span", { class: "unseen" }, label) : label),
    ),
  );
  const cell = (row, { label, kind = "", hidden, cell: content }) =>
    h("td", { role: "cell", class: kind, "data-label": hidden ? null : label }, h("div", null, content(row)));
  return h(
    "table",
    { class: "table", role: "table" },
    h("caption", { class: "unseen" }, caption),
    h("thead", { role: "rowgroup" }, h("tr", { role: "row" }, heads)),
    h(
      "tbody",
      { role: "rowgroup" },
      rows.map((row) =>
        h(
          "tr",
          { role: "row", key: key(row) },
          columns.map((column) => cell(row, column)),
        ),
      ),
    ),
  );
}

export function facts(pairs) {
  const shown = pairs.filter(([, value]) => value !== null && value !== undefined);
  return h(
    "dl",
    { class: "facts" },
    shown.map(([name, value]) => h("div", null, h("dt", null, name), h("dd", null, value))),
  );
}

/** Text that is to be typed elsewhere, with a button that copies it. */
export function command(text) {
  // Without TLS there is no clipboard: then the text is marked, ready to be copied by hand.
  const copy = async ({ currentTarget }) => {
    const mark = () => getSelection().selectAllChildren(currentTarget.previousSibling);
    if (!navigator.clipboard) return mark();
    await navigator.clipboard.writeText(text).then(() => say("Copied."), mark);
  };
  const words = text.split(" ").flatMap((word, index) => [index > 0 ? " " : null, h("span", null, word)]);
  return h(
    "div",
    { class: "command" },
    h("code", { tabindex: "0" }, words),
    button({ label: "Copy", sign: "copy", small: true, onclick: copy }),
  );
}

const MESSAGE_MS = 5_000;

/** A short message that goes away by itself; a screen reader reads it out. */
export function say(text) {
  const message = h("div", { class: "message" }, icon("check"), text);
  document.getElementById("messages").append(message);
  setTimeout(() => message.remove(), MESSAGE_MS);
}
