/** Writes so many long lines into a log, as one of several processes: `log_worker.ts <path> <who> <lines>`. */
import { systemClock } from "../../src/platform/clock.ts";
import { fileLog } from "../../src/platform/log.ts";

const [path = "", who = "", lines = "0"] = Deno.args;
const log = fileLog({ path, clock: systemClock });
for (let line = 0; line < Number(lines); line++) {
  log.info(`${who} ${line} ${"long ".repeat(200)}`);
  if (line % 7 === 0) await log.flush();
}
await log.flush();
