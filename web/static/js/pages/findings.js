// What became of documents beside their delivery: what they lost on their way, and why others were set aside.

import { get, post } from "../api.js";
import { h, icon } from "../dom.js";
import { count, number } from "../format.js";
import { isOpen } from "../model.js";
import { button, moment, panel, say, table } from "../parts.js";
import { may } from "../shell.js";

const AT_ONCE = 100;
/** The server looks through its whole ledger for these, so they are not asked for at every change. */
const BETWEEN_MS = 15_000;

/** Asks for findings when passes began or ended, and now and then while one is under way. */
export function findingsKeeper(path) {
  const kept = { stamp: null, findings: null };
  return async (passes) => {
    const clock = passes.some(isOpen) ? Math.floor(Date.now() / BETWEEN_MS) : 0;
    const stamp = JSON.stringify([clock, passes.map((pass) => pass && [pass.id, pass.state])]);
    if (stamp !== kept.stamp) {
      kept.findings = await get(path);
      kept.stamp = stamp;
    }
    return kept.findings;
  };
}

/** `button (400), applet (12)` */
function mostOften({ documents, most_often: details }) {
  const one = (found) =>
    found.documents === documents ? found.detail : `${found.detail} (${number(found.documents)})`;
  return details.map(one).join("; ");
}

/** What delivered documents lost; nothing where they lost nothing. */
export function lossesPanel({ losses }) {
  if (losses.length === 0) return null;
  const columns = [
    { label: "What", kind: "bare", cell: ({ kind }) => h("b", null, sentenceCase(kind)) },
    { label: "Items", kind: "number", cell: ({ documents }) => number(documents) },
    {
      label: "Most often",
      kind: "half",
      cell: (loss) => h("span", { class: "small soft" }, mostOften(loss) || "\u2013"),
    },
  ];
  return panel(
    {
      title: "Not carried over",
      text: "These items arrived, and lost something on their way that the target cannot hold or that is no longer known.",
      flush: true,
    },
    table({ caption: "Losses", columns, rows: losses, key: ({ kind }) => kind }),
  );
}

/** What was set aside in a mailbox, one group for each reason. `page` keeps which groups a person opened. */
export function setAsidePanel(page, mailbox, last, { set_aside: groups }) {
  const hasLooked = last?.tally.found > 0;
  if (groups.length === 0)
    return panel(
      { title: "Set aside" },
      h(
        "p",
        { class: "row soft" },
        hasLooked ? icon("check") : null,
        hasLooked ? "Nothing: every item had a way." : "Nothing yet.",
      ),
    );
  const total = groups.reduce((sum, { documents }) => sum + documents, 0);
  return panel(
    {
      title: `Set aside (${number(total)})`,
      text: "These did not arrive. They are unharmed at the source, and every full pass tries them again.",
    },
    h(
      "div",
      { class: "groups" },
      groups.map((group) => oneGroup(page, mailbox, may(page.me, "operator") && !isOpen(last), group)),
    ),
  );
}

function oneGroup(page, mailbox, canRetry, group) {
  const { reason, advice, documents } = group;
  const retry = () => tryAgain(page, mailbox, { reason });
  const label = documents === 1 ? "Try it again" : "Try these again";
  const head = h(
    "div",
    { class: "spread" },
    h("h3", null, `${sentenceCase(reason)}: ${count(documents, "item")}`),
    canRetry
      ? button({
          label,
          sign: "again",
          small: true,
          about: `${label}: ${reason}`,
          onclick: retry,
        })
      : null,
  );
  const often = mostOften(group);
  const opened = page.opened.get(reason);
  const ontoggle = async ({ currentTarget }) => {
    if (currentTarget.open === page.opened.has(reason)) return;
    if (!currentTarget.open) return void page.opened.delete(reason);
    page.opened.set(reason, null);
    await loadGroup(page, mailbox.id, reason, 1);
    page.redraw();
  };
  return h(
    "section",
    { class: "group", key: reason },
    head,
    h("p", { class: "small" }, advice),
    often ? h("p", { class: "small soft" }, often) : null,
    h(
      "details",
      { ontoggle },
      h("summary", { class: "small" }, "See each"),
      opened ? items(page, mailbox, canRetry, reason, opened) : h("p", { class: "soft" }, "One moment\u2026"),
    ),
  );
}

/** Asks anew for the groups that are open. */
export async function loadOpened(page, id) {
  await Promise.all(
    [...page.opened].map(([reason, group]) => loadGroup(page, id, reason, group?.pages ?? 1)),
  );
}

async function loadGroup(page, id, reason, pages) {
  const lines = [];
  let after = "";
  for (let number = 0; number < pages && after !== null; number += 1) {
    const query = new URLSearchParams({ reason, limit: AT_ONCE, ...(after ? { after } : {}) });
    const answer = await get(`mailboxes/${id}/set-aside?${query}`);
    lines.push(...answer.set_aside);
    after = answer.next;
  }
  if (page.opened.has(reason)) page.opened.set(reason, { lines, pages, more: after !== null });
}

function items(page, mailbox, canRetry, reason, { lines, pages, more }) {
  const columns = [
    { label: "What was found", kind: "half", cell: ({ detail }) => detail || "\u2013" },
    { label: "Document", cell: documentCell },
    { label: "Since", kind: "short", cell: ({ unix_ms: since }) => moment(since) },
  ];
  if (canRetry)
    columns.push({
      label: "Orders",
      kind: "acts",
      hidden: true,
      cell: ({ key }) =>
        button({
          label: "Try again",
          small: true,
          about: `Try again: document ${idOf(key)}`,
          onclick: () => tryAgain(page, mailbox, { item: key }),
        }),
    });
  const next = async () => {
    await loadGroup(page, mailbox.id, reason, pages + 1);
    page.redraw();
  };
  return [
    table({ caption: `Set aside: ${reason}`, columns, rows: lines, key: ({ key }) => key }),
    more ? h("p", { class: "more" }, button({ label: "Show more", kind: "quiet", onclick: next })) : null,
  ];
}

/** The document's number in Notes, and a link that a Notes client opens. */
function documentCell({ key }) {
  const [, replica, unid] = key.split(".");
  return [
    h("span", { class: "path small" }, unid),
    h("a", { class: "sub", href: `notes:///${replica.replace(":", "")}/0/${unid}` }, "Open in Notes"),
  ];
}

function idOf(key) {
  return key.split(".").at(-1);
}

async function tryAgain(page, mailbox, what) {
  await post(`mailboxes/${mailbox.id}/retry`, what).then(
    () => say("Tried again now; the sum tells what became of it."),
    ({ message }) => say(message),
  );
  await page.reload();
}

function sentenceCase(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
