import { required } from "./dom.js";

/** A file of the learner's, and the path that Python is to see it at. */
export interface Given {
  path: string;
  file: File;
}

/** A folder with more files than this was dropped by mistake. */
const MOST_FILES = 500;

/** Takes files and folders that are dropped anywhere on the page. */
export function acceptDrops(onFiles: (given: Given[]) => void, onProblem: (error: unknown) => void): void {
  const veil = required("drop-veil", HTMLDivElement);
  const carriesFiles = (event: DragEvent) => event.dataTransfer?.types.includes("Files") ?? false;
  document.addEventListener("dragover", (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    veil.hidden = false;
  });
  document.addEventListener("dragleave", (event) => {
    if (event.relatedTarget === null) veil.hidden = true;
  });
  document.addEventListener("drop", (event) => {
    veil.hidden = true;
    if (!carriesFiles(event) || !event.dataTransfer) return;
    event.preventDefault();
    droppedFiles(event.dataTransfer).then(onFiles, onProblem);
  });
}

/** The files of a drop, folders gone through. What was dropped can be seen only while the event is handled. */
function droppedFiles(transfer: DataTransfer): Promise<Given[]> {
  const items = [...transfer.items].filter((item) => item.kind === "file");
  const dropped = items.map((item) => ({ entry: item.webkitGetAsEntry(), file: item.getAsFile() }));
  return gather(dropped);
}

async function gather(dropped: { entry: FileSystemEntry | null; file: File | null }[]): Promise<Given[]> {
  const given: Given[] = [];
  for (const { entry, file } of dropped) {
    if (entry?.isDirectory) await walk(entry as FileSystemDirectoryEntry, entry.name, given);
    else if (file) given.push({ path: file.name, file });
  }
  return given;
}

async function walk(directory: FileSystemDirectoryEntry, path: string, given: Given[]): Promise<void> {
  const reader = directory.createReader();
  const next = () => new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
  // It gives a hundred at a time, and none at the end.
  for (let entries = await next(); entries.length > 0; entries = await next()) {
    for (const entry of entries) {
      if (entry.name.startsWith(".")) continue;
      const inner = `${path}/${entry.name}`;
      if (entry.isDirectory) await walk(entry as FileSystemDirectoryEntry, inner, given);
      else given.push({ path: inner, file: await fileOf(entry as FileSystemFileEntry) });
      if (given.length > MOST_FILES) throw new Error(`The folder has more than ${MOST_FILES} files.`);
    }
  }
}

function fileOf(entry: FileSystemFileEntry): Promise<File> {
  return new Promise((resolve, reject) => entry.file(resolve, reject));
}
