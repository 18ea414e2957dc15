// Step 5: all chosen mailboxes begin.

import { h } from "../../dom.js";
import { count } from "../../format.js";
import { form } from "../../form.js";
import { isOpen, placeOf, shortName, stateOf } from "../../model.js";
import { panel, pill } from "../../parts.js";
import { startPasses } from "../mailbox-orders.js";
import { chooseFirst } from "./shared.js";

export function startStep({ draft, finish, reload }) {
  let chosen = [];
  const start = form({
    fields: [],
    action: "Start now",
    sign: "play",
    submit: async () => {
      await startPasses(
        chosen.filter(({ last_pass: pass }) => !isOpen(pass)),
        reload,
      );
      finish();
    },
  });
  return ({ mailboxes }) => {
    chosen = mailboxes.filter(({ id }) => (draft.chosen ?? []).includes(id));
    if (chosen.length === 0) return chooseFirst();
    return panel(
      {
        title: `Ready to carry ${count(chosen.length, "mailbox", "mailboxes")}`,
        text: "You can stop at any time; nothing is lost and nothing arrives twice. It goes on by itself after a reboot or a broken line.",
      },
      h("div", { class: "stack" }, h("ul", { class: "list" }, chosen.map(item)), start),
    );
  };
}

function item({ id, source, target, last_pass: pass }) {
  return h(
    "li",
    { key: String(id) },
    h(
      "div",
      null,
      h("div", { class: "spread" }, h("b", null, shortName(source)), pill(stateOf(pass))),
      h("span", { class: "small soft" }, placeOf(target)),
    ),
  );
}
