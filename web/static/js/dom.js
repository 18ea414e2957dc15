// Builds elements, and is the only file that does. Text goes in as text nodes, so nothing that a mailbox, a server or a
// person wrote can become markup. Styles go in as custom properties, because the page forbids style attributes.

const SVG = "http://www.w3.org/2000/svg";

/** Event handlers are properties, so that `settle` can hand them from a fresh element to the one that stays. */
const HANDLERS = ["onclick", "oninput", "onchange", "onsubmit", "onkeydown", "ontoggle"];
/** These live as properties: the attribute of the same name only says how they began. */
const PROPERTIES = new Set(["value", "checked", "selected", ...HANDLERS]);

/** Elements that a page builds once and hands in again and again. */
const lasting = new WeakSet();
/** What a comment stands for: a lasting element that is on the page and must not leave it, or it would lose the focus. */
const standIns = new WeakMap();

/** Marks an element that is built once, such as a form: `settle` takes it as it is and looks no further. */
export function last(element) {
  lasting.add(element);
  return element;
}

/** An element. `properties` are attributes (false, null and undefined leave them out) and handlers in lower case;
 * `style` is an object of custom properties; `key` names it among its siblings. */
export function h(tag, properties, ...children) {
  const element = document.createElement(tag);
  append(element, children);
  for (const [name, value] of Object.entries(properties ?? {})) {
    setProperty(element, name, value);
  }
  return element;
}

function setProperty(element, name, value) {
  if (value === false || value === null || value === undefined) return;
  if (PROPERTIES.has(name)) element[name] = value;
  else if (name === "key") element.dataset.key = value;
  else if (name === "style")
    for (const [rule, text] of Object.entries(value)) element.style.setProperty(rule, text);
  else element.setAttribute(name, value === true ? "" : value);
}

function append(element, children) {
  for (const child of flat(children)) element.append(child);
}

/** Children as nodes; what is null, undefined or false is no child. */
function flat(children) {
  return children
    .flat(Infinity)
    .filter((child) => child !== null && child !== undefined && child !== false)
    .map((child) => (child instanceof Node ? standIn(child) : document.createTextNode(String(child))));
}

function standIn(node) {
  if (!lasting.has(node) || !node.isConnected) return node;
  const comment = document.createComment("");
  standIns.set(comment, node);
  return comment;
}

/** A drawing of `icons.svg`. It says nothing to a screen reader: a text always stands beside it. */
export function icon(name) {
  const drawing = document.createElementNS(SVG, "svg");
  drawing.setAttribute("class", "icon");
  drawing.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `icons.svg#${name}`);
  drawing.append(use);
  return drawing;
}

/** Makes `parent` hold `children` and keeps every element that already looks like the wanted one, so that focus,
 * selection, scroll position and what a person typed survive a live update. */
export function settle(parent, ...children) {
  let at = parent.firstChild;
  for (const child of flat(children)) {
    const fresh = standIns.get(child) ?? child;
    const stays = find(parent, at, fresh);
    if (stays === null) {
      parent.insertBefore(fresh, at);
      bringBack(fresh);
      continue;
    }
    if (stays === at) at = at.nextSibling;
    else parent.insertBefore(stays, at);
    if (stays !== fresh) refresh(stays, fresh);
  }
  while (at !== null) {
    const next = at.nextSibling;
    at.remove();
    at = next;
  }
}

function find(parent, at, fresh) {
  if (lasting.has(fresh)) return fresh.parentNode === parent ? fresh : null;
  const key = fresh.dataset?.key;
  if (key === undefined) return at !== null && isAlike(at, fresh) ? at : null;
  for (let node = at; node !== null; node = node.nextSibling) {
    if (node.dataset?.key === key && isAlike(node, fresh)) return node;
  }
  return null;
}

function isAlike(old, fresh) {
  return !lasting.has(old) && old.nodeName === fresh.nodeName && old.dataset?.key === fresh.dataset?.key;
}

/** Puts lasting elements back where comments stand for them. */
function bringBack(root) {
  const comments = document.createTreeWalker(root, NodeFilter.SHOW_COMMENT);
  const found = [];
  while (comments.nextNode()) found.push(comments.currentNode);
  for (const comment of found) if (standIns.has(comment)) comment.replaceWith(standIns.get(comment));
}

function refresh(old, fresh) {
  if (old.nodeType !== Node.ELEMENT_NODE) {
    if (old.data !== fresh.data) old.data = fresh.data;
    return;
  }
  for (const { name } of [...old.attributes]) {
    if (!fresh.hasAttribute(name) && !isOfThePerson(old, name)) old.removeAttribute(name);
  }
  for (const { name, value } of fresh.attributes) {
    if (name !== "style" && old.getAttribute(name) !== value && !isOfThePerson(old, name))
      old.setAttribute(name, value);
  }
  if (old.style.cssText !== fresh.style.cssText) old.style.cssText = fresh.style.cssText;
  for (const handler of HANDLERS) old[handler] = fresh[handler];
  if (old.type === "checkbox") old.checked = fresh.checked;
  settle(old, ...fresh.childNodes);
}

/** Whether a person opened or closed it. */
function isOfThePerson(element, name) {
  return name === "style" || (name === "open" && ["DETAILS", "DIALOG"].includes(element.nodeName));
}
