// Step 2: one command on the machine with the Notes data; this page turns green when it reports.

import { post } from "../../api.js";
import { h, icon, last } from "../../dom.js";
import { count } from "../../format.js";
import { form, field } from "../../form.js";
import { extractorState } from "../../model.js";
import { button, command, notice, panel, pill, relative } from "../../parts.js";
import { may } from "../../shell.js";

/** A code is good for one machine and a short time, so it is kept for this tab only. */
const KEPT = "notesferry enrolment";

export function extractorStep({ me, draft, keep, next, redraw }) {
  const state = { made: readMade() };
  const folder = last(
    field({
      name: "source",
      label: "Folder with the Notes databases, on that machine",
      value: draft.source ?? "/local/notesdata",
      class: "code",
      oninput: ({ target }) => (keep({ source: target.value }), redraw()),
    }),
  );
  const make = form({
    fields: [],
    action: state.made ? "Make another code" : "Make an enrolment code",
    kind: "",
    submit: async () => {
      state.made = await post("extractors/enrol-code");
      sessionStorage.setItem(KEPT, JSON.stringify(state.made));
      redraw();
    },
  });
  const goOn = () => button({ label: "Continue", sign: "arrow", kind: "main", onclick: next });
  return ({ extractors }) => {
    const known = extractors.filter(({ revoked }) => !revoked);
    const works = known.filter((extractor) => extractorState(extractor).works);
    return [
      known.length > 0
        ? panel(
            { title: "Connected" },
            h(
              "div",
              { class: "stack" },
              h("ul", { class: "list" }, known.map(machine)),
              works.length > 0 ? h("div", { class: "row" }, goOn()) : null,
            ),
          )
        : null,
      may(me, "administrator")
        ? panel(
            {
              title: known.length > 0 ? "Connect another machine" : "Connect the machine with the Notes data",
            },
            h(
              "div",
              { class: "stack" },
              instructions(draft, state, folder, make),
              known.length > 0 ? null : waits(state),
            ),
          )
        : notice("wait", "alert", "Only an administrator connects a new extractor."),
    ];
  };
}

function machine(extractor) {
  const found =
    extractor.found > 0 ? `${count(extractor.found, "database")} found` : "Looks for mailboxes";
  return h(
    "li",
    { key: String(extractor.id) },
    h(
      "div",
      null,
      h("div", { class: "spread" }, h("b", null, extractor.host), pill(extractorState(extractor))),
      h("span", { class: "small soft" }, `${found}. Heard `, relative(extractor.heard_unix_ms), "."),
    ),
  );
}

function instructions(draft, { made }, folder, make) {
  const source = draft.source ?? "/local/notesdata";
  const line = made
    ? `./notesferry extract --server ${made.server} --source ${quoted(source)} --enrol ${made.code}`
    : null;
  return h(
    "ol",
    { class: "stack numbered" },
    h(
      "li",
      null,
      h("h3", null, "Bring the program there"),
      h(
        "p",
        { class: "soft" },
        "It is the same program as this server's, for the same kind of system. Make it runnable there: ",
        h("code", null, "chmod +x notesferry"),
      ),
      h(
        "p",
        null,
        h(
          "a",
          { class: "button small", href: "download/notesferry", download: "notesferry" },
          icon("download"),
          "Download notesferry",
        ),
      ),
    ),
    h("li", null, h("h3", null, "Say where the databases are"), folder),
    h(
      "li",
      null,
      h("h3", null, "Run this command there"),
      h("p", { class: "soft" }, "It only makes outgoing calls to this server. The code works once."),
      line ? command(line) : null,
      make,
    ),
  );
}

function waits({ made }) {
  return made
    ? notice("", "clock", "Waiting for the machine to report. This page turns green by itself.")
    : null;
}

function quoted(text) {
  return /^[\w./:@%+,=-]+$/.test(text) ? text : `"${text.replaceAll('"', '\\"')}"`;
}

function readMade() {
  try {
    return JSON.parse(sessionStorage.getItem(KEPT));
  } catch {
    return null;
  }
}
