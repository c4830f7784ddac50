/** As much of a table as tells how it is written. */
const SAMPLE = 1_000_000;

/** The Python expression that reads a file of this name, with what is in it where that is known. */
export function howToRead(name: string, content?: Uint8Array): string {
  const quoted = JSON.stringify(name);
  switch (/\.(\w+)$/.exec(name)?.[1]?.toLowerCase()) {
    case "csv":
    case "tsv":
      return `pd.read_csv(${[quoted, ...tableOptions(name, content)].join(", ")})`;
    case "json":
      return `pd.read_json(${quoted})`;
    case "xlsx":
    case "xls":
      return `pd.read_excel(${quoted})`;
    case "parquet":
      return `pd.read_parquet(${quoted})`;
    case "zip":
      return `import zipfile; zipfile.ZipFile(${quoted}).namelist()`;
    default:
      return content === undefined || isUtf8(content) ? `open(${quoted}).read()` : `open(${quoted}, "rb").read()`;
  }
}

/** What `read_csv` has to be told, which expects commas and UTF-8: spreadsheets write otherwise in much of the world. */
function tableOptions(name: string, content: Uint8Array | undefined): string[] {
  const sample = content?.subarray(0, SAMPLE) ?? new Uint8Array();
  const encoding = encodingOf(sample);
  const text = new TextDecoder(encoding ?? "utf-8").decode(sample);
  const [head = ""] = text.split(/\r?\n/, 1);
  const count = (mark: string) => head.split(mark).length;
  const separator = [",", ";", "\t"].reduce((best, mark) => (count(mark) > count(best) ? mark : best));
  const options = [];
  if (separator === "\t" || (head === "" && /\.tsv$/i.test(name))) options.push('sep="\\t"');
  else if (separator === ";") options.push('sep=";"', ...(/;-?\d+,\d+\s*(?:;|$)/m.test(text) ? ['decimal=","'] : []));
  if (encoding !== undefined) options.push(`encoding="${encoding}"`);
  return options;
}

/** The encoding of text that is not UTF-8. */
function encodingOf(sample: Uint8Array): "utf-16" | "cp1252" | undefined {
  const [first, second] = sample;
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)) return "utf-16";
  return isUtf8(sample) ? undefined : "cp1252";
}

function isUtf8(content: Uint8Array): boolean {
  try {
    // A character may go on behind the sample.
    new TextDecoder("utf-8", { fatal: true }).decode(content.subarray(0, SAMPLE), { stream: true });
    return true;
  } catch {
    return false;
  }
}
