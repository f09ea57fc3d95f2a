/** What `at_end_test.ts` runs and ends by a signal: `<how it listens> <file that its end writes>`. */
import { writeFileSync } from "node:fs";
import process from "node:process";
import { atEnd } from "../../src/platform/at_end.ts";

const [how, file = ""] = process.argv.slice(2);
const stop = atEnd(() => writeFileSync(file, "saved"));
if (how === "another listens") process.on("SIGTERM", () => process.exit(7));
if (how === "twice") atEnd(() => {});
if (how === "stopped") stop();
if (how !== "nothing to do") {
  setInterval(() => {}, 1_000);
  console.log("ready");
}
