// One mailbox: its sum, what was set aside and why, and its passes.

import { get, post } from "../api.js";
import { h } from "../dom.js";
import { count, number } from "../format.js";
import { isOpen, shortName, stateOf } from "../model.js";
import { button, facts, moment, notice, pageHead, panel, pill, relative, say, sum, table } from "../parts.js";
import { may } from "../shell.js";
import { changeMailbox, removeMailbox, startPasses, stopPasses } from "./mailbox-orders.js";

const CRUMB = { label: "Mailboxes", to: "#/mailboxes" };
const AT_ONCE = 100;

export function mailboxPage({ parameters: [id], me, redraw, reload }) {
  const page = { me, reload, redraw, pages: 1, test: null };
  const load = async () => {
    const [mailbox, { passes }, aside] = await Promise.all([
      get(`mailboxes/${id}`),
      get("passes"),
      setAside(id, page.pages),
    ]);
    return {
      mailbox,
      passes: passes.filter((pass) => pass.mailbox === mailbox.id).sort((a, b) => b.id - a.id),
      aside,
    };
  };
  return { title: "Mailbox", load, view: (data) => view(page, data) };
}

async function setAside(id, pages) {
  let items = [];
  let after = "";
  for (let page = 0; page < pages && after !== null; page += 1) {
    const query = after ? `&after=${encodeURIComponent(after)}` : "";
    const answer = await get(`mailboxes/${id}/set-aside?limit=${AT_ONCE}${query}`);
    items = items.concat(answer.set_aside);
    after = answer.next;
  }
  return { items, more: after !== null };
}

function view(page, { mailbox, passes, aside }) {
  const [last] = passes;
  return [
    pageHead({
      title: shortName(mailbox.source),
      crumb: CRUMB,
      actions: may(page.me, "operator") ? orders(page, mailbox, last) : [],
    }),
    standing(last),
    panel(
      { title: "Sum", actions: pill(stateOf(last)) },
      last ? sum(last.tally) : h("p", { class: "soft" }, "No pass yet."),
    ),
    panel(
      { title: "From and to", actions: may(page.me, "operator") ? placeOrders(page, mailbox) : null },
      h("div", { class: "stack" }, places(mailbox), testResult(page.test)),
    ),
    setAsidePanel(page, mailbox, last, aside),
    passes.length > 0 ? panel({ title: "Passes", flush: true }, passTable(passes)) : null,
  ];
}

function orders({ reload }, mailbox, last) {
  if (isOpen(last))
    return [
      button({ label: "Stop", sign: "stop", onclick: () => stopPasses([{ mailbox, pass: last }], reload) }),
    ];
  const trial = button({ label: "Try 10 items", onclick: () => startPasses([mailbox], reload, 10) });
  const start = button({
    label: last ? "Start again" : "Start",
    sign: "play",
    kind: "main",
    onclick: () => startPasses([mailbox], reload),
  });
  return [trial, start];
}

/** What the last pass has to say, beside its numbers. */
function standing(last) {
  if (last?.waits) {
    const { until_unix_ms: until, failures, why } = last.waits;
    return notice(
      "wait",
      "clock",
      h("b", null, "Next try ", relative(until)),
      h("p", null, `${why} (failed ${count(failures, "time")})`),
    );
  }
  return last?.not_final
    ? notice("wait", "alert", h("b", null, "Another pass is needed"), h("p", null, last.not_final))
    : null;
}

function placeOrders(page, mailbox) {
  const test = async ({ currentTarget }) => {
    currentTarget.disabled = true;
    const answer = await post(`mailboxes/${mailbox.id}/test-target`).catch((error) => ({
      works: false,
      sentence: error.message,
    }));
    page.test = answer;
    page.redraw();
  };
  const isAdministrator = may(page.me, "administrator");
  return h(
    "div",
    { class: "row" },
    button({ label: "Test target", small: true, onclick: test }),
    isAdministrator
      ? button({ label: "Change", small: true, onclick: () => changeMailbox(mailbox, page.reload) })
      : null,
    isAdministrator
      ? button({ label: "Remove", small: true, kind: "quiet danger", onclick: () => removeMailbox(mailbox) })
      : null,
  );
}

function testResult(test) {
  return test ? notice(test.works ? "good" : "bad", test.works ? "check" : "alert", test.sentence) : null;
}

function places(mailbox) {
  return facts([
    ["Connector", mailbox.connector_name],
    ["Database", h("span", { class: "path" }, mailbox.source || "the connector's own")],
    ["Target", h("span", { class: "path" }, mailbox.target)],
    ["Password", mailbox.has_password ? "Kept, encrypted" : "None"],
    ["Other documents", mailbox.all_documents ? "Carried too" : "Counted and set aside"],
  ]);
}

function setAsidePanel(page, mailbox, last, { items, more }) {
  if (items.length === 0)
    return panel(
      { title: "Set aside" },
      h("p", { class: "soft" }, last ? "Nothing: every item had a way." : "Nothing yet."),
    );
  const retry = () =>
    startPasses([mailbox], page.reload).then(() => say("The items that were set aside are tried again."));
  const canRetry = may(page.me, "operator") && !isOpen(last);
  const columns = [
    { label: "Reason", cell: ({ reason }) => h("b", null, reason) },
    { label: "What was found", cell: ({ detail }) => detail || "\u2013" },
    { label: "Item", cell: ({ key }) => h("span", { class: "path small" }, key) },
    { label: "Since", cell: ({ unix_ms: since }) => moment(since) },
  ];
  const next = () => ((page.pages += 1), page.reload());
  return panel(
    {
      title: `Set aside (${number(items.length)}${more ? "+" : ""})`,
      text: "These did not arrive. They are unharmed at the source, and a new pass tries each of them again.",
      actions: canRetry ? button({ label: "Try again", sign: "again", small: true, onclick: retry }) : null,
      flush: true,
    },
    table({ caption: "Items set aside", columns, rows: items, key: ({ key }) => key }),
    more ? h("p", { class: "more" }, button({ label: "Show more", kind: "quiet", onclick: next })) : null,
  );
}

function passTable(passes) {
  const columns = [
    { label: "Pass", cell: ({ id, limit }) => (limit ? `${id}, trial of ${number(limit)}` : id) },
    { label: "State", cell: (pass) => pill(stateOf(pass)) },
    { label: "Started", kind: "extra", cell: (pass) => moment(pass.started_unix_ms) },
    { label: "Last change", cell: (pass) => moment(pass.changed_unix_ms) },
    { label: "Found", kind: "number", cell: ({ tally }) => number(tally.found) },
    { label: "Delivered", kind: "number", cell: ({ tally }) => number(tally.delivered) },
    { label: "Already there", kind: "number extra", cell: ({ tally }) => number(tally.already_there) },
    { label: "Set aside", kind: "number", cell: ({ tally }) => number(tally.set_aside) },
  ];
  return table({ caption: "Passes", columns, rows: passes, key: ({ id }) => id });
}
