/** WebKitGTK through its own WebDriver, which speaks plain HTTP; no client library is needed for so few commands. */
import { execFileSync, spawn } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";

const PORT = 4567;

/** The browser that Debian's library package brings for automation; its folder is named after the architecture. */
function miniBrowser() {
  const files = execFileSync("dpkg", ["-L", "libwebkit2gtk-4.1-0"], { encoding: "utf8" }).split("\n");
  const found = files.find((file) => file.endsWith("/MiniBrowser"));
  if (found === undefined) throw new Error("libwebkit2gtk-4.1-0 has no MiniBrowser");
  return found;
}

export async function startWebKit() {
  const binary = miniBrowser();
  const display = spawn("xvfb-run", ["-a", "WebKitWebDriver", `--port=${PORT}`], {
    detached: true,
    stdio: "ignore",
    env: { ...process.env, WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS: "1" },
  });
  const stop = () => {
    try {
      process.kill(-display.pid);
    } catch {
      // It has ended already.
    }
  };
  process.once("exit", stop);
  const command = async (method, path, body) => {
    const response = await fetch(`http://127.0.0.1:${PORT}${path}`, {
      method,
      body: body && JSON.stringify(body),
      signal: AbortSignal.timeout(180_000),
    });
    const { value } = await response.json();
    if (!response.ok) throw new Error(`WebDriver: ${value?.error}: ${value?.message}`);
    return value;
  };
  try {
    for (let attempt = 0; ; attempt++) {
      try {
        await command("GET", "/status");
        break;
      } catch (error) {
        if (attempt === 300) throw error;
        await sleep(200);
      }
    }
    const { sessionId, capabilities } = await command("POST", "/session", {
      capabilities: { alwaysMatch: { "webkitgtk:browserOptions": { binary, args: ["--automation"] } } },
    });
    const session = `/session/${sessionId}`;
    const find = async (selector) => {
      const found = await command("POST", `${session}/element`, { using: "css selector", value: selector });
      return `${session}/element/${Object.values(found)[0]}`;
    };
    return {
      version: capabilities.browserVersion,
      goto: (url) => command("POST", `${session}/url`, { url }),
      click: async (selector) => command("POST", `${await find(selector)}/click`, {}),
      choose: async (selector, text) => command("POST", `${await find(selector)}/value`, { text }),
      text: async (selector) => command("GET", `${await find(selector)}/text`),
      async close() {
        await command("DELETE", session).catch(() => {});
        stop();
      },
    };
  } catch (error) {
    stop();
    throw error;
  }
}
