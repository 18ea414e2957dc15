// Numbers, sizes and times as people read them.

const LANGUAGE = navigator.language.startsWith("en") ? navigator.language : "en-GB";
const NUMBER = new Intl.NumberFormat("en", { useGrouping: true });
const SIZE = new Intl.NumberFormat("en", { maximumSignificantDigits: 3 });
const DAY_AND_TIME = new Intl.DateTimeFormat(LANGUAGE, { dateStyle: "medium", timeStyle: "short" });
const TIME = new Intl.DateTimeFormat(LANGUAGE, { timeStyle: "medium" });
const THIN_SPACE = "\u202f";

/** 12 345, with thin spaces that do not break. */
export function number(value) {
  const parts = NUMBER.formatToParts(value);
  return parts.map(({ type, value: text }) => (type === "group" ? THIN_SPACE : text)).join("");
}

/** `1 mailbox`, `1 200 mailboxes`. */
export function count(value, one, many = `${one}s`) {
  return `${number(value)}\u00a0${value === 1 ? one : many}`;
}

/** Bytes with a decimal unit. */
export function size(bytes) {
  const units = ["bytes", "kB", "MB", "GB", "TB"];
  const step = bytes < 1000 ? 0 : Math.min(Math.floor(Math.log10(bytes) / 3), units.length - 1);
  return `${SIZE.format(bytes / 1000 ** step)}\u00a0${units[step]}`;
}

/** The exact time, for a title. */
export function exact(unixMs) {
  return `${new Date(unixMs)
    .toISOString()
    .replace("T", " ")
    .replace(/\.\d+Z$/, "")} UTC`;
}

export function dayAndTime(unixMs) {
  return DAY_AND_TIME.format(unixMs);
}

export function time(unixMs) {
  return TIME.format(unixMs);
}

/** `4 s`, `12 min`, `3 h`, `5 days`. */
function duration(milliseconds) {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  if (seconds < 100) return `${seconds}\u00a0s`;
  if (seconds < 100 * 60) return `${Math.round(seconds / 60)}\u00a0min`;
  if (seconds < 48 * 3600) return `${Math.round(seconds / 3600)}\u00a0h`;
  return `${number(Math.round(seconds / 86400))}\u00a0days`;
}

/** `4 s ago`, `in 12 min`. */
export function fromNow(unixMs) {
  const away = unixMs - Date.now();
  return away > 0 ? `in ${duration(away)}` : `${duration(-away)} ago`;
}
