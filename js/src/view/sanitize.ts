/**
 * HTML that Python code displays is made of an allow-list: no scripts, no event handlers, no forms, no frames, no
 * addresses other than links and images that are in the text itself, in styles neither. Nodes are built anew from an
 * inert document, so nothing is parsed twice. The result belongs in a shadow root, which keeps its style sheets and ids
 * from the page.
 */
export function sanitize(html: string): DocumentFragment {
  const source = new DOMParser().parseFromString(html, "text/html");
  const clean = document.createDocumentFragment();
  copyChildren(source.head, clean);
  copyChildren(source.body, clean);
  for (const table of clean.querySelectorAll("table")) giveScopes(table);
  return clean;
}

const ALLOWED = new Set(
  (
    "a abbr b blockquote br caption cite code col colgroup dd del details div dl dt em figcaption figure h1 h2 h3 h4 " +
    "h5 h6 hr i img ins kbd li mark ol p pre q s samp section small span strong style sub summary sup table tbody td " +
    "tfoot th thead time tr u ul var"
  ).split(" "),
);

/** Elements whose content is not text for readers. What is in neither set gives way to its children. */
const DROPPED = new Set(
  "applet audio base canvas embed frame frameset iframe link math meta noscript object script select svg template textarea title video".split(
    " ",
  ),
);

const ATTRIBUTES = new Set(
  (
    "align alt border class colspan datetime dir headers height id lang open reversed role rowspan scope span start " +
    "title valign width"
  ).split(" "),
);

function copyChildren(from: Node, to: Node): void {
  for (const child of from.childNodes) {
    if (child instanceof Text) {
      to.appendChild(document.createTextNode(child.data));
    } else if (child instanceof Element) {
      const name = child.localName;
      if (DROPPED.has(name)) continue;
      if (ALLOWED.has(name)) to.appendChild(copy(child, name));
      else copyChildren(child, to);
    }
  }
}

function copy(element: Element, name: string): HTMLElement {
  const made = document.createElement(name);
  for (const attribute of element.attributes) {
    if (ATTRIBUTES.has(attribute.name) || attribute.name.startsWith("aria-")) {
      made.setAttribute(attribute.name, attribute.value);
    }
  }
  const style = element.getAttribute("style");
  if (style !== null) {
    made.style.cssText = style;
    if (fetches(made.style.cssText)) made.removeAttribute("style");
  }
  const link = element.getAttribute("href");
  if (name === "a" && link !== null && /^(https?:|mailto:)/i.test(link.trim())) {
    made.setAttribute("href", link.trim());
    made.setAttribute("target", "_blank");
    made.setAttribute("rel", "noopener noreferrer");
  }
  if (name === "img") {
    const image = element.getAttribute("src") ?? "";
    if (/^data:image\/(png|jpeg|gif|webp|svg\+xml)[;,]/i.test(image)) made.setAttribute("src", image);
    if (!made.hasAttribute("alt")) made.setAttribute("alt", "");
  }
  if (name === "style") made.textContent = quietRules(element.textContent);
  else copyChildren(element, made);
  return made;
}

/** The rules of a style sheet that make the browser fetch nothing. */
function quietRules(css: string): string {
  const sheet = new CSSStyleSheet();
  // `@import` is not taken here.
  sheet.replaceSync(css);
  return [...sheet.cssRules]
    .map((rule) => rule.cssText)
    .filter((rule) => !fetches(rule))
    .join("\n");
}

/**
 * Whether CSS, as the browser writes it, has an address outside of the text. What is still escaped there is the value of
 * a custom property, which may become anything.
 */
function fetches(css: string): boolean {
  return /url\((?!"data:image\/)|src\(|image-set\(|\\/i.test(css);
}

/** Header cells say what they are the header of; pandas leaves that out. An empty corner is the header of nothing. */
function giveScopes(table: HTMLTableElement): void {
  for (const cell of table.querySelectorAll<HTMLTableCellElement>("th")) {
    if (cell.textContent.trim() === "") cell.replaceWith(asData(cell));
    else if (!cell.scope) cell.scope = cell.closest("thead") ? "col" : "row";
  }
}

function asData(header: HTMLTableCellElement): HTMLTableCellElement {
  const cell = document.createElement("td");
  for (const { name, value } of header.attributes) {
    if (name !== "scope") cell.setAttribute(name, value);
  }
  return cell;
}
