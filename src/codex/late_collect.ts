import { messageOf } from "../platform/failure.ts";
import type { Log } from "../platform/log.ts";
import { missingPartAnswer } from "./own_answers.ts";

/**
 * An answer in one piece, for a caller who asked for no stream; see `collect`. Where the part that
 * does it cannot be loaded, because an update has taken its file away, an error that says so.
 *
 * @param load Loads that part.
 * @throws What the answer's body throws when it is aborted or its connection breaks.
 */
export async function collectLate(
  answer: Response,
  log: Log,
  load: () => Promise<typeof import("./collect.ts")> = () => import("./collect.ts"),
): Promise<Response> {
  let part;
  try {
    part = await load();
  } catch (error) {
    log.error(messageOf(error));
    await answer.body?.cancel().catch(() => {});
    return missingPartAnswer();
  }
  return await part.collect(answer);
}
