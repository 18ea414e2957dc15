// Starts the page: who is here, which page the address names, and what keeps it live.

import { session, whenLoggedOut } from "./api.js";
import { h, settle } from "./dom.js";
import { follow } from "./live.js";
import { notice } from "./parts.js";
import { alone, mayOpen, shell } from "./shell.js";
import { connectorsPage } from "./pages/connectors.js";
import { extractorsPage } from "./pages/extractors.js";
import { firstStart } from "./pages/first-start.js";
import { logIn } from "./pages/log-in.js";
import { logPage } from "./pages/log.js";
import { mailboxPage } from "./pages/mailbox.js";
import { mailboxesPage } from "./pages/mailboxes.js";
import { overviewPage } from "./pages/overview.js";
import { peoplePage } from "./pages/people.js";
import { setUpPage } from "./pages/set-up.js";

/** Each page is a function of its context that gives `title`, `load()` and `view(data)`. `load` asks the API, at first
 * and after every change; `view` only draws. */
const PAGES = {
  overview: overviewPage,
  "set-up": setUpPage,
  mailboxes: (context) => (context.parameters.length > 0 ? mailboxPage(context) : mailboxesPage(context)),
  connectors: connectorsPage,
  extractors: extractorsPage,
  people: peoplePage,
  log: logPage,
};

/** Times are told as `12 s ago`, so what is shown grows old by itself. */
const REDRAW_MS = 5_000;

const app = document.getElementById("app");
let me = null;
let current = new AbortController();

/** Looks who is here and shows what they may see. */
async function enter() {
  current.abort();
  try {
    me = await session();
  } catch (error) {
    settle(app, alone(notice("bad", "alert", error.message)));
    setTimeout(enter, REDRAW_MS);
    return;
  }
  if (me.first_start) standAlone("First start", firstStart(enter));
  else if (!me.user) standAlone("Log in", logIn(enter));
  else show();
}

function standAlone(title, ...children) {
  document.title = `${title} \u2013 Notesferry`;
  app.replaceChildren(alone(children));
  app.querySelector("input")?.focus();
}

/** Shows the page that the address names, until another is shown. */
function show() {
  if (!me?.user) return;
  current.abort();
  current = new AbortController();
  const { signal } = current;
  const [name, ...parameters] = location.hash.replace(/^#\/?/, "").split("/").map(decodeURIComponent);
  const known = Object.hasOwn(PAGES, name) && mayOpen(me, name) ? name : "overview";
  const state = { data: undefined, error: null, works: true };
  const draw = () => {
    if (signal.aborted) return;
    const content = state.data !== undefined ? page.view(state.data) : waiting(page.title, state.error);
    const wrong = state.error ? notice("bad", "alert", state.error.message) : null;
    document.title = `${page.title} \u2013 Notesferry`;
    settle(app, shell({ me, name: known, works: state.works, enter }, wrong, content));
  };
  const reload = async () => {
    try {
      state.data = await page.load();
      state.error = null;
    } catch (error) {
      state.error = error;
    }
    draw();
  };
  const page = PAGES[known]({ parameters, me, redraw: draw, reload, signal });
  draw();
  document.getElementById("title")?.focus({ preventScroll: true });
  scrollTo(0, 0);
  const timer = setInterval(() => document.hidden || draw(), REDRAW_MS);
  signal.addEventListener("abort", () => clearInterval(timer));
  reload().then(() =>
    follow(signal, reload, (works) => {
      if (state.works === works) return;
      state.works = works;
      draw();
    }),
  );
}

function waiting(title, error) {
  return [
    h("div", { class: "head" }, h("div", null, h("h1", { id: "title", tabindex: "-1" }, title))),
    error ? null : h("p", { class: "soft" }, "One moment\u2026"),
  ];
}

whenLoggedOut(enter);
addEventListener("hashchange", () => {
  app.querySelector(".shell")?.classList.remove("is-open");
  show();
});
enter();
