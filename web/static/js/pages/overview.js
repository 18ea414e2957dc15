// The overview: did everything arrive, who needs a person, and what happens next.

import { get } from "../api.js";
import { h, icon } from "../dom.js";
import { count, number } from "../format.js";
import { extractorState, shortName } from "../model.js";
import { bar, link, moment, nothingYet, pageHead, panel, pill, relative, sum } from "../parts.js";
import { may } from "../shell.js";
import { everything } from "./everything.js";
import { findingsKeeper, lossesPanel } from "./findings.js";

/** What goes on by itself, and so needs nobody. */
const BY_ITSELF = ["waiting", "extractor_restarted"];

export function overviewPage({ me }) {
  const findingsOf = findingsKeeper("findings");
  const load = async () => {
    const [overview, records] = await Promise.all([get("overview"), everything()]);
    const findings = await findingsOf(records.mailboxes.map(({ last_pass: pass }) => pass));
    return { overview, findings, ...records };
  };
  return { title: "Overview", load, view: (data) => view(me, data) };
}

function view(me, { overview, findings, mailboxes, extractors }) {
  const head = pageHead({ title: "Overview" });
  const needs = overview.attention.filter(({ code }) => !BY_ITSELF.includes(code));
  if (mailboxes.length === 0)
    return [head, needs.length > 0 ? attention(overview, needs) : null, panel({}, welcome(me))];
  return [
    head,
    panel({}, verdict(overview, needs.length + overview.attention_more), sum(overview.tally)),
    h(
      "div",
      { class: "columns two" },
      h("div", { class: "stack" }, attention(overview, needs), nextTries(mailboxes)),
      h("div", { class: "stack" }, underWay(mailboxes), machines(extractors)),
    ),
    lossesPanel(findings),
  ];
}

function welcome(me) {
  const text =
    "Say where mail goes, connect the machine with the Notes data, choose mailboxes. Nothing is ever written to the source.";
  const action = may(me, "operator")
    ? link({ label: "Start the guided set-up", kind: "main", to: "#/set-up", sign: "arrow" })
    : null;
  return nothingYet("set-up", "No mailboxes yet", text, action);
}

/** The whole state in one sentence. */
function verdict({ mailboxes: are, tally }, needing) {
  const complete = are.finished - are.trial;
  const arrived = `${number(complete)} of ${count(are.total, "mailbox", "mailboxes")} finished.`;
  const toDo = tally.still_to_do > 0 ? `${count(tally.still_to_do, "item")} still to do. ` : "";
  if (needing > 0)
    return seal("bad", "alert", `${count(needing, "thing needs", "things need")} you`, toDo + arrived);
  if (are.running + are.queued > 0) return seal("busy", "again", "Carrying mail", toDo + arrived);
  if (are.waiting > 0) return seal("wait", "clock", "Waiting for the next try", toDo + arrived);
  if (complete === are.total && tally.still_to_do === 0)
    return seal(
      "good",
      "check",
      "Everything has arrived",
      `${count(tally.found, "item")}, each one accounted for. ${arrived}`,
    );
  return seal("idle", "clock", "Nothing runs now", toDo + arrived);
}

function seal(tone, sign, title, text) {
  return h(
    "div",
    { class: `verdict ${tone}` },
    h("span", { class: "seal" }, icon(sign)),
    h("div", null, h("h2", null, title), h("p", null, text)),
  );
}

function mailboxLink(mailbox) {
  return h("a", { href: `#/mailboxes/${mailbox.id}` }, shortName(mailbox.source));
}

function attention({ attention_more: more }, needs) {
  if (needs.length === 0)
    return panel({ title: "Needs you" }, h("p", { class: "row soft" }, icon("check"), "Nothing."));
  const further = more > 0 ? h("p", { class: "small soft" }, `And ${number(more)} more.`) : null;
  return panel({ title: "Needs you" }, h("ul", { class: "list" }, needs.map(need)), further);
}

function need({ code, sentence, mailbox, extractor }) {
  const way = {
    mailbox: [`#/mailboxes/${mailbox}`, "See the mailbox"],
    extractor: ["#/extractors", "See the extractors"],
  };
  const [to, label] = way[mailbox ? "mailbox" : extractor ? "extractor" : ""] ?? [];
  const tone = code === "not_final" ? "wait" : "bad";
  return h(
    "li",
    null,
    h("span", { class: `lead ${tone}` }, icon("alert")),
    h("div", null, h("span", null, sentence), to ? h("a", { class: "small", href: to }, label) : null),
  );
}

function entry(tone, sign, name, ...text) {
  return h(
    "li",
    null,
    h("span", { class: `lead ${tone}` }, icon(sign)),
    h("div", null, h("b", null, name), h("span", { class: "small soft" }, text)),
  );
}

function nextTries(mailboxes) {
  const waiting = mailboxes.filter(({ last_pass: pass }) => pass?.waits && !pass.waits.needs_you);
  if (waiting.length === 0) return null;
  const item = (mailbox) => {
    const { until_unix_ms: until, failures, why } = mailbox.last_pass.waits;
    return entry(
      "wait",
      "clock",
      [mailboxLink(mailbox), " ", relative(until)],
      `${why} (failed ${count(failures, "time")})`,
    );
  };
  return panel(
    { title: "Next tries", text: "These go on by themselves." },
    h("ul", { class: "list" }, waiting.map(item)),
  );
}

function underWay(mailboxes) {
  const running = mailboxes.filter(({ last_pass: pass }) => pass?.state === "running");
  const queued = mailboxes.filter(({ last_pass: pass }) => pass?.state === "queued").length;
  if (running.length + queued === 0)
    return panel({ title: "Under way" }, h("p", { class: "soft" }, "No pass runs."));
  const item = (mailbox) => {
    const { last_pass: pass } = mailbox;
    const name = h(
      "div",
      { class: "spread" },
      h("b", null, mailboxLink(mailbox)),
      h("span", { class: "small soft" }, left(pass)),
    );
    return h("li", { key: String(mailbox.id) }, h("div", null, name, bar(pass.tally)));
  };
  const more =
    queued > 0
      ? h("p", { class: "small soft" }, `${count(queued, "mailbox", "mailboxes")} queued behind.`)
      : null;
  return panel(
    { title: "Under way" },
    h("div", { class: "stack" }, h("ul", { class: "list" }, running.map(item)), more),
  );
}

function left({ tally }) {
  return tally.found === 0 ? "Reads the list of items" : `${count(tally.still_to_do, "item")} to go`;
}

function machines(extractors) {
  const known = extractors.filter(({ revoked }) => !revoked);
  if (known.length === 0) return null;
  const item = (extractor) => {
    const heard = extractor.heard_unix_ms
      ? ["Heard ", relative(extractor.heard_unix_ms)]
      : ["Enrolled ", moment(extractor.enrolled_unix_ms)];
    const name = h("div", { class: "spread" }, h("b", null, extractor.host), pill(extractorState(extractor)));
    return h(
      "li",
      { key: String(extractor.id) },
      h("div", null, name, h("span", { class: "small soft" }, heard)),
    );
  };
  return panel({ title: "Extractors" }, h("ul", { class: "list" }, known.map(item)));
}
