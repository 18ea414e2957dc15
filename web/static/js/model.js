// What the page knows of the records: the parts of the sum, and how a pass becomes the state of a mailbox. The API
// counts; this counts nothing.

/** The right side of the sum, in the order in which it is shown. */
export const PARTS = [
  { name: "delivered", label: "Delivered" },
  { name: "already_there", label: "Already there" },
  { name: "filtered_out", label: "Filtered out" },
  { name: "set_aside", label: "Set aside" },
  { name: "removed_by_user", label: "Removed by user" },
  { name: "still_to_do", label: "Still to do" },
];

/** Whether found is what the parts add up to. */
export function isWhole(tally) {
  return tally.found === PARTS.reduce((sum, { name }) => sum + tally[name], 0);
}

export function isOpen(pass) {
  return Boolean(pass) && ["queued", "running", "waiting"].includes(pass.state);
}

/** What a mailbox is called: its file, without folder and ending. */
export function shortName(source) {
  const file = source.split("/").at(-1);
  return file.replace(/\.ns[fgh]$/i, "") || source;
}

/** How the last pass of a mailbox stands: `tone` for its colour, `needs` a person when it does not go on by itself. */
export function stateOf(pass) {
  if (!pass) return { tone: "idle", icon: "dot", label: "Not started", needs: false };
  const { set_aside: setAside, still_to_do: toDo } = pass.tally;
  if (pass.state === "queued") return { tone: "busy", icon: "clock", label: "Queued", needs: false };
  if (pass.state === "running")
    return { tone: "busy", label: pass.limit ? "Trial runs" : "Running", needs: false };
  if (pass.waits?.needs_you) return { tone: "bad", icon: "alert", label: "Keeps failing", needs: true };
  if (pass.state === "waiting")
    return { tone: "wait", icon: "clock", label: "Waits for next try", needs: false };
  if (pass.state === "stopped") return { tone: "idle", icon: "stop", label: "Stopped", needs: false };
  if (pass.limit) return { tone: "good", icon: "check", label: "Trial finished", needs: false };
  if (pass.not_final) return { tone: "wait", icon: "alert", label: "Not final", needs: true };
  if (setAside > 0) return { tone: "bad", icon: "alert", label: "Items set aside", needs: true };
  if (toDo > 0) return { tone: "wait", icon: "alert", label: "Not complete", needs: true };
  return { tone: "good", icon: "check", label: "Complete", needs: false };
}

/** How an extractor stands. */
export function extractorState({ revoked, alive }) {
  if (revoked) return { tone: "idle", icon: "close", label: "Revoked", works: false };
  return alive
    ? { tone: "good", label: "Connected", works: true }
    : { tone: "bad", icon: "alert", label: "Silent", works: false };
}

/** A target in words: who on which server, or which folder. */
export function placeOf(target) {
  const server = /^imaps?:\/\/([^@/]+)@([^/]+)(.*)$/.exec(target);
  if (!server) return target;
  const [, user, host, below] = server.map(decode);
  return `${user} on ${host}${below.length > 1 ? `, below ${below.slice(1)}` : ""}`;
}

function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
