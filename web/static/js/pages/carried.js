// What of a mailbox is carried and under which names of folders: the fields for it, and what was chosen in words.

import { ApiError, get } from "../api.js";
import { h } from "../dom.js";
import { checkbox, field } from "../form.js";

/** How the kinds of items are called; one that is not here goes by its own name. */
const LABELS = {
  mail: "Mail",
  calendar: "Calendar",
  contacts: "Contacts",
  tasks: "Tasks",
  journal: "Journal",
  stationery: "Stationery",
};
const DAY_MS = 86_400_000;

let kinds = null;

/** The kinds of items that the server knows. */
export async function knownKinds() {
  kinds ??= (await get("server")).kinds;
  return kinds;
}

/** Fields that most people leave closed, and `take`, which makes the fields of a call of what they hold. */
export function carriedFields(known, mailbox = {}) {
  const only = mailbox.only ? mailbox.only.split(",") : known;
  const boxOf = (kind) => `only-${kind}`;
  const boxes = known.map((kind) =>
    checkbox({ name: boxOf(kind), label: labelOf(kind), checked: only.includes(kind) }),
  );
  const since = day("since_unix_ms", "From", mailbox.since_unix_ms, "Nothing that is older.");
  const lastDay = mailbox.before_unix_ms && mailbox.before_unix_ms - DAY_MS;
  const before = day("before_unix_ms", "Until", lastDay, "This day included.");
  const names = field({
    name: "folder_map",
    label: "Other names for folders",
    kind: "textarea",
    rows: 3,
    value: mailbox.folder_map ?? "",
    hint: "One in a line, the old name first: Projects=Archive/Projects. The folders inside go along.",
  });
  const take = ({ folder_map: lines, ...values }) => {
    const chosen = known.filter((kind) => values[boxOf(kind)]);
    for (const kind of known) delete values[boxOf(kind)];
    if (chosen.length === 0) throw wrong(boxOf(known[0]), "Choose at least one.");
    return {
      ...values,
      only: chosen.length === known.length ? null : chosen.join(","),
      since_unix_ms: startOf(since),
      before_unix_ms: startOf(before) === null ? null : startOf(before) + DAY_MS,
      folder_map: lines.trim() ? lines : null,
    };
  };
  const element = h(
    "details",
    { class: "more", open: !isWhole(mailbox) || mailbox.all_documents },
    h("summary", null, "Leave out and rename"),
    h(
      "div",
      { class: "stack" },
      h("p", { class: "small soft" }, "What is left out is counted, and follows once you ask for it."),
      h(
        "fieldset",
        { class: "field" },
        h("legend", null, "Carry"),
        h("div", { class: "checks" }, boxes),
        h("p", { class: "wrong" }),
      ),
      h("div", { class: "side-by-side" }, since, before),
      names,
      checkbox({
        name: "all_documents",
        label: "Also documents of unknown form",
        hint: "They arrive as messages that list their items. Only where all kinds are carried.",
        checked: mailbox.all_documents,
      }),
    ),
  );
  return { element, take };
}

/** The fields of a call whose errors stand beside the fields of this page. */
export function isCarried(name) {
  return ["only", "since_unix_ms", "before_unix_ms", "folder_map", "all_documents"].includes(name);
}

/** What is carried, as facts. */
export function carriedFacts(mailbox) {
  const { only, since_unix_ms: since, before_unix_ms: before, folder_map: lines } = mailbox;
  const words = [
    only ? `${only.split(",").map(labelOf).join(", ")} only` : null,
    since === null ? null : `from ${dayOf(since)}`,
    before === null ? null : `until ${dayOf(before - DAY_MS)}`,
  ].filter(Boolean);
  const renamed = lines.split("\n").filter((line) => line.trim() && !line.trim().startsWith("#"));
  return [
    ["Carried", words.length > 0 ? words.join(", ") : "Everything"],
    ["Folders renamed", renamed.length > 0 ? renamed.map((line) => h("div", { class: "path" }, line)) : null],
  ];
}

function isWhole({ only, since_unix_ms: since, before_unix_ms: before, folder_map: lines }) {
  return !only && !lines && (since ?? null) === null && (before ?? null) === null;
}

function labelOf(kind) {
  return LABELS[kind] ?? kind;
}

/** Days begin at midnight UTC, as on the command line. */
function day(name, label, unixMs, hint) {
  const isKnown = unixMs !== null && unixMs !== undefined;
  return field({ name, label, kind: "date", value: isKnown ? dayOf(unixMs) : "", hint });
}

function dayOf(unixMs) {
  return new Date(unixMs).toISOString().slice(0, 10);
}

function startOf(element) {
  const input = element.querySelector("input");
  // A day that is not entered to its end reads as none.
  if (input.validity.badInput) throw wrong(input.name, "This is no whole date.");
  return input.value ? Date.parse(input.value) : null;
}

function wrong(name, sentence) {
  return new ApiError(400, { code: "invalid", sentence, field: name });
}
