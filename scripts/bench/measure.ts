/** One figure, and what it may be. */
export interface Figure {
  readonly what: string;
  readonly value: number;
  readonly unit: string;
  /** The most that it may be; absent for a figure that is only told. */
  readonly budget?: number;
  /** Whether it is a time, or grows with one: a busy machine stretches it. Sizes are what they are. */
  readonly noisy?: boolean;
}

/** How much is measured. */
export interface Effort {
  /** 1 for the full run; less for a quick look. */
  readonly share: number;
}

/** So many rounds as the effort allows, at least ten. */
export function rounds(full: number, { share }: Effort): number {
  return Math.max(Math.round(full * share), 10);
}

/** The value below which that share (0 to 1) of the values lies. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(Math.floor(sorted.length * share), sorted.length - 1)] ?? Number.NaN;
}

/** The value in the middle. */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/**
 * Runs a program with an environment of its own and gives what it printed.
 *
 * @throws {Error} with what it wrote to standard error, when it fails.
 */
export async function output(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(program, {
    args: [...args],
    env,
    clearEnv: true,
    stdin: "null",
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  if (!success) throw new Error(`${program} failed: ${text(stderr).slice(-2_000)}`);
  return text(stdout).trim();
}
