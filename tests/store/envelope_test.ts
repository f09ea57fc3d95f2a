import assert from "node:assert/strict";
import {
  deriveKey,
  type Envelope,
  newKeyParameters,
  openEnvelope,
  readEnvelope,
  sealText,
} from "../../src/store/seal.ts";

Deno.test("an envelope is opened by its key alone, and not when a byte of it has changed", async () => {
  const parameters = { ...newKeyParameters(), N: 16 };
  const key = await deriveKey("p", parameters);
  const sealed = JSON.parse(sealText("text ä", parameters, key));
  const envelope = readEnvelope(sealed);
  assert.ok(envelope);
  assert.equal(openEnvelope(envelope, key), "text ä");
  assert.equal(openEnvelope(envelope, await deriveKey("q", parameters)), undefined);
  for (const part of ["data", "tag", "iv"] as const) {
    const bytes = new Uint8Array(atob(envelope[part]).split("").map((one) => one.charCodeAt(0)));
    bytes[0] = (bytes[0] ?? 0) ^ 1;
    const changed: Envelope = { ...envelope, [part]: btoa(String.fromCharCode(...bytes)) };
    assert.equal(openEnvelope(changed, key), undefined, part);
  }
});

Deno.test("an envelope that asks for too much, or lacks a part, is refused", async () => {
  const parameters = { ...newKeyParameters(), N: 16 };
  const sealed = JSON.parse(sealText("text", parameters, await deriveKey("p", parameters)));
  assert.ok(readEnvelope(sealed));
  for (
    const change of [
      { N: 2 ** 21 },
      { N: 1000 },
      { N: 0 },
      { N: -16 },
      { r: 9 },
      { r: 0 },
      { p: 17 },
      { p: 1.5 },
      { salt: "" },
      { salt: "not base64!" },
      { tag: "AAAA" },
      { iv: undefined },
    ]
  ) assert.equal(readEnvelope({ ...sealed, ...change }), undefined, JSON.stringify(change));
});
