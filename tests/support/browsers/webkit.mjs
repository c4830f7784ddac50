/** WebKitGTK's MiniBrowser, driven by WebDriver, on a display that is not there. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Problem } from "../../../scripts/common/problem.mjs";
import { displayPath, webkitDriverPath, webkitPath } from "../../../scripts/setup/webkit.mjs";
import { WebDriver } from "./webdriver.mjs";

/** Drawing by software, and no sandbox, which needs more rights than containers give. */
const ENVIRONMENT = {
  WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS: "1",
  WEBKIT_DISABLE_COMPOSITING_MODE: "1",
  WEBKIT_DISABLE_DMABUF_RENDERER: "1",
  LIBGL_ALWAYS_SOFTWARE: "1",
};

/** A display of its own; the server chooses the number and says it. */
async function openDisplay(program) {
  const args = ["-displayfd", "3", "-screen", "0", "1400x1000x24", "-nolisten", "tcp"];
  const server = spawn(program, args, { stdio: ["ignore", "ignore", "ignore", "pipe"] });
  const failed = once(server, "exit").then(([code]) => {
    throw new Problem(`Xvfb ended with code ${code}.`, "Run `Xvfb :99` to see what it says.");
  });
  // It also ends when it is told to.
  failed.catch(() => {});
  const [number] = await Promise.race([once(server.stdio[3], "data"), failed]);
  return { server, display: `:${String(number).trim()}` };
}

async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

/** @returns {Promise<import("../browsers.mjs").Driver>} */
export async function openWebKit() {
  const programs = [await webkitPath(), await webkitDriverPath(), await displayPath()];
  if (!programs.every(Boolean)) {
    throw new Problem(
      "WebKitGTK, its driver or Xvfb is not installed.",
      "Run `npm run setup`, or set WEBKIT_PATH and WEBKITDRIVER.",
    );
  }
  const [binary, driverProgram, displayProgram] = programs;
  const home = await mkdtemp(join(tmpdir(), "taipan-webkit-"));
  const { server, display } = await openDisplay(displayProgram);
  const port = await freePort();
  // What MiniBrowser keeps goes into folders of the user's, which are these.
  const folders = { HOME: home, XDG_CACHE_HOME: home, XDG_DATA_HOME: home, XDG_CONFIG_HOME: home };
  const driver = spawn(driverProgram, [`--port=${port}`], {
    stdio: "ignore",
    env: { ...process.env, ...ENVIRONMENT, ...folders, DISPLAY: display },
  });
  const end = async () => {
    driver.kill();
    server.kill();
    await rm(home, { recursive: true, force: true, maxRetries: 5 });
  };
  try {
    const session = await WebDriver.open(port, {
      browserName: "MiniBrowser",
      "webkitgtk:browserOptions": { binary, args: ["--automation"] },
    });
    return {
      goto: (url) => session.goto(url),
      evaluate: (source) =>
        session.executeAsync(`const done = arguments[arguments.length - 1]; ${source}.then(done);`, []),
      isForgetful: true,
      resize: (width, height) => session.command("POST", "/window/rect", { width, height }),
      screenshot: () => session.screenshot(),
      close: async () => {
        await session.close().catch(() => {});
        await end();
      },
    };
  } catch (error) {
    await end();
    throw error;
  }
}
