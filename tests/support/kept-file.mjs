/** Files that Taipan keeps in a browser, to be damaged by tests. */

/** Opens a kept file as soon as a worker that has been ended has given it free. It runs in a page. */
async function openFileToWrite(handle) {
  const { size } = await handle.getFile();
  for (let tries = 0; ; tries += 1) {
    try {
      return { handle, size, file: await handle.createWritable({ keepExistingData: true }) };
    } catch (error) {
      if (error.name !== "NoModificationAllowedError" || tries > 100) throw error;
      await sleep(50);
    }
  }
}

/** What gives a page that function. */
export const OPEN_TO_WRITE = `globalThis.openFileToWrite = ${openFileToWrite};`;
