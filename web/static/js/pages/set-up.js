// The guided set-up: five steps from nothing to mail that arrives. What was entered is kept in this browser, without
// passwords, so a reload or a closed lid costs nothing.

import { h } from "../dom.js";
import { pageHead } from "../parts.js";
import { everything } from "./everything.js";
import { chooseStep } from "./set-up/choose.js";
import { extractorStep } from "./set-up/extractor.js";
import { startStep } from "./set-up/start.js";
import { targetStep } from "./set-up/target.js";
import { trialStep } from "./set-up/trial.js";

/** Each step is a function of the page that gives a function from the records to what is shown. */
const STEPS = [
  { name: "target", label: "Target", step: targetStep },
  { name: "extractor", label: "Extractor", step: extractorStep },
  { name: "mailboxes", label: "Mailboxes", step: chooseStep },
  { name: "trial", label: "Trial", step: trialStep },
  { name: "start", label: "Start", step: startStep },
];
const KEPT = "notesferry set-up";

/** The passwords of this visit: they are never kept. */
const passwords = { shared: "" };

export function setUpPage({ parameters: [name], me, redraw, reload }) {
  const draft = readDraft();
  const reached = draft.reached ?? 0;
  const index = Math.max(
    0,
    STEPS.findIndex((step) => step.name === name),
  );
  const at = name === undefined ? Math.min(reached, STEPS.length - 1) : index;
  const keep = (changes) => localStorage.setItem(KEPT, JSON.stringify(Object.assign(draft, changes)));
  const next = () => {
    keep({ reached: Math.max(reached, at + 1) });
    location.hash = `#/set-up/${STEPS[at + 1].name}`;
  };
  const finish = () => {
    localStorage.removeItem(KEPT);
    passwords.shared = "";
    location.hash = "#/overview";
  };
  const view = STEPS[at].step({ me, redraw, reload, draft, passwords, keep, next, finish });
  return {
    title: "Guided set-up",
    load: everything,
    view: (data) => [pageHead({ title: "Guided set-up" }), steps(at, reached), view(data)],
  };
}

function readDraft() {
  try {
    return JSON.parse(localStorage.getItem(KEPT)) ?? {};
  } catch {
    return {};
  }
}

function steps(at, reached) {
  const item = ({ name, label }, index) => {
    const isDone = index < reached && index !== at;
    const properties = { class: isDone ? "done" : "", "aria-current": index === at ? "step" : null };
    const text = h("b", null, isDone ? [label, h("span", { class: "unseen" }, ", done")] : label);
    return h(
      "li",
      null,
      index <= reached
        ? h("a", { href: `#/set-up/${name}`, ...properties }, text)
        : h("span", properties, text),
    );
  };
  return h("ol", { class: "steps", "aria-label": "Steps" }, STEPS.map(item));
}
