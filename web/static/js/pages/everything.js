// The records that several pages show together.

import { get } from "../api.js";
import { knownKinds } from "./carried.js";

export async function everything() {
  const [{ mailboxes }, { extractors }, { connectors }, { directories }, kinds] = await Promise.all([
    ...["mailboxes", "extractors", "connectors", "directories"].map((path) => get(path)),
    knownKinds(),
  ]);
  return { mailboxes, extractors, connectors, directories, kinds };
}
