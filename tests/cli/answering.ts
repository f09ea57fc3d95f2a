import type { Context } from "../../src/cli/context.ts";

/**
 * A terminal with a person who answers.
 *
 * @param answers The same to every question, or one after the other and no to the rest.
 * @param asked Takes the questions.
 */
export function terminal(
  answers: boolean | readonly boolean[],
  asked: string[] = [],
): Partial<Context> {
  const left = typeof answers === "boolean" ? undefined : [...answers];
  return {
    terminal: { input: true, output: true },
    prompts: () =>
      Promise.resolve({
        confirm: (question) => {
          asked.push(question);
          return Promise.resolve(left ? left.shift() ?? false : answers === true);
        },
        text: () => Promise.reject(new Error("not asked for text")),
        secret: () => Promise.reject(new Error("not asked for a secret")),
      }),
  };
}
