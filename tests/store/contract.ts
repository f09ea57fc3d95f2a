/**
 * What every store must do, whatever it keeps things in.
 *
 * @module
 */
import { testAccounts } from "./contract_accounts.ts";
import type { ContractTest, StoreBed } from "./contract_bed.ts";
import { testFigures } from "./contract_figures.ts";
import { testSharing } from "./contract_sharing.ts";

/**
 * Registers the tests.
 *
 * @param kind What the store is, for the names of the tests.
 * @param makeBed A new, empty bed.
 */
export function testStoreContract(kind: string, makeBed: () => StoreBed | Promise<StoreBed>): void {
  const test: ContractTest = (name, work) =>
    Deno.test(`${kind}: ${name}`, async () => {
      const bed = await makeBed();
      try {
        await work(bed);
      } finally {
        await bed.remove();
      }
    });
  testAccounts(test);
  testFigures(test);
  testSharing(test);
}
