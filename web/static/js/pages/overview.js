// The overview: did everything arrive, who needs a person, and what happens next.

import { h, icon } from "../dom.js";
import { count } from "../format.js";
import { addUp, extractorState, isOpen, lastPasses, shortName, stateOf } from "../model.js";
import { bar, link, moment, nothingYet, pageHead, panel, pill, relative, sum } from "../parts.js";
import { may } from "../shell.js";
import { everything } from "./everything.js";

export function overviewPage({ me }) {
  return { title: "Overview", load: everything, view: (data) => view(me, data) };
}

function view(me, { mailboxes, passes, extractors }) {
  const head = pageHead({ title: "Overview" });
  if (mailboxes.length === 0) return [head, panel({}, welcome(me))];
  const last = lastPasses(passes);
  const lines = mailboxes.map((mailbox) => ({ mailbox, pass: last.get(mailbox.id), state: stateOf(last.get(mailbox.id)) }));
  const tally = addUp(lines.filter(({ pass }) => pass).map(({ pass }) => pass.tally));
  return [
    head,
    panel({}, verdict(lines, tally), sum(tally)),
    h(
      "div",
      { class: "columns two" },
      h("div", { class: "stack" }, attention(lines, extractors), nextTries(lines)),
      h("div", { class: "stack" }, underWay(lines), machines(extractors)),
    ),
  ];
}

function welcome(me) {
  const text = "Say where mail goes, connect the machine with the Notes data, choose mailboxes. Nothing is ever written to the source.";
  const action = may(me, "operator") ? link({ label: "Start the guided set-up", kind: "main", to: "#/set-up", sign: "arrow" }) : null;
  return nothingYet("set-up", "No mailboxes yet", text, action);
}

/** The whole state in one sentence. */
function verdict(lines, tally) {
  const needing = lines.filter(({ state }) => state.needs).length;
  const open = lines.filter(({ pass }) => isOpen(pass)).length;
  const complete = lines.filter(({ state }) => state.label === "Complete").length;
  const arrived = `${count(complete, "mailbox", "mailboxes")} of ${count(lines.length, "mailbox", "mailboxes")} complete.`;
  if (needing > 0) {
    const who = needing === 1 ? "1 mailbox needs you" : `${needing} mailboxes need you`;
    return seal("bad", "alert", who, `${count(tally.set_aside, "item")} set aside. ${arrived}`);
  }
  if (open > 0) return seal("busy", "again", "Carrying mail", `${count(tally.still_to_do, "item")} still to do. ${arrived}`);
  if (complete === lines.length) return seal("good", "check", "Everything has arrived", `${count(tally.found, "item")}, each one accounted for. ${arrived}`);
  return seal("idle", "clock", "Nothing runs now", arrived);
}

function seal(tone, sign, title, text) {
  return h("div", { class: `verdict ${tone}` }, h("span", { class: "seal" }, icon(sign)), h("div", null, h("h2", null, title), h("p", null, text)));
}

function mailboxLink(mailbox) {
  return h("a", { href: `#/mailboxes/${mailbox.id}` }, shortName(mailbox.source));
}

function attention(lines, extractors) {
  const needing = lines.filter(({ state }) => state.needs);
  const silent = extractors.filter((extractor) => !extractor.revoked && extractorState(extractor).tone === "bad");
  if (needing.length + silent.length === 0) {
    return panel({ title: "Needs you" }, h("p", { class: "row soft" }, icon("check"), "Nothing."));
  }
  const machine = (extractor) => entry("bad", "alert", h("a", { href: "#/extractors" }, extractor.host), ["Extractor silent; last heard ", relative(extractor.heard_unix_ms), "."]);
  return panel({ title: "Needs you" }, h("ul", { class: "list" }, silent.map(machine), needing.map(needingEntry)));
}

function needingEntry({ mailbox, pass, state }) {
  const why = pass.not_final ?? (pass.tally.set_aside > 0 ? `${count(pass.tally.set_aside, "item")} set aside.` : "Some items were not reached.");
  return entry(state.tone, state.icon, mailboxLink(mailbox), why);
}

function entry(tone, sign, name, ...text) {
  return h("li", null, h("span", { class: `lead ${tone}` }, icon(sign)), h("div", null, h("b", null, name), h("span", { class: "small soft" }, text)));
}

function nextTries(lines) {
  const waiting = lines.filter(({ pass }) => pass?.state === "waiting");
  if (waiting.length === 0) return null;
  const item = ({ mailbox, pass: { waits } }) =>
    entry("wait", "clock", [mailboxLink(mailbox), " ", relative(waits.until_unix_ms)], `${waits.why} (try ${waits.failures + 1})`);
  return panel({ title: "Next tries", text: "These go on by themselves." }, h("ul", { class: "list" }, waiting.map(item)));
}

function underWay(lines) {
  const running = lines.filter(({ pass }) => pass?.state === "running");
  const queued = lines.filter(({ pass }) => pass?.state === "queued").length;
  if (running.length + queued === 0) return panel({ title: "Under way" }, h("p", { class: "soft" }, "No pass runs."));
  const item = ({ mailbox, pass }) =>
    h(
      "li",
      { key: String(mailbox.id) },
      h("div", null, h("div", { class: "spread" }, h("b", null, mailboxLink(mailbox)), h("span", { class: "small soft" }, left(pass))), bar(pass.tally)),
    );
  const more = queued > 0 ? h("p", { class: "small soft" }, `${count(queued, "mailbox", "mailboxes")} queued behind.`) : null;
  return panel({ title: "Under way" }, h("div", { class: "stack" }, h("ul", { class: "list" }, running.map(item)), more));
}

function left({ tally }) {
  return tally.found === 0 ? "Reads the list of items" : `${count(tally.still_to_do, "item")} to go`;
}

function machines(extractors) {
  const known = extractors.filter(({ revoked }) => !revoked);
  if (known.length === 0) return null;
  const item = (extractor) => {
    const heard = extractor.heard_unix_ms ? ["Heard ", relative(extractor.heard_unix_ms)] : ["Enrolled ", moment(extractor.enrolled_unix_ms)];
    const name = h("div", { class: "spread" }, h("b", null, extractor.host), pill(extractorState(extractor)));
    return h("li", { key: String(extractor.id) }, h("div", null, name, h("span", { class: "small soft" }, heard)));
  };
  return panel({ title: "Extractors" }, h("ul", { class: "list" }, known.map(item)));
}
