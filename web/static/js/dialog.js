// Dialogs: a question before anything that cannot be taken back, and small forms.

import { h } from "./dom.js";
import { form } from "./form.js";

let lastId = 0;

/** Asks, and does it when the person wants it; what goes wrong is shown in the dialog. `title` names the thing. */
export function confirm({ title, text, action, submit }) {
  ask({ title, text, fields: [], action, kind: "danger main", submit });
}

/** A form in a dialog, which closes when `submit` has worked. */
export function ask({ title, text, fields, action, kind = "main", submit }) {
  // Enter does no harm when there is nothing to fill in.
  const isQuestion = fields.length === 0;
  const cancel = h(
    "button",
    { type: "button", class: "button", autofocus: isQuestion, onclick: () => dialog.close() },
    "Cancel",
  );
  const work = async (values) => {
    await submit(values);
    dialog.close();
  };
  const dialog = open(
    title,
    text ? h("p", null, text) : null,
    form({ fields, action, kind, extra: cancel, submit: work }),
  );
}

function open(title, ...children) {
  const id = `dialog-${(lastId += 1)}`;
  const shown = children.filter((child) => child !== null);
  const dialog = h("dialog", { "aria-labelledby": id }, h("h2", { id }, title), shown);
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}
