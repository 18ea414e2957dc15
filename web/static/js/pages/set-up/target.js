// Step 1: where the mail goes, tested with a log-in before anything else is done.

import { ApiError, post } from "../../api.js";
import { h, last } from "../../dom.js";
import { choices, field, form } from "../../form.js";
import { button, panel, say } from "../../parts.js";
import { targetOf } from "./pattern.js";

const KINDS = [
  { value: "imaps", label: "IMAP server", text: "Almost every mail system, encrypted." },
  { value: "maildir", label: "Maildir", text: "Folders of this server, as Dovecot reads them." },
  { value: "eml", label: "Message files", text: "One .eml file for each item." },
];

export function targetStep({ draft, passwords, keep, next }) {
  const kind = draft.kind ?? "imaps";
  const server = h(
    "div",
    { class: "stack" },
    h(
      "div",
      { class: "side-by-side third" },
      field({ name: "host", label: "Server", value: draft.host ?? "", hint: "Such as mail.example.com." }),
      field({
        name: "port",
        label: "Port",
        value: draft.port ?? "993",
        hint: "Mostly 993; 143 switches to TLS.",
        inputmode: "numeric",
      }),
    ),
    field({
      name: "user",
      label: "Pattern of the log-in names",
      value: draft.user ?? "{name}",
      hint: "{name} stands for the name of a mailbox, so {name}@example.com becomes jane@example.com. Each can be changed later.",
    }),
    field({
      name: "prefix",
      label: "Put everything below this folder",
      value: draft.prefix ?? "",
      hint: "Empty for the top of the mailbox.",
    }),
    h(
      "div",
      { class: "side-by-side" },
      field({
        name: "name",
        label: "Name for the test",
        value: draft.name ?? "",
        hint: "What {name} becomes.",
      }),
      field({
        name: "password",
        label: "Password for the test",
        kind: "password",
        hint: "Not kept, and forgotten on reload.",
        autocomplete: "new-password",
      }),
    ),
  );
  const folder = field({
    name: "folder",
    label: "Pattern of the folders on this server",
    value: draft.folder ?? "/srv/mail/{name}",
    class: "code",
    hint: "In full, from the root. {name} stands for the name of a mailbox.",
  });
  const show = (value) => {
    server.hidden = value !== "imaps";
    folder.hidden = value === "imaps";
  };
  show(kind);
  const take = (values) =>
    keep({
      kind: values.kind,
      host: values.host.trim(),
      port: values.port.trim(),
      user: values.user.trim(),
      prefix: values.prefix.trim(),
      folder: values.folder.trim(),
      name: values.name.trim(),
    });
  const submit = async (values) => {
    take(values);
    check(draft);
    const target = targetOf(draft, draft.name || "test");
    const isServer = draft.kind === "imaps";
    const answer = await post("targets/test", isServer ? { target, password: values.password } : { target });
    if (!answer.works)
      throw new ApiError(400, {
        code: answer.code,
        sentence: answer.sentence,
        field: answer.code === "login_refused" ? "password" : null,
      });
    passwords.shared = values.password;
    say(answer.sentence);
    next();
  };
  const skip = button({
    label: "Continue without test",
    kind: "quiet",
    onclick: ({ currentTarget }) => (take(Object.fromEntries(new FormData(currentTarget.form))), next()),
  });
  const fields = [
    choices({ name: "kind", label: "Kind of target", options: KINDS, value: kind, onchange: show }),
    server,
    folder,
  ];
  const whole = last(
    panel(
      {
        title: "Where does the mail go?",
        text: "All mailboxes go to the same kind of target. Nothing is written during the test.",
      },
      form({ fields, action: "Test and continue", sign: "arrow", extra: skip, submit }),
    ),
  );
  return () => whole;
}

function check({ kind, host, user, folder }) {
  const wrong = (field, sentence) => {
    throw new ApiError(400, { code: "invalid", sentence, field });
  };
  if (kind === "imaps" && !host) wrong("host", "Which server?");
  if (kind === "imaps" && !user) wrong("user", "Which user? {name} alone is enough.");
  if (kind !== "imaps" && !folder.includes("{name}"))
    wrong("folder", "Without {name} all mailboxes would go to the same folder.");
}
