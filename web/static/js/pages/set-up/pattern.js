// How a target is made of the pattern of step 1 and the name of a mailbox.

/** The TARGET of a mailbox of this name, as the API takes it. */
export function targetOf({ kind, host, port, user, prefix, folder }, name) {
  const fill = (pattern) => pattern.replaceAll("{name}", name);
  if (kind !== "imaps") return `${kind}:${fill(folder)}`;
  const below = fill(prefix ?? "")
    .split("/")
    .filter(Boolean)
    .map((part) => `/${encodeURIComponent(part)}`);
  const place = port && !["993", "143"].includes(port) ? `${host}:${port}` : host;
  // 143 switches to TLS after the greeting.
  const scheme = port === "143" ? "imap" : "imaps";
  return `${scheme}://${encodeURIComponent(fill(user))}@${place}${below.join("")}`;
}

/** A Notes name as people write it: `CN=Jane Doe/O=Example` is `Jane Doe/Example`. */
export function personName(owner) {
  return owner?.replace(/(^|\/)(?:CN|OU|O|C)=/gi, "$1") ?? "";
}
