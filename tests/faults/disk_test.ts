import assert from "node:assert/strict";
import { faultyFiles } from "../platform/faulty_files.ts";
import { Bed, HOUR, said, SECOND } from "./bed.ts";

const ONE = [{ name: "a", accessTokenLifetimeMs: HOUR }];

Deno.test("refresh answer arrives, disk is full: a client that is closed saves the new tokens", async () => {
  const disk = faultyFiles();
  await using bed = await Bed.open({ plans: ONE, disk });
  await bed.account("a");
  bed.clock.jump(bed.clock.now() + HOUR + SECOND);
  disk.fail = (call, path) =>
    call === "open" && path?.includes("accounts.json.tmp") ? "ENOSPC" : undefined;
  assert.match(await said(await bed.patiently(bed.ask())), /served by a/);
  assert.equal((await bed.account("a"))?.generation, 1);
  disk.fail = () => undefined;
  await bed.client.close();
  const store = await bed.otherStore();
  assert.equal((await store.load()).accounts[0]?.generation, 2);
  await store.close();
});
