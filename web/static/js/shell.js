// The frame around every page: the way to the others, who is logged in, and the one button that stops everything.

import { post, remove } from "./api.js";
import { confirm } from "./dialog.js";
import { h, icon } from "./dom.js";
import { button, notice, say } from "./parts.js";

const WAYS = [
  { name: "overview", label: "Overview" },
  { name: "set-up", label: "Guided set-up", role: "operator" },
  { name: "mailboxes", label: "Mailboxes" },
  { name: "connectors", label: "Connectors" },
  { name: "extractors", label: "Extractors" },
  { name: "people", label: "People" },
  { name: "log", label: "Log", role: "administrator" },
];
const ROLES = ["viewer", "operator", "administrator"];

/** Whether somebody may do what needs `role`. The server checks it again. */
export function may(me, role) {
  return ROLES.indexOf(me.user.role) >= ROLES.indexOf(role);
}

/** Whether a page is shown to somebody at all. */
export function mayOpen(me, page) {
  const role = WAYS.find(({ name }) => name === page)?.role;
  return !role || may(me, role);
}

function brand() {
  return h(
    "a",
    { class: "brand", href: "#/overview" },
    h("img", { src: "mark.svg", alt: "", width: "32", height: "32" }),
    h("b", null, "Notesferry"),
  );
}

/** What is shown before somebody is logged in. */
export function alone(...children) {
  return h("main", { class: "alone" }, brand(), children);
}

export function shell({ me, name, works, enter }, ...content) {
  const toggle = ({ currentTarget }) => {
    const isOpen = currentTarget.closest(".shell").classList.toggle("is-open");
    currentTarget.setAttribute("aria-expanded", String(isOpen));
  };
  const isOpen = document.querySelector(".shell.is-open") !== null;
  const menu = h(
    "button",
    {
      type: "button",
      class: "button small menu",
      "aria-expanded": String(isOpen),
      "aria-controls": "ways",
      onclick: toggle,
    },
    icon("menu"),
    h("span", { class: "unseen" }, "Menu"),
  );
  const silent = works
    ? null
    : notice(
        "bad",
        "alert",
        "The server does not answer. What you see is the last that was heard; this page keeps trying.",
      );
  return h(
    "div",
    { class: isOpen ? "shell is-open" : "shell", key: "shell" },
    h("a", { class: "skip", href: "#main", onclick: toContent }, "To the content"),
    h("header", { class: "bar" }, brand(), may(me, "operator") ? stopAll() : null, menu),
    h(
      "aside",
      { class: "side", id: "ways", "aria-label": "Pages and account" },
      brand(),
      ways(me, name),
      who(me, enter),
    ),
    h(
      "main",
      { id: "main", tabindex: "-1" },
      h(
        "div",
        { class: "page" },
        h("div", { role: "status", class: "unseen" }, works ? "" : "Connection lost"),
        silent,
        content,
      ),
    ),
  );
}

/** The address holds the page, so it cannot hold a place on it too. */
function toContent(event) {
  event.preventDefault();
  document.getElementById("main").focus();
}

function ways(me, current) {
  const items = WAYS.filter(({ role }) => !role || may(me, role)).map(({ name, label }) =>
    h(
      "li",
      null,
      h("a", { href: `#/${name}`, "aria-current": name === current ? "page" : null }, icon(name), label),
    ),
  );
  return h("nav", { "aria-label": "Pages" }, h("ul", null, items));
}

function who(me, enter) {
  const leave = async () => {
    await remove("session");
    location.hash = "#/overview";
    enter();
  };
  return h(
    "div",
    { class: "who" },
    h(
      "p",
      { class: "small" },
      h("b", null, me.user.name),
      h("span", { class: "soft" }, ` \u00b7 ${me.user.role}`),
    ),
    h("button", { type: "button", class: "leave", onclick: leave }, icon("leave"), "Log out"),
    h("p", { class: "small soft" }, `Version ${me.version}`),
  );
}

function stopAll() {
  const order = () =>
    confirm({
      title: "Stop every mailbox?",
      text: "All passes that run, wait or are queued are stopped. What has arrived stays, nothing is lost, and each can be started again and goes on from there.",
      action: "Stop everything",
      submit: async () => {
        await post("stop-all");
        say("Everything is told to stop.");
      },
    });
  return button({
    label: "Stop everything",
    sign: "halt",
    kind: "danger stop-all",
    small: true,
    onclick: order,
  });
}
