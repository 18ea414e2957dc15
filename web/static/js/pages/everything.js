// The records that several pages show together.

import { get } from "../api.js";

export async function everything() {
  const [{ mailboxes }, { extractors }, { connectors }, { directories }] = await Promise.all(
    ["mailboxes", "extractors", "connectors", "directories"].map((path) => get(path)),
  );
  return { mailboxes, extractors, connectors, directories };
}
