// The mailboxes: where each goes, how its last pass stands, and how to start or stop many at once.

import { h, last } from "../dom.js";
import { count, number } from "../format.js";
import { isOpen, placeOf, shortName, stateOf } from "../model.js";
import { bar, button, link, nothingYet, pageHead, panel, pill, relative, table } from "../parts.js";
import { may } from "../shell.js";
import { addMailbox, startPasses, stopPasses } from "./mailbox-orders.js";
import { everything } from "./everything.js";

/** Which lines a person wants to see. */
const VIEWS = [
  { name: "all", label: "All", shows: () => true },
  { name: "needs", label: "Need you", shows: ({ state }) => state.needs },
  { name: "open", label: "Under way", shows: ({ pass }) => isOpen(pass) },
  { name: "idle", label: "Not started", shows: ({ pass }) => !pass },
];

export function mailboxesPage({ me, redraw, reload }) {
  const shown = { view: "all", text: "" };
  const chosen = new Set();
  const search = h("input", {
    type: "search",
    "aria-label": "Find a mailbox",
    placeholder: "Find a mailbox",
    oninput: ({ target }) => ((shown.text = target.value.toLowerCase()), redraw()),
  });
  last(search);
  return {
    title: "Mailboxes",
    load: everything,
    view: (data) => view({ me, redraw, reload, shown, chosen, search }, data),
  };
}

function view(page, { mailboxes, connectors, kinds }) {
  const { me, reload, shown, chosen, search } = page;
  const all = mailboxes.map((mailbox) => ({
    mailbox,
    pass: mailbox.last_pass,
    state: stateOf(mailbox.last_pass),
  }));
  for (const id of chosen) if (!mailboxes.some((mailbox) => mailbox.id === id)) chosen.delete(id);
  const isWanted = ({ mailbox }) => `${mailbox.source} ${mailbox.target}`.toLowerCase().includes(shown.text);
  const lines = all.filter(VIEWS.find(({ name }) => name === shown.view).shows).filter(isWanted);
  const add = () => addMailbox(connectors, kinds, reload);
  const actions = may(me, "operator")
    ? [
        link({ label: "Guided set-up", to: "#/set-up", sign: "set-up" }),
        connectors.length ? button({ label: "Add mailbox", sign: "plus", kind: "main", onclick: add }) : null,
      ]
    : [];
  const head = pageHead({
    title: "Mailboxes",
    text: all.length
      ? `${count(all.length, "mailbox", "mailboxes")}; each sum is that of the last pass.`
      : null,
    actions,
  });
  if (all.length === 0) {
    return [
      head,
      panel(
        {},
        nothingYet(
          "mailboxes",
          "No mailboxes yet",
          "The guided set-up finds them on the machine with the Notes data.",
        ),
      ),
    ];
  }
  return [
    head,
    h("div", { class: "row" }, views(page, all), h("div", { class: "search" }, search)),
    chosen.size > 0 ? forChosen(page, all) : null,
    lines.length > 0
      ? panel({ flush: true }, list(page, lines))
      : panel({}, h("p", { class: "soft" }, "No mailbox is like that.")),
  ];
}

function views({ shown, redraw }, all) {
  const one = ({ name, label, shows }) => {
    const onclick = () => ((shown.view = name), redraw());
    return h(
      "button",
      { type: "button", "aria-pressed": String(shown.view === name), onclick },
      label,
      h("span", null, number(all.filter(shows).length)),
    );
  };
  return h("div", { class: "tabs", role: "group", "aria-label": "Which mailboxes" }, VIEWS.map(one));
}

function forChosen({ chosen, reload, redraw }, all) {
  const lines = all.filter(({ mailbox }) => chosen.has(mailbox.id));
  const open = lines.filter(({ pass }) => isOpen(pass));
  const idle = lines.filter(({ pass }) => !isOpen(pass));
  const clear = () => (chosen.clear(), redraw());
  return h(
    "div",
    { class: "notice" },
    h(
      "div",
      { class: "row" },
      h("b", null, `${count(lines.length, "mailbox", "mailboxes")} chosen`),
      idle.length
        ? button({
            label: `Start ${number(idle.length)}`,
            sign: "play",
            kind: "main",
            small: true,
            onclick: () =>
              startPasses(
                idle.map(({ mailbox }) => mailbox),
                reload,
              ),
          })
        : null,
      open.length
        ? button({
            label: `Stop ${number(open.length)}`,
            sign: "stop",
            small: true,
            onclick: () => stopPasses(open, reload),
          })
        : null,
      button({ label: "Choose none", kind: "quiet", small: true, onclick: clear }),
    ),
  );
}

function list(page, lines) {
  const { me, chosen, redraw } = page;
  const all = lines.every(({ mailbox }) => chosen.has(mailbox.id));
  const chooseAll = () => {
    for (const { mailbox } of lines) all ? chosen.delete(mailbox.id) : chosen.add(mailbox.id);
    redraw();
  };
  const choose = ({ mailbox: { id, source } }) => {
    const onchange = () => (chosen.delete(id) || chosen.add(id), redraw());
    return h("input", {
      type: "checkbox",
      checked: chosen.has(id),
      "aria-label": `Choose ${source}`,
      onchange,
    });
  };
  const head = h("input", {
    type: "checkbox",
    checked: all,
    "aria-label": "Choose all shown",
    onchange: chooseAll,
  });
  const columns = [
    may(me, "operator") ? { label: "Choose", kind: "narrow bare choose", head, cell: choose } : null,
    { label: "Mailbox", kind: "bare", cell: nameCell },
    {
      label: "State",
      cell: ({ pass, state }) => [
        pill(state),
        pass?.waits ? h("span", { class: "sub" }, relative(pass.waits.until_unix_ms)) : null,
      ],
    },
    {
      label: "Items",
      kind: "number extra",
      cell: ({ pass }) => (pass ? number(pass.tally.found) : "\u2013"),
    },
    { label: "Sum", cell: ({ pass }) => (pass ? sumCell(pass.tally) : "\u2013") },
    { label: "Changed", kind: "short extra", cell: ({ pass }) => relative(pass?.changed_unix_ms) },
    may(me, "operator")
      ? { label: "Orders", kind: "acts", hidden: true, cell: (line) => orders(page, line) }
      : null,
  ].filter(Boolean);
  return table({ caption: "Mailboxes", columns, rows: lines, key: ({ mailbox }) => mailbox.id });
}

function nameCell({ mailbox }) {
  return [
    h("a", { href: `#/mailboxes/${mailbox.id}` }, h("b", null, shortName(mailbox.source))),
    h("span", { class: "sub", title: mailbox.target }, `\u2192 ${placeOf(mailbox.target)}`),
  ];
}

function sumCell(tally) {
  const open = tally.still_to_do > 0 ? `${number(tally.still_to_do)} to do` : null;
  const aside = tally.set_aside > 0 ? `${number(tally.set_aside)} set aside` : null;
  const text =
    [aside, open].filter(Boolean).join(", ") || (tally.found > 0 ? "All accounted for" : "Nothing found yet");
  return h("div", { class: "progress" }, bar(tally), h("span", { class: "small soft" }, text));
}

function orders({ reload }, { mailbox, pass }) {
  const name = shortName(mailbox.source);
  return isOpen(pass)
    ? button({
        label: "Stop",
        sign: "stop",
        small: true,
        about: `Stop ${name}`,
        onclick: () => stopPasses([{ mailbox, pass }], reload),
      })
    : button({
        label: "Start",
        sign: "play",
        small: true,
        about: `Start ${name}`,
        onclick: () => startPasses([mailbox], reload),
      });
}
