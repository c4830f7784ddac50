import type { MimeBundle } from "../boundary.js";
import { element, plural } from "./dom.js";
import { RICH_STYLE } from "./rich_style.js";
import { sanitize } from "./sanitize.js";

/** The richest form of a display that the page can show, and what to call it in a sentence. */
export interface Display {
  element: HTMLElement;
  summary: string;
}

const IMAGES = ["image/svg+xml", "image/png", "image/jpeg", "image/gif", "image/webp"];

/** Shows `data` in the first of: HTML, SVG, a bitmap, JSON, plain text. `where` names the cell. */
export function display(data: MimeBundle, metadata: Record<string, unknown>, where: string): Display {
  const html = text(data["text/html"]);
  if (html !== undefined) return showHtml(html, where);
  for (const type of IMAGES) {
    const image = text(data[type]);
    if (image !== undefined) return showImage(type, image, data, metadata, where);
  }
  const plain = text(data["text/plain"]) ?? JSON.stringify(data["application/json"] ?? data, null, 2);
  return { element: element("pre", { class: "plain" }, plain), summary: plain.slice(0, 200) };
}

function text(value: unknown): string | undefined {
  if (Array.isArray(value)) return value.join("");
  return typeof value === "string" ? value : undefined;
}

function showHtml(html: string, where: string): Display {
  const clean = sanitize(html);
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
