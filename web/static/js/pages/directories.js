// The address books beside the extractors, in which Notes names get their Internet addresses.

import { post, remove } from "../api.js";
import { ask, confirm } from "../dialog.js";
import { h } from "../dom.js";
import { field } from "../form.js";
import { count, number } from "../format.js";
import { isOpen, stateOf } from "../model.js";
import { button, panel, pill, relative, table } from "../parts.js";
import { may } from "../shell.js";
import { connectorField, startPasses, stopPasses } from "./mailbox-orders.js";

const TEXT =
  "A Domino directory (names.nsf) knows the Internet addresses of Notes names. Mail that is carried after it was read has them.";

/** All that are known, with what can be done about them. */
export function addressBooks({ me, reload }, { directories, connectors }) {
  const canAdd = may(me, "operator") && connectors.length > 0;
  const actions = canAdd
    ? button({ label: "Add address book", sign: "plus", small: true, onclick: () => add(connectors, reload) })
    : null;
  const none = h("p", { class: "soft" }, "None yet: names without an address arrive as placeholders.");
  return panel(
    { title: "Address books", text: TEXT, actions, flush: directories.length > 0 },
    directories.length > 0 ? list(me, directories, reload) : none,
  );
}

/** Has an address book read whose place is known. */
export async function addAddressBook({ connector, source }, reload) {
  await post("directories", { connector, source });
  await reload();
}

function list(me, directories, reload) {
  const columns = [
    { label: "Address book", kind: "bare", cell: ({ name }) => h("b", null, name) },
    { label: "Names", kind: "number", cell: ({ names }) => number(names) },
    { label: "Read", cell: ({ read_unix_ms: when }) => relative(when) },
    { label: "State", cell: ({ last_pass: pass }) => pill(stateOf(pass)) },
  ];
  if (may(me, "operator"))
    columns.push({ label: "Orders", kind: "acts", hidden: true, cell: (book) => orders(me, book, reload) });
  return table({ caption: "Address books", columns, rows: directories, key: ({ id }) => id });
}

function orders(me, book, reload) {
  const { id, name, last_pass: pass } = book;
  const drop = () =>
    confirm({
      title: `Remove address book ${name}?`,
      text: "Its names are not looked up any more. What has arrived stays, and nothing is touched at the source.",
      action: "Remove address book",
      submit: () => remove(`directories/${id}`).then(reload),
    });
  const read = isOpen(pass)
    ? button({
        label: "Stop",
        small: true,
        about: `Stop reading ${name}`,
        onclick: () => stopPasses([{ mailbox: book, pass }], reload),
      })
    : button({
        label: "Read again",
        small: true,
        about: `Read again: ${name}`,
        onclick: () => startPasses([book], reload),
      });
  const away = may(me, "administrator")
    ? button({ label: "Remove", small: true, kind: "quiet danger", about: `Remove ${name}`, onclick: drop })
    : null;
  return h("span", { class: "row end" }, read, away);
}

function add(connectors, reload) {
  const fields = [
    connectorField(connectors),
    field({
      name: "source",
      label: "Database",
      value: "names.nsf",
      hint: "Its path below the folder of the connector.",
    }),
  ];
  const submit = ({ connector, source }) => addAddressBook({ connector: Number(connector), source }, reload);
  ask({ title: "Add an address book", fields, action: "Add and read", submit });
}

/** The address books among what was found, for the set-up; `placeOf(entry)` gives a connector that reaches one. */
export function offeredBooks({ me, reload }, found, directories, placeOf) {
  const books = found.filter(({ is_directory: isBook, unreadable }) => isBook && !unreadable);
  if (books.length === 0) return null;
  const state = ({ directory }) => {
    const known = directories.find(({ id }) => id === directory);
    return known
      ? [pill(stateOf(known.last_pass)), h("span", { class: "sub" }, count(known.names, "name", "names"))]
      : h("span", { class: "soft" }, "Not used");
  };
  const use = (entry) =>
    may(me, "operator") && !entry.directory
      ? button({
          label: "Use its names",
          small: true,
          about: `Use its names: ${entry.path}`,
          onclick: async () => addAddressBook(await placeOf(entry), reload),
        })
      : null;
  const columns = [
    { label: "Address book", kind: "bare", cell: ({ path }) => h("b", null, path) },
    { label: "State", cell: state },
    { label: "Orders", kind: "acts", hidden: true, cell: use },
  ];
  const key = ({ root, path }) => `${root}/${path}`;
  return panel(
    { title: "Address books", text: TEXT, flush: true },
    table({ caption: "Address books found", columns, rows: books, key }),
  );
}
