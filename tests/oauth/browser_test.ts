import { deepStrictEqual as deepEqual, strictEqual as equal } from "node:assert/strict";
import { openBrowser } from "../../src/oauth/browser.ts";

const URL_ = "https://auth.openai.com/oauth/authorize?state=1";
const DESKTOP = { DISPLAY: ":0" };

function recorder(fails = false) {
  const opened: string[] = [];
  const open = (url: string) => {
    opened.push(url);
    return fails ? Promise.reject(new Error("spawn xdg-open ENOENT")) : Promise.resolve();
  };
  return { opened, load: () => Promise.resolve(open) };
}

Deno.test("a browser is opened where there is a desktop", async () => {
  for (
    const options of [
      { platform: "linux", env: DESKTOP },
      { platform: "linux", env: { WAYLAND_DISPLAY: "wayland-0" } },
      { platform: "linux", env: { WSL_DISTRO_NAME: "Debian" } },
      { platform: "darwin", env: {} },
      { platform: "win32", env: {} },
    ]
  ) {
    const { opened, load } = recorder();
    equal(await openBrowser(URL_, { ...options, load }), true);
    deepEqual(opened, [URL_]);
  }
});

Deno.test("without a desktop nothing is started, and that is said", async () => {
  const { opened, load } = recorder();
  equal(await openBrowser(URL_, { platform: "linux", env: { DISPLAY: " " }, load }), false);
  deepEqual(opened, []);
});

Deno.test("a browser that cannot be started, or a package that cannot be loaded, is said and no more", async () => {
  const { load } = recorder(true);
  equal(await openBrowser(URL_, { platform: "linux", env: DESKTOP, load }), false);
  const missing = () => Promise.reject(new Error("no such module"));
  equal(await openBrowser(URL_, { platform: "linux", env: DESKTOP, load: missing }), false);
});

Deno.test("only pages are opened", async () => {
  for (const url of ["file:///etc/passwd", "-a Calculator", "javascript:alert(1)", ""]) {
    const { opened, load } = recorder();
    equal(await openBrowser(url, { platform: "linux", env: DESKTOP, load }), false);
    deepEqual(opened, []);
  }
});
