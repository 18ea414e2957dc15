// The extractors: which machines read, whether they answer, and what they found.

import { get, remove } from "../api.js";
import { confirm } from "../dialog.js";
import { h } from "../dom.js";
import { count, number, size } from "../format.js";
import { extractorState } from "../model.js";
import {
  button,
  facts,
  link,
  moment,
  notice,
  nothingYet,
  pageHead,
  panel,
  pill,
  relative,
  table,
} from "../parts.js";
import { may } from "../shell.js";
import { personName } from "./set-up/pattern.js";

const TEXT = "An extractor runs next to the Notes data and only makes outgoing calls.";

export function extractorsPage({ me, reload, redraw }) {
  const page = { me, reload, redraw, found: new Map() };
  return {
    title: "Extractors",
    load: async () => (await get("extractors")).extractors,
    view: (extractors) => view(page, extractors),
  };
}

function view(page, extractors) {
  const isAdministrator = may(page.me, "administrator");
  const actions = isAdministrator
    ? [link({ label: "Add extractor", sign: "plus", kind: "main", to: "#/set-up/extractor" })]
    : [];
  const head = pageHead({ title: "Extractors", text: TEXT, actions });
  if (extractors.length === 0)
    return [
      head,
      panel(
        {},
        nothingYet(
          "extractors",
          "No extractors yet",
          "The guided set-up gives you one command for the machine with the Notes data.",
        ),
      ),
    ];
  const known = [...extractors].sort((a, b) => a.revoked - b.revoked || a.id - b.id);
  return [head, known.map((extractor) => machine(page, extractor))];
}

function machine(page, extractor) {
  const { id, host, revoked } = extractor;
  const revoke = () =>
    confirm({
      title: `Revoke extractor ${host}?`,
      text: "Its token is refused from now on and its passes wait. What has arrived stays. To use the machine again, enrol it with a new code.",
      action: `Revoke ${host}`,
      submit: () => remove(`extractors/${id}`).then(page.reload),
    });
  const canRevoke = may(page.me, "administrator") && !revoked;
  return h(
    "section",
    { class: "panel stack", key: `extractor-${id}` },
    h(
      "div",
      { class: "spread" },
      h("h2", { class: "row" }, host, pill(extractorState(extractor))),
      canRevoke
        ? button({
            label: "Revoke",
            small: true,
            kind: "quiet danger",
            about: `Revoke ${host}`,
            onclick: revoke,
          })
        : null,
    ),
    revoked
      ? h("p", { class: "soft" }, "Enrolled ", moment(extractor.enrolled_unix_ms), ". Its token is refused.")
      : details(page, extractor),
  );
}

function details(page, extractor) {
  return [
    restarted(extractor),
    facts([
      ["Heartbeat", relative(extractor.heard_unix_ms)],
      ["Version", extractor.program_version ?? "\u2013"],
      ["Mailboxes at work", number(extractor.migrators)],
      ["Free places", extractor.free_slots === null ? "\u2013" : number(extractor.free_slots)],
      ["Enrolled", moment(extractor.enrolled_unix_ms)],
      ["Folders", h("span", { class: "path" }, (extractor.source_roots ?? []).join(", ") || "\u2013")],
    ]),
    found(page, extractor),
  ];
}

function restarted({ restarted_unix_ms: when, restarted_because: why }) {
  return when ? notice("wait", "again", h("b", null, "Restarted ", relative(when)), h("p", null, why)) : null;
}

function found(page, { id, found: howMany }) {
  if (!howMany) return h("p", { class: "small soft" }, "No databases found yet.");
  const open = async ({ currentTarget }) => {
    if (!currentTarget.open || page.found.has(id)) return;
    page.found.set(id, await get(`extractors/${id}/found`));
    page.redraw();
  };
  const list = page.found.get(id);
  return h(
    "details",
    { ontoggle: open },
    h("summary", null, `${count(howMany, "database")} found`),
    list ? foundTable(list) : h("p", { class: "soft" }, "One moment\u2026"),
  );
}

function foundTable({ found: list, more }) {
  const columns = [
    {
      label: "Database",
      kind: "bare",
      cell: ({ path, root }) => [h("b", null, path), h("span", { class: "sub" }, root)],
    },
    {
      label: "Title",
      kind: "quarter",
      cell: ({ title, owner }) => [
        title || "\u2013",
        owner ? h("span", { class: "sub" }, personName(owner)) : null,
      ],
    },
    { label: "Size", kind: "number", cell: ({ bytes }) => size(bytes) },
    { label: "State", cell: foundState },
  ];
  return [
    table({ caption: "Databases found", columns, rows: list, key: ({ root, path }) => `${root}/${path}` }),
    more ? h("p", { class: "small soft" }, "There are more than can be listed.") : null,
  ];
}

/** Whether a database that was found can be read now. */
export function foundState({ in_use: inUse, unreadable }) {
  if (unreadable)
    return [
      pill({ tone: "bad", icon: "alert", label: "Cannot be read" }),
      h("span", { class: "sub" }, unreadable),
    ];
  if (inUse)
    return [pill({ tone: "wait", icon: "clock", label: "In use" }), h("span", { class: "sub" }, inUse)];
  return pill({ tone: "good", icon: "check", label: "Readable" });
}
