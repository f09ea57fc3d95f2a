import process from "node:process";
import { confirm, isCancel, password, text } from "@clack/prompts";
import { Failure } from "../platform/failure.ts";

/** Questions to the person at the terminal. A cancelled question throws. */
export interface Prompts {
  /** Yes or no; `standard` is what Enter means (default false). */
  confirm(question: string, standard?: boolean): Promise<boolean>;
  /** A line of text. */
  text(question: string): Promise<string>;
  /** A line that is not shown while it is typed. */
  secret(question: string): Promise<string>;
}

/**
 * Questions on the terminal. They are written to standard error, so that
 * standard output holds results only.
 *
 * @param signal Takes the question back.
 */
export function terminalPrompts(signal: AbortSignal): Prompts {
  const output = process.stderr;
  return {
    async confirm(question, standard = false) {
      const options = { message: question, initialValue: standard, signal, output };
      const answer = await confirm(options);
      if (isCancel(answer)) throw cancelled();
      return answer;
    },
    async text(question) {
      const answer = await text({ message: question, signal, output });
      if (isCancel(answer)) throw cancelled();
      // Enter alone gives no text at all.
      return answer ?? "";
    },
    async secret(question) {
      const answer = await password({ message: question, signal, output });
      if (isCancel(answer)) throw cancelled();
      return answer ?? "";
    },
  };
}

function cancelled(): Failure {
  return new Failure("Cancelled; nothing was changed.");
}
