import assert from "node:assert/strict";
import { Failure } from "../../src/platform/failure.ts";
import type { Newcomer } from "../../src/store/admission.ts";
import { PLACEHOLDER_ENTRY } from "../../src/opencode/auth_file.ts";
import { applyInstall, formatPlan, planUninstall } from "../../src/opencode/install.ts";
import {
  actions,
  AUTH,
  clock,
  CONFIG,
  ENV,
  plan,
  pluginsIn,
  SPEC,
  STAMP,
} from "./install_machine.ts";
import { MemoryDisk, systemError } from "./memory_disk.ts";
import fixture from "../fixtures/opencode/auth.json" with { type: "json" };

const LOGIN = JSON.stringify({ openai: fixture.openai, x: { type: "api", key: "k" } }, null, 2);

Deno.test("OpenCode's login is stored first, then the placeholder takes its place", async () => {
  const disk = new MemoryDisk({ [AUTH]: LOGIN });
  const stored: Newcomer[] = [];
  const planned = plan(disk);
  assert.deepEqual(actions(planned), ["add plugin", "adopt login"]);
  const { backups } = await applyInstall(planned, {
    clock,
    disk,
    storeLogin: (login) => {
      assert.equal(disk.text(AUTH), LOGIN, "still in OpenCode's file while it is being stored");
      stored.push(login);
      return Promise.resolve();
    },
  });
  assert.equal(stored[0]?.credentials.refreshToken, fixture.openai.refresh);
  assert.equal(stored[0]?.email, "you@personal.example");
  assert.deepEqual(JSON.parse(disk.text(AUTH) ?? ""), {
    openai: PLACEHOLDER_ENTRY,
    x: { type: "api", key: "k" },
  });
  assert.deepEqual(backups, []);
  for (const [path, { text }] of disk.files) {
    assert.ok(!text.includes(fixture.openai.refresh), `${path} still has the refresh token`);
  }
});

Deno.test("a login that cannot be stored, or is not wanted, stays where it is", async () => {
  const storeLogin = () => Promise.reject(new Failure("The account store is locked."));
  const disk = new MemoryDisk({ [AUTH]: LOGIN });
  await assert.rejects(applyInstall(plan(disk), { clock, disk, storeLogin }), /locked/);
  assert.equal(disk.text(AUTH), LOGIN);
  assert.equal(disk.text(CONFIG), undefined, "the configuration is put back too");

  for (const options of [{}, { storeLogin, accept: () => false }]) {
    const { skipped } = await applyInstall(plan(disk), { clock, disk, ...options });
    assert.deepEqual(skipped.map((step) => step.action), ["adopt login"]);
    assert.equal(disk.text(AUTH), LOGIN);
  }
});

Deno.test("a login is not stored when OpenCode's file cannot be written", async () => {
  const disk = new MemoryDisk({ [AUTH]: LOGIN });
  const planned = plan(disk);
  disk.refuse = (path) => {
    if (path === AUTH) throw systemError("EACCES");
  };
  const storeLogin = () => assert.fail("must not be stored: its tokens would have two holders");
  await assert.rejects(
    applyInstall(planned, { clock, disk, storeLogin }),
    /auth\.json could not be written \(EACCES\)/,
  );
});

Deno.test("once a login is stored, a later failure leaves the plugin in place", async () => {
  const disk = new MemoryDisk({ [AUTH]: LOGIN });
  const storeLogin = () => {
    disk.refuse = (path) => {
      if (path === AUTH) throw systemError("ENOSPC");
    };
    return Promise.resolve();
  };
  await assert.rejects(applyInstall(plan(disk), { clock, disk, storeLogin }), /ENOSPC/);
  assert.deepEqual(pluginsIn(disk), [SPEC]);
});

Deno.test("an API key is asked about and kept beside the file", async () => {
  const text =
    '{"openai": {"type": "api", "key": "sk-mine"}, "x": {"type": "api", "key": "other"}}';
  const disk = new MemoryDisk({ [AUTH]: text });
  const planned = plan(disk);
  assert.match(planned.steps[1]?.question?.text ?? "", /API key/);
  const { backups } = await applyInstall(planned, { clock, disk });
  assert.deepEqual(backups, [`${AUTH}.bak-${STAMP}`]);
  const kept = disk.read(`${AUTH}.bak-${STAMP}`);
  assert.equal(kept?.mode, 0o600);
  assert.deepEqual(JSON.parse(kept?.text ?? ""), { openai: { type: "api", key: "sk-mine" } });
  assert.deepEqual(JSON.parse(disk.text(AUTH) ?? "").openai, PLACEHOLDER_ENTRY);

  const refused = new MemoryDisk({ [AUTH]: text });
  await applyInstall(plan(refused), { clock, disk: refused, accept: () => false });
  assert.equal(refused.text(AUTH), text);
});

Deno.test("no plan shows a token or a key", () => {
  const secret = "sk-very-secret-key";
  const texts = [LOGIN, JSON.stringify({ openai: { type: "api", key: secret } })];
  for (const text of texts) {
    const planned = plan(new MemoryDisk({ [AUTH]: text, [CONFIG]: `{"x": "${secret}"}` }));
    const shown = JSON.stringify(planned) + formatPlan(planned);
    for (const part of [secret, fixture.openai.refresh, fixture.openai.access.slice(0, 20)]) {
      assert.ok(!shown.includes(part));
    }
  }
});

Deno.test("uninstall leaves a real login and an API key alone", () => {
  for (const text of [LOGIN, '{"openai": {"type": "api", "key": "k"}}']) {
    assert.deepEqual(planUninstall({ env: ENV, disk: new MemoryDisk({ [AUTH]: text }) }).steps, []);
  }
});
