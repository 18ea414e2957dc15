// Step 5: all chosen mailboxes begin.

import { post } from "../../api.js";
import { h } from "../../dom.js";
import { count } from "../../format.js";
import { form } from "../../form.js";
import { isOpen, lastPasses, shortName, stateOf } from "../../model.js";
import { notice, panel, pill } from "../../parts.js";

export function startStep({ draft, finish, reload }) {
  let chosen = [];
  let last = new Map();
  const start = form({
    fields: [],
    action: "Start now",
    sign: "play",
    submit: async () => {
      for (const { id } of chosen) if (!isOpen(last.get(id))) await post("passes", { mailbox: id });
      await reload();
      finish();
    },
  });
  return ({ mailboxes, passes }) => {
    last = lastPasses(passes);
    chosen = mailboxes.filter(({ id }) => (draft.chosen ?? []).includes(id));
    if (chosen.length === 0) return panel({}, notice("wait", "alert", "First choose mailboxes. ", h("a", { href: "#/set-up/mailboxes" }, "To step 3")));
    return panel(
      { title: `Ready to carry ${count(chosen.length, "mailbox", "mailboxes")}`, text: "You can stop at any time; nothing is lost and nothing arrives twice. It goes on by itself after a reboot or a broken line." },
      h("div", { class: "stack" }, h("ul", { class: "list" }, chosen.map((mailbox) => item(mailbox, last.get(mailbox.id)))), start),
    );
  };
}

function item({ id, source, target }, pass) {
  return h("li", { key: String(id) }, h("div", null, h("div", { class: "spread" }, h("b", null, shortName(source)), pill(stateOf(pass))), h("span", { class: "small soft path" }, target)));
}
