// What several steps of the set-up show.

import { h } from "../../dom.js";
import { notice, panel } from "../../parts.js";

// A step that needs mailboxes, before any are chosen.
export function chooseFirst() {
  return panel(
    {},
    notice(
      "wait",
      "alert",
      "First choose mailboxes. ",
      h("a", { href: "#/set-up/mailboxes" }, "To step 3"),
    ),
  );
}
