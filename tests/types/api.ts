/**
 * The public types, asserted by the compiler: this file is checked, never run. A line under `@ts-expect-error` has to
 * be an error.
 */
import {
  type Checkpoint,
  type ErrorCode,
  type FailedPackage,
  type Features,
  type FileStat,
  type FileSystem,
  type Frame,
  type InstallOptions,
  isTaipanError,
  LoadError,
  type LoadPythonOptions,
  loadPython,
  type MemoryUse,
  type Output,
  type PackageInfo,
  type Python,
  PythonError,
  type RunResult,
  type TaipanError,
  type Timings,
} from "taipan";

/** Compiles only if the two types are the same. */
function same<A, B>(_: (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false): void {}

export async function start(): Promise<void> {
  same<Awaited<ReturnType<typeof loadPython>>, Python>(true);
  await loadPython();
  const options: LoadPythonOptions = {
    indexURL: new URL("https://example.org/python/"),
    lockFileURL: "/lock.json",
    lockFileContents: { packages: {} },
    packageBaseUrl: ["/wheels/", new URL("https://example.org/wheels/")],
    stallTimeoutMs: 10_000,
    packages: ["pandas"],
    indexURLs: ["/simple", new URL("https://example.org/simple")],
    env: { HOME: "/home" },
    cache: "none",
    signal: AbortSignal.timeout(1000),
    stdin: async (prompt, signal) => (signal.aborted ? null : prompt),
    onProgress: ({ stage, name, loaded, total, overall }) => [
      stage.length,
      name.length,
      loaded + (total ?? 0),
      overall,
    ],
    onOutput: (output) => output.type,
    worker: () => new Worker("/worker.js", { type: "module" }),
  };
  await loadPython(options);
  // @ts-expect-error an option of that name does not exist
  await loadPython({ indexUrl: "/" });
  // @ts-expect-error a line is text
  await loadPython({ stdin: () => 7 });
}

export async function use(python: Python): Promise<void> {
  const result = await python.run("1", {
    globals: { a: 1 },
    filename: "a.py",
    signal: AbortSignal.timeout(1),
    timeoutMs: 1,
    onOutput: (output) => {
      if (output.type === "display") {
        same<typeof output.metadata, Record<string, unknown>>(true);
      } else {
        same<typeof output.text, string>(true);
      }
    },
  });
  same<typeof result, RunResult>(true);
  same<RunResult["outputs"], Output[]>(true);
  // @ts-expect-error what a run gives is not known before it is looked at
  result.value.length;
  // @ts-expect-error the code is text
  await python.run(1);

  same<Awaited<ReturnType<Python["loadPackage"]>>, PackageInfo[]>(true);
  await python.loadPackage("numpy");
  await python.loadPackage(["numpy"], { signal: AbortSignal.timeout(1) });
  same<Awaited<ReturnType<Python["install"]>>, PackageInfo[]>(true);
  await python.install("numpy>=2");
  const how: InstallOptions = {
    indexURLs: ["/simple", new URL("https://example.org/")],
    constraints: ["a<2"],
    pre: true,
  };
  await python.install(["numpy"], { ...how, signal: AbortSignal.timeout(1) });
  // @ts-expect-error an option of that name does not exist
  await python.install("numpy", { indexUrls: [] });
  same<Awaited<ReturnType<Python["freeze"]>>, string>(true);
  same<Awaited<ReturnType<Python["loadedPackages"]>>, PackageInfo[]>(true);
  same<Awaited<ReturnType<Python["memory"]>>, MemoryUse>(true);
  same<Awaited<ReturnType<Python["globals"]["get"]>>, unknown>(true);
  same<Python["timings"], Timings>(true);
  same<Python["features"], Features>(true);
  same<Python["version"], string>(true);
  same<Python["fs"], FileSystem>(true);
  same<ReturnType<Python["interrupt"]>, Promise<void>>(true);
  same<ReturnType<Python["restart"]>, Promise<void>>(true);
  same<ReturnType<Python["dispose"]>, void>(true);
  // @ts-expect-error versions are only to be read
  python.version = "1";
  // @ts-expect-error only loadPython makes one
  new (python.constructor as typeof Python)();
}

export async function dispose(): Promise<void> {
  await using python = await loadPython();
  await python.run("1");
}

export async function checkpoints(python: Python): Promise<void> {
  using before = await python.checkpoint();
  same<typeof before, Checkpoint>(true);
  await python.rollback(before);
  // @ts-expect-error checkpoints are made by Python alone
  await python.rollback({ id: 1 });
}

export async function files({ fs }: Python, folder: FileSystemDirectoryHandle): Promise<void> {
  const bytes = await fs.readFile("/a");
  same<typeof bytes, Uint8Array<ArrayBuffer>>(true);
  new Blob([bytes]);
  const text = await fs.readFile("/a", { encoding: "utf8" });
  same<typeof text, string>(true);
  // @ts-expect-error no other encoding
  await fs.readFile("/a", { encoding: "latin1" });
  await fs.writeFile("/a", "text");
  await fs.writeFile("/a", bytes);
  await fs.writeFile("/a", new ArrayBuffer(1));
  // @ts-expect-error numbers are not contents
  await fs.writeFile("/a", 1);
  same<Awaited<ReturnType<FileSystem["stat"]>>, FileStat>(true);
  await fs.mount("/a", folder);
  await fs.mount("/a", new File([], "a"));
  await fs.mount("/a", new URL("https://example.org/a"));
}

export function errors(error: unknown): void {
  if (isTaipanError(error, "PYTHON")) {
    same<typeof error, TaipanError>(true);
    same<typeof error.code, ErrorCode>(true);
    same<typeof error.hint, string | undefined>(true);
    // @ts-expect-error there is no such code
    error.code === "PYTHN";
  }
  if (error instanceof PythonError) {
    same<typeof error.frames, readonly Frame[]>(true);
    same<typeof error.type, string>(true);
  }
  if (error instanceof LoadError) {
    same<typeof error.packages, readonly FailedPackage[]>(true);
  }
}
