import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { startSimulator } from "../../tests/simulator/simulator.ts";

/** A server that gives the same answer to everything, at once. */
export interface LeanBackend {
  /** For `OPENCODE_MULTI_AUTH_BACKEND_URL`. */
  readonly url: string;
  close(): Promise<void>;
}

/**
 * A backend that does nothing but answer: what it answers was said by the simulated one, but that
 * parses and remembers each request, which takes longer than what is measured here.
 */
export async function startLeanBackend(): Promise<LeanBackend> {
  const { headers, events } = await recordAnswer();
  const server = createServer((request, response) => {
    request.resume().once("end", () => {
      if (!request.url?.endsWith("/codex/responses")) {
        response.writeHead(404).end();
        return;
      }
      response.writeHead(200, headers);
      // One event after the other, as they come from a model.
      for (const event of events) response.write(event);
      response.end();
    });
  });
  server.keepAliveTimeout = 0;
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/backend-api`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function recordAnswer(): Promise<{ headers: Record<string, string>; events: string[] }> {
  await using simulator = await startSimulator();
  const { accessToken } = simulator.addPlan({ name: "recorded" }).issueTokens();
  const response = await fetch(`${simulator.backendUrl}/codex/responses`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${accessToken}`,
      "chatgpt-account-id": simulator.plan("recorded").workspaceId,
      "content-type": "application/json",
    },
    body: JSON.stringify({ model: "gpt-5.5", input: [], store: false, stream: true }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`The simulated backend answered ${response.status}: ${text}`);
  const ofConnection = ["connection", "date", "transfer-encoding", "content-length", "vary"];
  const headers = [...response.headers].filter(([name]) => !ofConnection.includes(name));
  return {
    headers: Object.fromEntries(headers),
    events: text.split(/(?<=\n\n)/),
  };
}
