// Talks to the web API, and is the only file that calls `fetch`.

const ROOT = "api/v1/";

/** A test of a target takes as long as that server does. */
const PATIENCE_MS = 120_000;

let csrfToken = null;
let onLoggedOut = () => {};

/** A call that was refused. `field` names the part of the input that is wrong, where there is one. */
export class ApiError extends Error {
  constructor(status, { code, sentence, field }) {
    super(sentence);
    this.status = status;
    this.code = code;
    this.field = field ?? null;
  }
}

/** The server did not answer at all. */
class Unreachable extends Error {
  constructor() {
    super("The server does not answer. This page keeps trying.");
  }
}

/** What is called when a session has ended. */
export function whenLoggedOut(handler) {
  onLoggedOut = handler;
}

/** Who is logged in; also takes the token that every change has to show. */
export async function session() {
  const answer = await get("session");
  csrfToken = answer.csrf ?? null;
  return answer;
}

export const get = (path, signal, patienceMs) => call("GET", path, undefined, signal, patienceMs);
export const post = (path, body) => call("POST", path, body ?? {});
export const patch = (path, body) => call("PATCH", path, body);
export const remove = (path) => call("DELETE", path);

async function call(method, path, body, outer, patienceMs = PATIENCE_MS) {
  const headers = { Accept: "application/json" };
  if (method !== "GET" && csrfToken !== null) headers["X-CSRF-Token"] = csrfToken;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  // A server that froze or a line that broke says nothing: without a limit the page would wait for ever.
  const limit = AbortSignal.timeout(patienceMs);
  const signal = outer ? AbortSignal.any([outer, limit]) : limit;
  const options = { method, headers, signal, credentials: "same-origin", cache: "no-store" };
  if (body !== undefined) options.body = JSON.stringify(body);
  const answer = await fetch(ROOT + path, options).catch((error) => {
    throw error.name === "AbortError" ? error : new Unreachable();
  });
  const value = await answer.json().catch(() => null);
  if (answer.ok) return value;
  const error = value?.error ?? {
    code: "failed",
    sentence: `The server answered with status ${answer.status}.`,
  };
  if (error.code === "not_logged_in") onLoggedOut();
  throw new ApiError(answer.status, error);
}
