/** The released `web` command on the simulated backend, seen through Chromium. */
import assert from "node:assert/strict";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { authJson, person } from "../codex_cli/device_folder.ts";
import { cli, startCli } from "./cli.ts";
import { startBrowser, visit } from "./dashboard_scene.ts";
import { makeScene, signIn } from "./scene.ts";

Deno.test({
  name: "web in Chromium: figures of the backend, the Codex CLI's login, another process, the end",
  sanitizeOps: false,
  sanitizeResources: false,
  fn: async () => {
    await using scene = await makeScene();
    for (const name of ["personal", "work"]) await signIn(scene, name, "node");
    scene.simulator.plan("work").setUsed(300, 63.4);
    await using web = startCli(scene.sandbox, ["web", "--port", "0"], { form: "node" });
    const [link] = await web.said(/http:\/\/127\.0\.0\.1:\d+\/open\/\S+/);
    await using browser = await startBrowser();
    await using visitor = await visit(browser, {
      origin: new URL(link).origin,
      link: () => link,
    });
    const { page } = visitor;
    const work = page.locator('[data-account="work"]');
    await work.getByText("No figures yet").waitFor();
    await page.getByRole("button", { name: "Refresh all limits" }).click();
    await work.getByText("37% left").waitFor();
    await work.getByText("80% left").waitFor();
    await work.getByRole("button", { name: "Use on device", exact: true }).click();
    await work.getByRole("button", { name: "On device", exact: true }).waitFor();
    const login = join(scene.sandbox.home, ".codex", "auth.json");
    assert.ok(existsSync(login));
    const outcome = await cli(scene.sandbox, ["disable", "personal"], { form: "node" });
    assert.equal(outcome.code, 0, outcome.stderr);
    await page.getByRole("heading", { name: "1 of 2 accounts is ready" }).waitFor();
    // The Codex CLI signs in as somebody new.
    writeFileSync(login, JSON.stringify(authJson(person("cleo"))));
    await page.locator('[data-account="cleo"]').waitFor();
    await work.getByRole("button", { name: "Use on device", exact: true }).waitFor();
    assert.deepEqual(visitor.complaints, []);
    await web.stop();
    await page.getByText(/Ended|Reconnecting/).waitFor();
  },
});
