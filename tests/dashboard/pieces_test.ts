import assert from "node:assert/strict";
import { inPieces } from "../../src/dashboard/pieces.ts";

async function piecesOf(html: string): Promise<string[]> {
  const pieces: string[] = [];
  for await (const piece of inPieces(html)) {
    pieces.push(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(piece));
  }
  return pieces;
}

Deno.test("a page in pieces is the same page, and a short one is one piece", async () => {
  for (const length of [0, 1, 65_535, 65_536, 65_537, 300_000]) {
    for (const filling of ["a", "é", "😀"]) {
      const html = "x" + filling.repeat(length);
      const pieces = await piecesOf(html);
      assert.equal(pieces.join(""), html, `${length} of ${filling}`);
      if (html.length <= 65_536) assert.equal(pieces.length, 1);
    }
  }
});

Deno.test("other requests get their turn between two pieces", async () => {
  let turns = 0;
  const timer = setInterval(() => turns++, 0);
  const pieces = await piecesOf("x".repeat(1_000_000));
  clearInterval(timer);
  assert.ok(turns >= pieces.length - 1, `${turns} turns for ${pieces.length} pieces`);
});
