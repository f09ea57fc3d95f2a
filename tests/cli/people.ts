import type { Context } from "../../src/cli/context.ts";

/** What a person at the terminal answers, in this order, and what they were asked. */
export interface Person {
  /** Hidden input. */
  readonly secrets?: readonly string[];
  readonly texts?: readonly string[];
  readonly confirms?: readonly boolean[];
  readonly asked?: string[];
}

/** A terminal with a person behind it. A question too many is an error. */
export function atTerminal(person: Person, output = true): Partial<Context> {
  const secrets = [...person.secrets ?? []];
  const texts = [...person.texts ?? []];
  const confirms = [...person.confirms ?? []];
  const next = <T>(question: string, answers: T[]): Promise<T> => {
    person.asked?.push(question);
    const answer = answers.shift();
    return answer === undefined
      ? Promise.reject(new Error(`asked too much: ${question}`))
      : Promise.resolve(answer);
  };
  return {
    terminal: { input: true, output },
    prompts: () =>
      Promise.resolve({
        confirm: (question) => next(question, confirms),
        text: (question) => next(question, texts),
        secret: (question) => next(question, secrets),
      }),
  };
}
