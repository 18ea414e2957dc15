// Forms: disabled while they wait, and every error stands beside the field that it belongs to.

import { ApiError } from "./api.js";
import { h, icon, last } from "./dom.js";

let lastId = 0;

/** One field with its label. `kind` is the type of the input, `textarea`, or `select` with `options` of {value, label}. */
export function field({ name, label, hint, kind = "text", options, ...rest }) {
  const id = `field-${(lastId += 1)}`;
  const described = hint ? `${id}-hint ${id}-wrong` : `${id}-wrong`;
  const properties = {
    id,
    name,
    "aria-describedby": described,
    spellcheck: "false",
    autocapitalize: "none",
    autocomplete: "off",
    ...rest,
  };
  const input =
    kind === "select"
      ? h(
          "select",
          properties,
          options.map((option) => h("option", { value: option.value }, option.label)),
        )
      : kind === "textarea"
        ? h("textarea", properties)
        : h("input", { type: kind, ...properties });
  return h(
    "div",
    { class: "field" },
    h("label", { for: id }, label),
    input,
    hint ? h("p", { class: "hint", id: `${id}-hint` }, hint) : null,
    h("p", { class: "wrong", id: `${id}-wrong` }),
  );
}

/** A choice between a few things, each with a sentence. */
export function choices({ name, label, options, value, onchange }) {
  const one = (option) =>
    h(
      "label",
      { class: "choice" },
      h("input", {
        type: "radio",
        name,
        value: option.value,
        checked: option.value === value,
        onchange: () => onchange?.(option.value),
      }),
      h("span", null, h("b", null, option.label), h("span", { class: "small soft" }, option.text)),
    );
  return h(
    "fieldset",
    { class: "field" },
    h("legend", null, label),
    h("div", { class: "choices" }, options.map(one)),
  );
}

export function checkbox({ name, label, hint, checked }) {
  const input = h("input", { type: "checkbox", name, checked });
  return h(
    "label",
    { class: "check" },
    input,
    h("span", null, label, hint ? h("span", { class: "hint small soft" }, ` ${hint}`) : null),
  );
}

/** A form. `submit(values)` does the work; what it throws is shown. `extra` stands beside the button. */
export function form({ fields, action, sign, kind = "main", extra, submit }) {
  const whole = h("p", { class: "wrong", role: "alert" });
  const send = h("button", { class: `button ${kind}`, type: "submit" }, sign ? icon(sign) : null, action);
  const inputs = h(
    "fieldset",
    null,
    fields,
    h("div", { class: "field" }, whole),
    h("div", { class: "row" }, send, extra ?? null),
  );
  const onsubmit = async (event) => {
    event.preventDefault();
    if (inputs.disabled) return;
    clear(inputs);
    const values = valuesOf(event.target);
    inputs.disabled = true;
    try {
      await submit(values);
      inputs.disabled = false;
    } catch (error) {
      inputs.disabled = false;
      showError(inputs, whole, error);
    }
  };
  return last(h("form", { class: "form", novalidate: true, onsubmit }, inputs));
}

function valuesOf(element) {
  const values = {};
  for (const input of element.elements) {
    if (!input.name || (input.type === "radio" && !input.checked)) continue;
    values[input.name] = input.type === "checkbox" ? input.checked : input.value;
  }
  return values;
}

function clear(inputs) {
  for (const text of inputs.querySelectorAll(".wrong")) text.replaceChildren();
  for (const input of inputs.querySelectorAll("[aria-invalid]")) input.removeAttribute("aria-invalid");
}

function showError(inputs, whole, error) {
  const input =
    error instanceof ApiError && error.field
      ? inputs.querySelector(`[name="${CSS.escape(error.field)}"]`)
      : null;
  const place = input?.closest(".field")?.querySelector(".wrong") ?? whole;
  place.append(icon("alert"), h("span", null, error.message));
  input?.closest("details")?.setAttribute("open", "");
  input?.setAttribute("aria-invalid", "true");
  input?.focus();
}
