// The connectors: which folder of which extractor holds mailboxes; and the address books in them.

import { patch, post, remove } from "../api.js";
import { ask, confirm } from "../dialog.js";
import { h } from "../dom.js";
import { field } from "../form.js";
import { extractorState } from "../model.js";
import { button, nothingYet, pageHead, panel, pill, table } from "../parts.js";
import { may } from "../shell.js";
import { addressBooks } from "./directories.js";
import { everything } from "./everything.js";

const KINDS = [
  { value: "nsf", label: "Notes databases" },
  { value: "dxl", label: "Exports as DXL" },
];
const TEXT =
  "A connector is a folder with Notes databases or exports of them, and the extractor that can read it.";

export function connectorsPage({ me, reload }) {
  return { title: "Connectors", load: everything, view: (data) => view(me, reload, data) };
}

function view(me, reload, { connectors, extractors, mailboxes, directories }) {
  const usable = extractors.filter(({ revoked }) => !revoked);
  const canAdd = may(me, "administrator") && usable.length > 0;
  const add = () =>
    edit({
      title: "Add a connector",
      action: "Add connector",
      usable,
      submit: (values) => post("connectors", values).then(reload),
    });
  const actions = canAdd
    ? [button({ label: "Add connector", sign: "plus", kind: "main", onclick: add })]
    : [];
  const head = pageHead({ title: "Connectors", text: TEXT, actions });
  if (connectors.length === 0) {
    const text =
      usable.length > 0
        ? "The guided set-up makes them by itself, from what the extractors find."
        : "First connect an extractor: the guided set-up shows how.";
    return [head, panel({}, nothingYet("connectors", "No connectors yet", text))];
  }
  const columns = [
    {
      label: "Name",
      kind: "bare",
      cell: ({ name, kind }) => [
        h("b", null, name),
        h("span", { class: "sub" }, KINDS.find(({ value }) => value === kind)?.label ?? kind),
      ],
    },
    { label: "Folder", cell: ({ location }) => h("span", { class: "path" }, location) },
    { label: "Extractor", cell: (connector) => machine(extractors, connector) },
    {
      label: "Mailboxes",
      kind: "number",
      cell: ({ id }) => mailboxes.filter((mailbox) => mailbox.connector === id).length,
    },
  ];
  if (may(me, "administrator"))
    columns.push({
      label: "Orders",
      kind: "acts",
      hidden: true,
      cell: (connector) => orders(connector, usable, reload),
    });
  return [
    head,
    panel({ flush: true }, table({ caption: "Connectors", columns, rows: connectors, key: ({ id }) => id })),
    addressBooks({ me, reload }, { directories, connectors }),
  ];
}

function machine(extractors, { extractor: id }) {
  const extractor = extractors.find((other) => other.id === id);
  return extractor
    ? h("span", { class: "row" }, extractor.host, pill(extractorState(extractor)))
    : `number ${id}`;
}

function orders(connector, usable, reload) {
  const change = () =>
    edit({
      title: `Change ${connector.name}`,
      action: "Save",
      usable,
      connector,
      submit: (values) => patch(`connectors/${connector.id}`, values).then(reload),
    });
  const drop = () =>
    confirm({
      title: `Remove connector ${connector.name}?`,
      text: "Only the entry here goes; nothing is touched at the source. A connector that mailboxes use cannot be removed.",
      action: "Remove connector",
      submit: () => remove(`connectors/${connector.id}`).then(reload),
    });
  return h(
    "span",
    { class: "row end" },
    button({ label: "Change", small: true, about: `Change ${connector.name}`, onclick: change }),
    button({
      label: "Remove",
      small: true,
      kind: "quiet danger",
      about: `Remove ${connector.name}`,
      onclick: drop,
    }),
  );
}

function edit({ title, action, usable, connector, submit }) {
  const options = usable.map(({ id, host }) => ({ value: String(id), label: host }));
  const fields = [
    field({ name: "name", label: "Name", value: connector?.name ?? "", hint: "Short, without a colon." }),
    field({
      name: "extractor",
      label: "Extractor",
      kind: "select",
      options,
      value: connector ? String(connector.extractor) : options[0].value,
    }),
    field({
      name: "location",
      label: "Folder at the extractor",
      value: connector?.location ?? usable[0]?.source_roots?.[0] ?? "",
      class: "code",
    }),
    connector
      ? null
      : field({ name: "kind", label: "What lies there", kind: "select", options: KINDS, value: "nsf" }),
  ];
  ask({
    title,
    fields,
    action,
    submit: ({ extractor, ...values }) => submit({ ...values, extractor: Number(extractor) }),
  });
}
