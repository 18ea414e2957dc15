// The people who may log in, and one's own password.

import { ApiError, get, patch, post, remove } from "../api.js";
import { ask, confirm } from "../dialog.js";
import { h, last } from "../dom.js";
import { field, form } from "../form.js";
import { button, moment, pageHead, panel, say, table } from "../parts.js";
import { may } from "../shell.js";

const ROLES = [
  { value: "viewer", label: "Viewer: looks at everything" },
  { value: "operator", label: "Operator: starts and stops" },
  { value: "administrator", label: "Administrator: everything" },
];
const PASSWORD_HINT = "At least 10 characters. A sentence is a good one.";

export function peoplePage({ me, reload }) {
  const own = ownPassword(me);
  const isAdministrator = may(me, "administrator");
  const load = async () => (isAdministrator ? (await get("users")).users : []);
  const view = (users) => {
    const add = button({ label: "Add person", sign: "plus", kind: "main", onclick: () => addPerson(reload) });
    return [
      pageHead({
        title: "People",
        text: "Who may log in, and what they may do.",
        actions: isAdministrator ? [add] : [],
      }),
      isAdministrator ? panel({ flush: true }, list(me, users, reload)) : null,
      own,
    ];
  };
  return { title: "People", load, view };
}

function list(me, users, reload) {
  const columns = [
    {
      label: "Name",
      kind: "bare",
      cell: ({ id, name }) => [
        h("b", null, name),
        id === me.user.id ? h("span", { class: "soft" }, " (you)") : null,
      ],
    },
    { label: "Role", cell: ({ role }) => h("span", { class: "role" }, role) },
    { label: "Since", cell: ({ created_unix_ms: since }) => moment(since) },
    { label: "Orders", kind: "acts", hidden: true, cell: (user) => orders(me, user, reload) },
  ];
  return table({ caption: "People", columns, rows: users, key: ({ id }) => id });
}

function orders(me, { id, name, role }, reload) {
  const change = () =>
    ask({
      title: `Change ${name}`,
      fields: [
        field({ name: "role", label: "Role", kind: "select", options: ROLES, value: role }),
        field({
          name: "password",
          label: "New password",
          kind: "password",
          hint: "Leave it empty to keep the old one.",
          autocomplete: "new-password",
        }),
      ],
      action: "Save",
      submit: ({ role: newRole, password }) =>
        patch(`users/${id}`, password ? { role: newRole, password } : { role: newRole }).then(reload),
    });
  const drop = () =>
    confirm({
      title: `Remove ${name}?`,
      text: "Every session of this person ends at once. What they did stays in the log.",
      action: `Remove ${name}`,
      submit: () => remove(`users/${id}`).then(reload),
    });
  if (id === me.user.id) return null;
  return h(
    "span",
    { class: "row end" },
    button({ label: "Change", small: true, about: `Change ${name}`, onclick: change }),
    button({ label: "Remove", small: true, kind: "quiet danger", about: `Remove ${name}`, onclick: drop }),
  );
}

function addPerson(reload) {
  const fields = [
    field({ name: "name", label: "Name" }),
    field({ name: "role", label: "Role", kind: "select", options: ROLES, value: "operator" }),
    field({
      name: "password",
      label: "First password",
      kind: "password",
      hint: PASSWORD_HINT,
      autocomplete: "new-password",
    }),
  ];
  ask({
    title: "Add a person",
    fields,
    action: "Add person",
    submit: (values) => post("users", values).then(reload),
  });
}

function ownPassword(me) {
  const fields = [
    // For password managers.
    h("input", { autocomplete: "username", value: me.user.name, hidden: true }),
    field({
      name: "old_password",
      label: "Old password",
      kind: "password",
      autocomplete: "current-password",
    }),
    field({
      name: "password",
      label: "New password",
      kind: "password",
      hint: PASSWORD_HINT,
      autocomplete: "new-password",
    }),
    field({ name: "again", label: "The new password again", kind: "password", autocomplete: "new-password" }),
  ];
  const submit = async ({ old_password, password, again }) => {
    if (password !== again)
      throw new ApiError(400, {
        code: "invalid",
        sentence: "The two new passwords are not the same.",
        field: "again",
      });
    await patch(`users/${me.user.id}`, { old_password, password });
    say("Your password is changed.");
    whole.querySelector("form").reset();
  };
  const whole = last(
    h(
      "section",
      { class: "panel stack narrow-form" },
      h("h2", null, "Your password"),
      form({ fields, action: "Change password", kind: "", submit }),
    ),
  );
  return whole;
}
