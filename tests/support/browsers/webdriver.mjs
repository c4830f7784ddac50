/** A client of the WebDriver protocol (https://www.w3.org/TR/webdriver2/), as far as tests need it. */
import { request } from "node:http";

/** Where the protocol keeps references to elements. */
const ELEMENT = "element-6066-11e4-a52e-4f735466cecf";

/** One request. `fetch` would give up after five minutes without an answer; a script may take longer. */
function send(port, method, path, body) {
  return new Promise((resolve, reject) => {
    const data = body === undefined ? undefined : JSON.stringify(body);
    const headers =
      data === undefined ? {} : { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(data) };
    const outgoing = request({ host: "127.0.0.1", port, method, path, headers }, (response) => {
      const parts = [];
      response.on("data", (part) => parts.push(part));
      response.on("error", reject);
      response.on("end", () => {
        const { value } = JSON.parse(Buffer.concat(parts).toString() || "{}");
        if (response.statusCode === 200) resolve(value);
        else reject(new Error(`WebDriver: ${value?.error ?? response.statusCode}: ${value?.message ?? ""}`));
      });
    });
    outgoing.on("error", reject);
    outgoing.end(data);
  });
}

/** A session: one browser with one window in front. */
export class WebDriver {
  #port;
  #session;

  constructor(port, session) {
    this.#port = port;
    this.#session = session;
  }

  /** Starts a browser; `capabilities` say which. Waits until the driver listens. */
  static async open(port, capabilities) {
    for (let attempt = 0; ; attempt += 1) {
      try {
        const { sessionId } = await send(port, "POST", "/session", { capabilities: { alwaysMatch: capabilities } });
        const driver = new WebDriver(port, sessionId);
        await driver.command("POST", "/timeouts", { script: 600_000, pageLoad: 60_000 });
        return driver;
      } catch (error) {
        if (error.code !== "ECONNREFUSED" || attempt >= 100) throw error;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    }
  }

  /** Sends a command of the session. */
  command(method, path, body) {
    return send(this.#port, method, `/session/${this.#session}${path}`, body);
  }

  /** Goes to an address and waits until it has loaded. */
  goto(url) {
    return this.command("POST", "/url", { url });
  }

  /** Runs the body of a function that calls its last argument with the result. */
  executeAsync(script, args) {
    return this.command("POST", "/execute/async", { script, args });
  }

  /** A PNG of what is in the window. */
  async screenshot() {
    return Buffer.from(await this.command("GET", "/screenshot"), "base64");
  }

  /** Types into the element that a CSS selector finds. */
  async type(selector, text) {
    const found = await this.command("POST", "/element", { using: "css selector", value: selector });
    await this.command("POST", `/element/${found[ELEMENT]}/value`, { text });
  }

  /** Ends the browser. */
  close() {
    return this.command("DELETE", "");
  }
}
