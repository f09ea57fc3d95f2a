import { VirtualClock } from "../virtual_clock.ts";
import { type SimulatedPlan, type Simulator, startSimulator } from "./simulator.ts";
import { postTurn } from "./test_client.ts";

/** A simulator with one plan that is signed in, on a clock of the test. */
export async function withPlan(
  run: (
    simulator: Simulator,
    plan: SimulatedPlan,
    turn: (signal?: AbortSignal) => Promise<Response>,
    clock: VirtualClock,
  ) => Promise<void>,
): Promise<void> {
  const clock = new VirtualClock();
  const simulator = await startSimulator({ clock });
  try {
    const plan = simulator.addPlan({
      name: "personal",
      windows: [{ minutes: 300, costPercentPerRequest: 10 }],
    });
    const { accessToken } = plan.issueTokens();
    const turn = (signal?: AbortSignal) =>
      postTurn(simulator, plan, accessToken, signal ? { signal } : {});
    await run(simulator, plan, turn, clock);
  } finally {
    await simulator.close();
  }
}
