// What the page knows of the numbers: the parts of the sum, and how passes become the state of a mailbox. It adds up
// what the API counted and counts nothing itself.

/** The right side of the sum, in the order in which it is shown. */
export const PARTS = [
  { name: "delivered", label: "Delivered" },
  { name: "already_there", label: "Already there" },
  { name: "filtered_out", label: "Filtered out" },
  { name: "set_aside", label: "Set aside" },
  { name: "removed_by_user", label: "Removed by user" },
  { name: "still_to_do", label: "Still to do" },
];

const NOTHING = { found: 0, delivered: 0, already_there: 0, filtered_out: 0, set_aside: 0, removed_by_user: 0, still_to_do: 0 };

/** An extractor speaks at least every 30 s; after three times that it is called silent. */
const SILENT_MS = 90_000;

export function addUp(tallies) {
  const sum = { ...NOTHING };
  for (const tally of tallies) for (const name of Object.keys(sum)) sum[name] += tally[name];
  return sum;
}

/** Whether found is what the parts add up to. */
export function isWhole(tally) {
  return tally.found === PARTS.reduce((sum, { name }) => sum + tally[name], 0);
}

export function isOpen(pass) {
  return pass !== undefined && ["queued", "running", "waiting"].includes(pass.state);
}

/** The last pass of each mailbox, by its number. */
export function lastPasses(passes) {
  const last = new Map();
  for (const pass of passes) if (!(last.get(pass.mailbox)?.id > pass.id)) last.set(pass.mailbox, pass);
  return last;
}

/** What a mailbox is called: its file, without folder and ending. */
export function shortName(source) {
  const file = source.split("/").at(-1);
  return file.replace(/\.ns[fgh]$/i, "") || source;
}

/** How the last pass of a mailbox stands: `tone` for its colour, `needs` a person when it does not go on by itself. */
export function stateOf(pass) {
  if (pass === undefined) return { tone: "idle", icon: "dot", label: "Not started", needs: false };
  const { set_aside: setAside, still_to_do: toDo } = pass.tally;
  if (pass.state === "queued") return { tone: "busy", icon: "clock", label: "Queued", needs: false };
  if (pass.state === "running") return { tone: "busy", label: pass.limit ? "Trial runs" : "Running", needs: false };
  if (pass.state === "waiting") return { tone: "wait", icon: "clock", label: "Waits for next try", needs: false };
  if (pass.state === "stopped") return { tone: "idle", icon: "stop", label: "Stopped", needs: false };
  if (pass.limit && toDo > 0) return { tone: "good", icon: "check", label: "Trial finished", needs: false };
  if (pass.not_final) return { tone: "wait", icon: "alert", label: "Not final", needs: true };
  if (setAside > 0) return { tone: "bad", icon: "alert", label: "Items set aside", needs: true };
  if (toDo > 0) return { tone: "wait", icon: "alert", label: "Not complete", needs: true };
  return { tone: "good", icon: "check", label: "Complete", needs: false };
}

/** How an extractor stands. */
export function extractorState(extractor) {
  if (extractor.revoked) return { tone: "idle", icon: "close", label: "Revoked", works: false };
  const heard = extractor.heard_unix_ms;
  if (!heard) return { tone: "wait", icon: "clock", label: "Not heard since the server started", works: false };
  if (Date.now() - heard > SILENT_MS) return { tone: "bad", icon: "alert", label: "Silent", works: false };
  return { tone: "good", label: "Connected", works: true };
}
