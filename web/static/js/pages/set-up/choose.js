// Step 3: the mailboxes that the extractors found, each with a suggested target; many are chosen at once.

import { get, post } from "../../api.js";
import { h } from "../../dom.js";
import { count, number, size } from "../../format.js";
import { form, field } from "../../form.js";
import { notice, nothingYet, panel, say, table } from "../../parts.js";
import { may } from "../../shell.js";
import { carriedFields, isCarried } from "../carried.js";
import { offeredBooks } from "../directories.js";
import { foundState } from "../extractors.js";
import { personName, targetOf } from "./pattern.js";

export function chooseStep(page) {
  const { draft, passwords, redraw, reload, keep, next } = page;
  const state = { lines: new Map(), asked: "", found: [], isAsking: false, data: null };
  const shared =
    draft.kind === "imaps"
      ? field({
          name: "password",
          label: "Password of the targets",
          kind: "password",
          value: passwords.shared,
          autocomplete: "new-password",
          hint: "For every mailbox without one of its own above. Kept encrypted on the server.",
          oninput: ({ target }) => (passwords.shared = target.value),
        })
      : null;
  const adder = (carried) =>
    form({
      fields: [shared, carried.element],
      action: "Add and continue",
      sign: "arrow",
      submit: async (values) => {
        const ids = await addChosen(page, state, carried.take(values));
        await reload();
        keep({ chosen: [...(draft.chosen ?? []), ...ids] });
        if ([...state.lines.values()].some(({ wrong }) => wrong)) {
          throw new Error("Some could not be added; the reason stands beside each.");
        }
        say(`${count(ids.length, "mailbox", "mailboxes")} ready.`);
        next();
      },
    });
  let add = null;
  return (data) => {
    state.data = data;
    look(state, data, redraw);
    add ??= adder(carriedFields(data.kinds));
    return view(page, state, add);
  };
}

/** Asks anew for what was found, and for what the server suggests, when there is another number of anything. */
async function look(state, { extractors, mailboxes, connectors, directories }, redraw) {
  const known = extractors.filter(({ revoked, found }) => !revoked && found > 0);
  const asked = JSON.stringify([
    known.map(({ id, found }) => [id, found]),
    mailboxes.length,
    connectors.length,
    directories.length,
  ]);
  if (asked === state.asked || state.isAsking) return;
  state.isAsking = true;
  try {
    const answers = await Promise.all(known.map(({ id }) => get(`extractors/${id}/found`)));
    state.found = answers.flatMap(({ found }, index) =>
      found.map((entry) => ({ ...entry, extractor: known[index] })),
    );
    state.asked = asked;
    redraw();
  } catch {
    // The next change asks again.
  } finally {
    state.isAsking = false;
  }
}

/** What a person entered for a database, suggested at first. */
function lineOf(state, draft, entry) {
  const key = `${entry.extractor.id}:${entry.root}:${entry.path}`;
  if (!state.lines.has(key)) {
    const target = draft.kind ? targetOf(draft, entry.suggested.user) : "";
    state.lines.set(key, { key, chosen: false, target, password: "", wrong: null });
  }
  const line = Object.assign(state.lines.get(key), { entry });
  line.known = state.data.mailboxes.find(({ id }) => id === entry.mailbox);
  return line;
}

function view(page, state, add) {
  const { me, draft, redraw } = page;
  const placeOf = async (entry) => ({
    connector: await connectorOf(state.data.connectors, entry),
    source: entry.suggested.source ?? entry.path,
  });
  const books = offeredBooks(page, state.found, state.data.directories, placeOf);
  const lines = state.found
    .filter(({ is_directory: isBook }) => !isBook)
    .map((entry) => lineOf(state, draft, entry));
  if (lines.length === 0)
    return [
      panel(
        {},
        nothingYet(
          "mailboxes",
          "No mailboxes found yet",
          "The extractor looks through its folder. They appear here by themselves.",
        ),
      ),
      books,
    ];
  const free = lines.filter((line) => isFree(line));
  const chosen = free.filter((line) => line.chosen).length;
  const all = free.length > 0 && chosen === free.length;
  const chooseAll = () => {
    for (const line of free) line.chosen = !all;
    redraw();
  };
  const head = h("input", {
    type: "checkbox",
    checked: all,
    "aria-label": "Choose all",
    onchange: chooseAll,
    disabled: free.length === 0,
  });
  const columns = [
    { label: "Choose", kind: "narrow bare choose", head, cell: (line) => choice(line, redraw) },
    { label: "Found", kind: "bare", cell: foundCell },
    { label: "Target", kind: "half", cell: targetCell },
  ];
  if (draft.kind === "imaps") columns.push({ label: "Own password", cell: passwordCell });
  const found = `${count(lines.length, "mailbox", "mailboxes")} found`;
  const title = free.length > 0 ? `${found}, ${number(chosen)} chosen` : `${found}, none is new`;
  const needsConnector = !may(me, "administrator")
    ? notice("wait", "alert", "An administrator has to make the connector of a new folder.")
    : null;
  return [
    panel(
      { title, text: "The targets are suggested from your pattern; change any of them.", flush: true },
      table({ caption: "Mailboxes found", columns, rows: lines, key: ({ key }) => key }),
    ),
    needsConnector,
    books,
    panel({}, add),
  ];
}

function isFree({ entry, known }) {
  return !known && !entry.unreadable;
}

function choice(line, redraw) {
  const onchange = ({ target }) => ((line.chosen = target.checked), redraw());
  const properties = {
    type: "checkbox",
    checked: Boolean(line.known) || line.chosen,
    disabled: !isFree(line),
    "aria-label": `Choose ${line.entry.path}`,
    onchange,
  };
  return h("input", properties);
}

function foundCell({ entry, known }) {
  const isFine = !entry.unreadable && !entry.in_use;
  return [
    h("b", null, personName(entry.owner) || entry.title || entry.path),
    h("span", { class: "sub" }, h("span", { class: "path" }, entry.path), `, ${size(entry.bytes)}`),
    known ? h("span", { class: "sub" }, "Added already") : isFine ? null : foundState(entry),
  ];
}

function targetCell(line) {
  if (line.known) return h("span", { class: "path small" }, line.known.target);
  if (line.entry.unreadable) return "\u2013";
  const oninput = ({ target }) => (line.target = target.value);
  return [
    h("input", {
      class: "code small",
      value: line.target,
      "aria-label": `Target of ${line.entry.path}`,
      spellcheck: "false",
      "aria-invalid": line.wrong ? "true" : null,
      oninput,
    }),
    line.wrong ? h("span", { class: "wrong-text small" }, line.wrong) : null,
  ];
}

function passwordCell(line) {
  if (!isFree(line)) return "\u2013";
  const oninput = ({ target }) => (line.password = target.value);
  return h("input", {
    type: "password",
    value: line.password,
    placeholder: "the common one",
    "aria-label": `Password of ${line.entry.path}`,
    autocomplete: "new-password",
    oninput,
  });
}

/** Adds what was chosen; gives the numbers of those that could be added and notes what is wrong with the others. */
async function addChosen({ draft, passwords }, state, carried) {
  for (const line of state.lines.values()) line.wrong = null;
  const lines = [...state.lines.values()].filter((line) => isFree(line) && line.chosen);
  if (lines.length + (draft.chosen ?? []).length === 0) throw new Error("Choose at least one mailbox.");
  const ids = [];
  for (const line of lines) {
    try {
      const connector = await connectorOf(state.data.connectors, line.entry);
      const password = draft.kind === "imaps" ? line.password || passwords.shared : null;
      const added = await post("mailboxes", {
        connector,
        source: line.entry.suggested.source ?? line.entry.path,
        target: line.target,
        ...carried,
        ...(password ? { password } : {}),
      });
      ids.push(added.id);
    } catch (error) {
      if (isCarried(error.field)) throw error;
      line.wrong = error.message;
    }
  }
  return ids;
}

/** The connector of the folder in which a database was found, made where there is none. */
async function connectorOf(connectors, { extractor, root, suggested }) {
  if (suggested.connector !== null) return suggested.connector;
  const known = connectors.find(
    (connector) => connector.extractor === extractor.id && connector.location === root,
  );
  if (known) return known.id;
  const names = new Set(connectors.map(({ name }) => name));
  const base = extractor.host.replaceAll(":", "-");
  let name = base;
  for (let number = 2; names.has(name); number += 1) name = `${base}-${number}`;
  const made = await post("connectors", { name, location: root, extractor: extractor.id });
  connectors.push(made);
  return made.id;
}
