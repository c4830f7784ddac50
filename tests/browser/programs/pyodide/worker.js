import { runPrograms } from "./runner.js";

globalThis.addEventListener("message", async ({ data: { loader, names } }) => {
  try {
    postMessage(await runPrograms(loader, names));
  } catch (error) {
    postMessage({ error: String(error?.stack ?? error) });
  }
});
