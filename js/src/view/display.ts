import type { MimeBundle } from "../boundary.js";
import { element, plural } from "./dom.js";
import { RICH_STYLE } from "./rich_style.js";
import { sanitize } from "./sanitize.js";
import { SHOWN_CHARACTERS, TextStream } from "./stream.js";

/** The richest form of a display that the page can show, and what to call it in a sentence. */
export interface Display {
  element: HTMLElement;
  summary: string;
}

const IMAGES = ["image/svg+xml", "image/png", "image/jpeg", "image/gif", "image/webp"];

/** What `repr()` gives where a class does not say more. */
const BARE_NAME = /^<[^\n]* object(?: at 0x[0-9a-f]+)?>$/;

/**
 * Shows `data` in the first of: HTML of which something may be shown, SVG, a bitmap, plain text, Markdown or LaTeX as it is
 * written where the plain text is but a name, JSON. `where` names the cell.
 */
export function display(data: MimeBundle, metadata: Record<string, unknown>, where: string): Display {
  const html = text(data["text/html"]);
  const shown = html === undefined ? undefined : showHtml(html, where);
  if (shown) return shown;
  for (const type of IMAGES) {
    const image = text(data[type]);
    if (image !== undefined) return showImage(type, image, data, metadata, where);
  }
  const plain = text(data["text/plain"]);
  const isBare = plain === undefined || BARE_NAME.test(plain);
  const source = isBare ? (text(data["text/markdown"]) ?? text(data["text/latex"])) : undefined;
  const { element: shownText, summary } = showText(
    source ?? plain ?? JSON.stringify(data["application/json"] ?? data, null, 2),
  );
  if (html?.trim()) {
    shownText.append(element("p", { class: "stream-note" }, "Its HTML needs scripts, which do not run here."));
  }
  return { element: shownText, summary };
}

function showText(plain: string): Display {
  const shown = element("div");
  if (plain.length > SHOWN_CHARACTERS) {
    const stream = new TextStream("stdout");
    stream.append(plain);
    shown.append(stream.element);
  } else {
    shown.append(element("pre", { class: "plain" }, plain));
  }
  return { element: shown, summary: plain.slice(0, 200) };
}

function text(value: unknown): string | undefined {
  if (Array.isArray(value)) return value.join("");
  return typeof value === "string" ? value : undefined;
}

/** Nothing where the page may show nothing of it. */
function showHtml(html: string, where: string): Display | undefined {
  const clean = sanitize(html);
  if (isEmpty(clean)) return undefined;
  const table = clean.querySelector("table");
  const summary = table ? describe(table) : "Formatted output";
  const host = element("div", { class: "rich-host" });
  const root = host.attachShadow({ mode: "open" });
  root.adoptedStyleSheets = [richSheet()];
  root.append(clean);
  const region = element(
    "div",
    { class: "rich", role: "region", tabindex: "0", "aria-label": `${summary}, ${where}` },
    host,
  );
  return { element: region, summary };
}

function isEmpty(clean: DocumentFragment): boolean {
  if (clean.querySelector("img, hr, table")) return false;
  const words = clean.cloneNode(true) as DocumentFragment;
  for (const style of words.querySelectorAll("style")) style.remove();
  return words.textContent?.trim() === "";
}

function describe(table: HTMLTableElement): string {
  const rows = table.tBodies[0]?.rows.length ?? table.rows.length;
  const columns = Math.max(0, ...[...table.rows].slice(0, 3).map((row) => row.querySelectorAll("td").length));
  return `Table, ${plural(rows, "row")}, ${plural(columns, "column")}`;
}

let sheet: CSSStyleSheet | undefined;

function richSheet(): CSSStyleSheet {
  if (!sheet) {
    sheet = new CSSStyleSheet();
    sheet.replaceSync(RICH_STYLE);
  }
  return sheet;
}

/** A picture is an `<img>`, an SVG too: scripts in it do not run, and it fetches nothing. */
function showImage(
  type: string,
  image: string,
  data: MimeBundle,
  metadata: Record<string, unknown>,
  where: string,
): Display {
  const about = details(metadata[type]) ?? metadata;
  const alt = typeof about.alt === "string" ? about.alt : `Picture, ${where}. ${text(data["text/plain"]) ?? ""}`;
  const source =
    type === "image/svg+xml" && image.trimStart().startsWith("<")
      ? `data:${type};charset=utf-8,${encodeURIComponent(image)}`
      : `data:${type};base64,${image.replaceAll(/\s/g, "")}`;
  const shown = element("img", { class: "picture", src: source, alt: alt.trim() });
  for (const side of ["width", "height"] as const) {
    const pixels = about[side];
    if (typeof pixels === "number") shown.setAttribute(side, String(Math.round(pixels)));
  }
  return { element: element("div", { class: "picture-frame" }, shown), summary: "Picture" };
}

function details(value: unknown): Record<string, unknown> | undefined {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
}
