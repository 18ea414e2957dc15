// The first start: the code from the console makes the first administrator.

import { ApiError, post } from "../api.js";
import { h } from "../dom.js";
import { field, form } from "../form.js";

export function firstStart(enter) {
  const submit = async ({ code, name, password, again }) => {
    if (password !== again) {
      throw new ApiError(400, {
        code: "invalid",
        sentence: "The two passwords are not the same.",
        field: "again",
      });
    }
    await post("first-start", { code: code.trim(), name: name.trim(), password });
    location.hash = "#/set-up";
    await enter();
  };
  const fields = [
    field({
      name: "code",
      label: "Code from the console",
      hint: "Printed where the server was started.",
      class: "code",
      required: true,
    }),
    field({ name: "name", label: "Your name", autocomplete: "username", required: true }),
    field({
      name: "password",
      label: "Password",
      kind: "password",
      hint: "At least 10 characters. A sentence is a good one.",
      autocomplete: "new-password",
      required: true,
    }),
    field({
      name: "again",
      label: "The same password again",
      kind: "password",
      autocomplete: "new-password",
      required: true,
    }),
  ];
  return [
    h(
      "section",
      { class: "panel stack" },
      h(
        "div",
        null,
        h("h1", { id: "title" }, "Welcome aboard"),
        h("p", { class: "soft" }, "Make the first administrator of this server."),
      ),
      form({ fields, action: "Make administrator and log in", submit }),
    ),
  ];
}
