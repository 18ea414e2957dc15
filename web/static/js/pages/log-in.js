// Logging in.

import { post } from "../api.js";
import { h } from "../dom.js";
import { field, form } from "../form.js";

export function logIn(enter) {
  const submit = async ({ name, password }) => {
    await post("session", { name: name.trim(), password });
    await enter();
  };
  const fields = [
    field({ name: "name", label: "Name", autocomplete: "username", required: true }),
    field({
      name: "password",
      label: "Password",
      kind: "password",
      autocomplete: "current-password",
      required: true,
    }),
  ];
  return [
    h(
      "section",
      { class: "panel stack" },
      h("h1", { id: "title" }, "Log in"),
      form({ fields, action: "Log in", submit }),
    ),
    h(
      "p",
      { class: "small soft" },
      "Forgotten? On the server, ",
      h("code", null, "notesferry user"),
      " sets a new password.",
    ),
  ];
}
