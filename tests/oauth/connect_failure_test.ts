import { strictEqual as equal } from "node:assert/strict";
import { connectFailure } from "../../src/oauth/connect_failure.ts";

interface Thrown {
  message: string;
  code?: string;
  syscall?: string;
  cause?: Thrown;
  errors?: Thrown[];
}

function made({ message, cause, errors, ...fields }: Thrown): Error {
  const options = cause === undefined ? {} : { cause: made(cause) };
  const error = errors === undefined
    ? new Error(message, options)
    : new AggregateError(errors.map(made), message, options);
  return Object.assign(error, fields);
}

const deno = (text: string): Thrown => ({
  message: "fetch failed",
  cause: { message: `error sending request for url (https://issuer.example/): ${text}` },
});
const node = (cause: Thrown): Thrown => ({ message: "fetch failed", cause });

/** What each runtime threw when it was tried; Deno 2.9, Bun 1.3 and 1.4, Node 20. */
const NEVER_SENT: readonly (readonly [string, Thrown, string])[] = [
  [
    "Deno, refused",
    deno("client error (Connect): tcp connect error: Connection refused (os error 111)"),
    "ECONNREFUSED",
  ],
  [
    "Deno, unknown host",
    deno("client error (Connect): dns error: failed to lookup address information"),
    "ENOTFOUND",
  ],
  [
    "Deno, certificate",
    deno("client error (Connect): invalid peer certificate: UnknownIssuer"),
    "certificate",
  ],
  ["Deno, no TLS there", deno("client error (Connect): tls handshake eof"), "connect"],
  [
    "Deno, forbidden port",
    { message: "Fetch failed: Requests to port 1 are blocked" },
    "blocked port",
  ],
  [
    "Bun 1.4, refused",
    {
      message: "ECONNREFUSED: Unable to connect. Is the computer able to access the url?",
      code: "ECONNREFUSED",
    },
    "ECONNREFUSED",
  ],
  [
    "Bun 1.4, unknown host",
    { message: "getaddrinfo ENOTFOUND issuer.example", code: "ENOTFOUND" },
    "ENOTFOUND",
  ],
  [
    "Bun 1.4, no route",
    {
      message: "EHOSTUNREACH: Unable to connect. Is the computer able to access the url?",
      code: "EHOSTUNREACH",
    },
    "EHOSTUNREACH",
  ],
  [
    "Bun 1.3, refused or unknown host",
    {
      message: "Unable to connect. Is the computer able to access the url?",
      code: "ConnectionRefused",
    },
    "ConnectionRefused",
  ],
  [
    "Bun 1.3, unknown https host",
    { message: "Was there a typo in the url or port?", code: "FailedToOpenSocket" },
    "FailedToOpenSocket",
  ],
  [
    "Bun, certificate",
    { message: "self signed certificate", code: "DEPTH_ZERO_SELF_SIGNED_CERT" },
    "DEPTH_ZERO_SELF_SIGNED_CERT",
  ],
  [
    "Node, refused",
    node({ message: "connect ECONNREFUSED", code: "ECONNREFUSED", syscall: "connect" }),
    "ECONNREFUSED",
  ],
  [
    "Node, refused on both addresses",
    node({
      message: "",
      code: "ECONNREFUSED",
      errors: [{ message: "connect ECONNREFUSED ::1:9", code: "ECONNREFUSED" }],
    }),
    "ECONNREFUSED",
  ],
  [
    "Node, unknown host",
    node({ message: "getaddrinfo ENOTFOUND", code: "ENOTFOUND", syscall: "getaddrinfo" }),
    "ENOTFOUND",
  ],
  [
    "Node, resolver down",
    node({ message: "getaddrinfo EAI_AGAIN", code: "EAI_AGAIN", syscall: "getaddrinfo" }),
    "EAI_AGAIN",
  ],
  [
    "Node, connecting took too long",
    node({ message: "Connect Timeout Error", code: "UND_ERR_CONNECT_TIMEOUT" }),
    "UND_ERR_CONNECT_TIMEOUT",
  ],
  [
    "Node, no network",
    node({ message: "connect ENETUNREACH", code: "ENETUNREACH", syscall: "connect" }),
    "ENETUNREACH",
  ],
  [
    "Node, no route on both addresses",
    node({
      message: "",
      code: "ETIMEDOUT",
      errors: [{ message: "connect ETIMEDOUT", code: "ETIMEDOUT", syscall: "connect" }],
    }),
    "ETIMEDOUT",
  ],
  [
    "Node, handshake cut",
    node({
      message: "Client network socket disconnected before secure TLS connection was established",
      code: "ECONNRESET",
    }),
    "ECONNRESET",
  ],
];

const PERHAPS_SENT: readonly (readonly [string, Thrown])[] = [
  [
    "Deno, closed",
    deno("client error (SendRequest): connection closed before message completed"),
  ],
  [
    "Deno, reset",
    { message: "fetch failed", cause: { message: "Connection reset by peer (os error 104)" } },
  ],
  ["Deno, body", { message: "error reading a body from connection" }],
  [
    "Bun, closed",
    { message: "The socket connection was closed unexpectedly.", code: "ECONNRESET" },
  ],
  ["Bun 1.4, lost route", { message: "EHOSTUNREACH: read failed", code: "EHOSTUNREACH" }],
  ["Node, closed", node({ message: "other side closed", code: "UND_ERR_SOCKET" })],
  ["Node, reset", node({ message: "read ECONNRESET", code: "ECONNRESET", syscall: "read" })],
  ["Node, lost", node({ message: "read ETIMEDOUT", code: "ETIMEDOUT", syscall: "read" })],
  ["Node, no header", node({ message: "Headers Timeout Error", code: "UND_ERR_HEADERS_TIMEOUT" })],
  ["anything else", { message: "boom" }],
];

Deno.test("a failure before the connection stood means that nothing was sent", () => {
  for (const [name, thrown, cause] of NEVER_SENT) equal(connectFailure(made(thrown)), cause, name);
});

Deno.test("a failure after that proves nothing", () => {
  for (const [name, thrown] of PERHAPS_SENT) equal(connectFailure(made(thrown)), undefined, name);
  for (const thrown of [undefined, null, "refused", { code: "ECONNREFUSED" }]) {
    equal(connectFailure(thrown), undefined);
  }
});
