// The records that several pages show together.

import { get } from "../api.js";

export async function everything() {
  const [{ mailboxes }, { passes }, { extractors }, { connectors }] = await Promise.all(
    ["mailboxes", "passes", "extractors", "connectors"].map((path) => get(path)),
  );
  return { mailboxes, passes, extractors, connectors };
}
