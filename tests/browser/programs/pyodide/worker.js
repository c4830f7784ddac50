/** A worker in which programs run, of type module or classic. */
globalThis.addEventListener("message", async ({ data: { loader, names } }) => {
  try {
    const { runPrograms } = await import("./runner.js");
    postMessage(await runPrograms(loader, names));
  } catch (error) {
    postMessage({ error: String(error?.stack ?? error) });
  }
});
