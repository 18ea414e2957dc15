// Tells a page when something changed on the server: one long poll a page, and none while it is hidden.

import { get } from "./api.js";

/** The server answers a poll after 25 seconds at the latest. */
const POLL_MS = 40_000;
const PAUSE_FIRST_MS = 1_000;
const PAUSE_MOST_MS = 15_000;
/** A page is not drawn more often than this, however much happens. */
const BETWEEN_MS = 700;

/** Calls `onChange` after every change, and `onLink(works)` when the server falls silent or answers again. Ends when
 * `signal` does. */
export async function follow(signal, onChange, onLink) {
  let mark = null;
  let pause = PAUSE_FIRST_MS;
  while (!signal.aborted) {
    await untilShown(signal);
    try {
      const answer = await poll(mark, signal);
      // Also after a time without change: heartbeats and times grow old.
      if (mark !== null && !signal.aborted) await onChange();
      mark = answer.mark;
      pause = PAUSE_FIRST_MS;
      onLink(true);
      await sleep(BETWEEN_MS, signal);
    } catch (error) {
      if (signal.aborted) return;
      if (error.name === "AbortError") continue;
      onLink(false);
      await sleep(pause, signal);
      pause = Math.min(2 * pause, PAUSE_MOST_MS);
    }
  }
}

async function poll(mark, signal) {
  const call = new AbortController();
  const end = () => (signal.aborted || document.hidden ? call.abort() : undefined);
  signal.addEventListener("abort", end);
  document.addEventListener("visibilitychange", end);
  try {
    return await get(mark === null ? "changes" : `changes?after=${mark}`, call.signal, POLL_MS);
  } finally {
    signal.removeEventListener("abort", end);
    document.removeEventListener("visibilitychange", end);
  }
}

function untilShown(signal) {
  return new Promise((resolve) => {
    const look = () => {
      if (document.hidden && !signal.aborted) return;
      document.removeEventListener("visibilitychange", look);
      resolve();
    };
    document.addEventListener("visibilitychange", look);
    signal.addEventListener("abort", look, { once: true });
    look();
  });
}

function sleep(milliseconds, signal) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener("abort", () => (clearTimeout(timer), resolve()), { once: true });
  });
}
