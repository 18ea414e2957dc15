// One mailbox: its sum, what was set aside and why, and its passes.

import { get, post } from "../api.js";
import { h } from "../dom.js";
import { count, number } from "../format.js";
import { isOpen, shortName, stateOf } from "../model.js";
import { button, facts, moment, notice, pageHead, panel, pill, relative, sum, table } from "../parts.js";
import { may } from "../shell.js";
import { carriedFacts, knownKinds } from "./carried.js";
import { findingsKeeper, loadOpened, lossesPanel, setAsidePanel } from "./findings.js";
import { changeMailbox, removeMailbox, startPasses, stopPasses } from "./mailbox-orders.js";

const CRUMB = { label: "Mailboxes", to: "#/mailboxes" };

export function mailboxPage({ parameters: [id], me, redraw, reload }) {
  const page = { me, reload, redraw, opened: new Map(), test: null };
  const findingsOf = findingsKeeper(`mailboxes/${id}/findings`);
  let shown = null;
  const load = async () => {
    const [mailbox, { passes }, kinds] = await Promise.all([
      get(`mailboxes/${id}`),
      get("passes"),
      knownKinds(),
    ]);
    page.kinds = kinds;
    const own = passes.filter((pass) => pass.mailbox === mailbox.id).sort((a, b) => b.id - a.id);
    const findings = await findingsOf(own.slice(0, 1));
    if (findings !== shown) await loadOpened(page, id);
    shown = findings;
    return { mailbox, passes: own, findings };
  };
  return { title: "Mailbox", load, view: (data) => view(page, data) };
}

function view(page, { mailbox, passes, findings }) {
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
    setAsidePanel(page, mailbox, last, findings),
    lossesPanel(findings),
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
      last.waits.needs_you ? "bad" : "wait",
      last.waits.needs_you ? "alert" : "clock",
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
      ? button({ label: "Change", small: true, onclick: () => changeMailbox(mailbox, page.kinds, page.reload) })
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
    ...carriedFacts(mailbox),
    ["Other documents", mailbox.all_documents ? "Carried too" : "Counted and set aside"],
  ]);
}

function passName({ id, limit, retry }) {
  if (retry) return `${id}, tried again`;
  return limit ? `${id}, trial of ${number(limit)}` : id;
}

function passTable(passes) {
  const columns = [
    { label: "Pass", cell: passName },
    { label: "State", cell: (pass) => pill(stateOf(pass)) },
    { label: "Started", kind: "extra", cell: (pass) => moment(pass.started_unix_ms) },
    { label: "Last change", cell: (pass) => moment(pass.changed_unix_ms) },
    { label: "Found", kind: "number", cell: ({ tally }) => number(tally.found) },
    { label: "Delivered", kind: "number", cell: ({ tally }) => number(tally.delivered) },
    { label: "Already there", kind: "number extra", cell: ({ tally }) => number(tally.already_there) },
    { label: "Filtered out", kind: "number extra", cell: ({ tally }) => number(tally.filtered_out) },
    { label: "Set aside", kind: "number", cell: ({ tally }) => number(tally.set_aside) },
  ];
  return table({ caption: "Passes", columns, rows: passes, key: ({ id }) => id });
}
