// Step 4: ten items of one mailbox, so that anything odd shows before thousands are on their way.

import { post } from "../../api.js";
import { h } from "../../dom.js";
import { count } from "../../format.js";
import { form, field } from "../../form.js";
import { isOpen, placeOf, shortName, stateOf } from "../../model.js";
import { button, notice, panel, pill, sum } from "../../parts.js";
import { chooseFirst } from "./shared.js";

const ITEMS = 10;

export function trialStep({ draft, keep, next, reload }) {
  let start = null;
  const goOn = () => button({ label: "Continue", sign: "arrow", kind: "main", onclick: next });
  const skip = button({ label: "Continue without trial", kind: "quiet", onclick: next });
  return ({ mailboxes }) => {
    const chosen = mailboxes.filter(({ id }) => (draft.chosen ?? []).includes(id));
    if (chosen.length === 0) return chooseFirst();
    start ??= starter(chosen, keep, reload, skip);
    const tried = mailboxes.find(({ last_pass: pass }) => pass && pass.id === draft.trial);
    return [
      tried ? result(tried, tried.last_pass, goOn) : null,
      panel(
        {
          title: tried ? "Another trial" : `Try ${ITEMS} items first`,
          text: "They really arrive, and the full pass does not carry them twice.",
        },
        start,
      ),
    ];
  };
}

function starter(chosen, keep, reload, skip) {
  const options = chosen.map(({ id, source, target }) => ({
    value: String(id),
    label: `${shortName(source)} \u2192 ${placeOf(target)}`,
  }));
  return form({
    fields: [field({ name: "mailbox", label: "Mailbox", kind: "select", options })],
    action: `Carry ${ITEMS} items`,
    sign: "play",
    extra: skip,
    submit: async ({ mailbox }) => {
      const { id } = await post("passes", { mailbox: Number(mailbox), limit: ITEMS });
      keep({ trial: id });
      await reload();
    },
  });
}

function result(mailbox, pass, goOn) {
  const isDone = pass.state === "finished";
  return panel(
    { title: `Trial of ${shortName(mailbox.source)}`, actions: pill(stateOf(pass)) },
    h(
      "div",
      { class: "stack" },
      sum(pass.tally),
      word(mailbox, pass, isDone),
      isDone ? h("div", { class: "row" }, goOn()) : null,
    ),
  );
}

function word(mailbox, { state, tally, waits }, isDone) {
  if (waits) return notice("wait", "clock", waits.why);
  if (state === "stopped") return notice("", "stop", "The trial was stopped.");
  if (!isDone) return isOpen({ state }) ? notice("", "clock", "On its way\u2026") : null;
  const aside =
    tally.set_aside > 0
      ? h(
          "p",
          null,
          `${count(tally.set_aside, "item")} set aside. `,
          h("a", { href: `#/mailboxes/${mailbox.id}` }, "See why"),
        )
      : null;
  const [tone, sign] = aside ? ["wait", "alert"] : ["good", "check"];
  const look = h("p", null, "Look at them in ", h("b", null, placeOf(mailbox.target)), " before you go on.");
  return notice(
    tone,
    sign,
    h("b", null, `${count(tally.delivered + tally.already_there, "item")} arrived.`),
    aside,
    look,
  );
}
