// The audit log: who changed what, the newest first.

import { get } from "../api.js";
import { h } from "../dom.js";
import { button, moment, nothingYet, pageHead, panel, table } from "../parts.js";

const AT_ONCE = 100;

export function logPage({ reload }) {
  const page = { pages: 1 };
  const load = async () => {
    let lines = [];
    let after = null;
    for (let number = 0; number < page.pages; number += 1) {
      const answer = await get(`audit?limit=${AT_ONCE}${after === null ? "" : `&after=${after}`}`);
      lines = lines.concat(answer.audit);
      after = answer.next;
      if (after === null) break;
    }
    return { lines, more: after !== null };
  };
  return { title: "Log", load, view: (data) => view(page, reload, data) };
}

function view(page, reload, { lines, more }) {
  const head = pageHead({ title: "Log", text: "Every change, who made it and when." });
  if (lines.length === 0)
    return [head, panel({}, nothingYet("log", "Nothing yet", "Changes will stand here."))];
  const columns = [
    { label: "Time", cell: ({ unix_ms: when }) => moment(when) },
    { label: "Who", cell: ({ who }) => h("b", null, who) },
    { label: "What", cell: ({ what }) => what },
    { label: "On", cell: ({ on }) => on || "\u2013" },
  ];
  const next = () => ((page.pages += 1), reload());
  return [
    head,
    panel(
      { flush: true },
      table({ caption: "Changes", columns, rows: lines, key: ({ id }) => id }),
      more ? h("p", { class: "more" }, button({ label: "Show older", kind: "quiet", onclick: next })) : null,
    ),
  ];
}
