/** How long an answer may take on a busy machine before it counts as kept back on purpose, in real milliseconds. */
const KEPT_BACK_MS = 500;

/** Requests on real sockets beside a virtual clock: time must not overtake an answer that is on its way. */
export class OnTheWay {
  /** When each request left, in real milliseconds. */
  readonly #left = new Set<number>();

  /** The same network, watched. */
  watch(network: typeof fetch): typeof fetch {
    return async (input: RequestInfo | URL, init?: RequestInit) => {
      const left = performance.now();
      this.#left.add(left);
      try {
        return await network(input, init);
      } finally {
        this.#left.delete(left);
      }
    };
  }

  /** A real moment, and as many more as answers need that are not kept back. */
  async arrive(): Promise<void> {
    do await moment(); while (
      [...this.#left].some((left) => performance.now() - left < KEPT_BACK_MS)
    );
  }
}

/** Lets the sockets do something. */
export function moment(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 1));
}
