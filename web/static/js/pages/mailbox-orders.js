// The orders about mailboxes: add, change, remove, start, stop.

import { patch, post, remove } from "../api.js";
import { ask, confirm } from "../dialog.js";
import { count } from "../format.js";
import { field } from "../form.js";
import { shortName } from "../model.js";
import { say } from "../parts.js";
import { carriedFields } from "./carried.js";

const TARGET_HINT = "imaps://user@host, or maildir: or eml: with a folder on the server.";

/** Starts a pass of each mailbox and tells how many could not be started. */
export async function startPasses(mailboxes, reload, limit) {
  const { started, refused } = await post("passes", {
    mailboxes: mailboxes.map(({ id }) => id),
    ...(limit ? { limit } : {}),
  });
  const reasons = new Set(refused.map(({ sentence }) => sentence));
  say(
    [started.length > 0 ? `${count(started.length, "pass", "passes")} started.` : null, ...reasons]
      .filter(Boolean)
      .join(" "),
  );
  await reload();
}

export function stopPasses(lines, reload) {
  const which =
    lines.length === 1 ? shortName(lines[0].mailbox.source) : count(lines.length, "mailbox", "mailboxes");
  confirm({
    title: `Stop ${which}?`,
    text: "What has arrived stays. The next pass goes on from there.",
    action: "Stop",
    submit: async () => {
      for (const { pass } of lines) await post(`passes/${pass.id}/stop`);
      await reload();
    },
  });
}

/** Which connector something lies at. */
export function connectorField(connectors) {
  return field({
    name: "connector",
    label: "Connector",
    kind: "select",
    options: connectors.map(({ id, name }) => ({ value: id, label: name })),
  });
}

export function addMailbox(connectors, kinds, reload) {
  const carried = carriedFields(kinds);
  const fields = [
    connectorField(connectors),
    field({
      name: "source",
      label: "Database",
      hint: "Its path below the folder of the connector, such as mail/jane.nsf; for DXL a file, or a folder of them.",
    }),
    ...targetFields(),
    carried.element,
  ];
  const submit = async ({ connector, ...values }) => {
    await post("mailboxes", { connector: Number(connector), ...carried.take(withoutEmptyPassword(values)) });
    await reload();
  };
  ask({ title: "Add a mailbox", fields, action: "Add mailbox", submit });
}

export function changeMailbox(mailbox, kinds, reload) {
  const carried = carriedFields(kinds, mailbox);
  const keep = mailbox.has_password ? "Leave it empty to keep the one that is known for this target." : null;
  const fields = [...targetFields(mailbox.target, keep), carried.element];
  const submit = async (values) => {
    await patch(`mailboxes/${mailbox.id}`, carried.take(withoutEmptyPassword(values)));
    await reload();
  };
  ask({ title: `Change ${shortName(mailbox.source)}`, fields, action: "Save", submit });
}

export function removeMailbox(mailbox) {
  confirm({
    title: `Remove ${shortName(mailbox.source)} from the list?`,
    text: `Nothing is deleted in ${mailbox.target} or at the source. Entered again, it goes on where it ended.`,
    action: "Remove from the list",
    submit: async () => {
      await remove(`mailboxes/${mailbox.id}`);
      location.hash = "#/mailboxes";
    },
  });
}

function targetFields(
  target = "",
  hint = "Only for a target with a log-in. Kept encrypted and never shown again.",
) {
  return [
    field({ name: "target", label: "Target", hint: TARGET_HINT, value: target }),
    field({
      name: "password",
      label: "Password of the target",
      kind: "password",
      hint,
      autocomplete: "new-password",
    }),
  ];
}

function withoutEmptyPassword({ password, ...values }) {
  return password ? { password, ...values } : values;
}
