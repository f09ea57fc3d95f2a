/**
 * Reading requests and writing plain answers over `node:http`.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from "node:http";
import * as zlib from "node:zlib";

/** One request with its body read, and where its answer goes. */
export interface Call {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly url: URL;
  /** The body as text, decompressed. */
  readonly body: string;
}

/** What a body's `content-encoding` asks for cannot be done here. */
export class UnsupportedEncoding extends Error {}

/**
 * Reads and decompresses a body.
 *
 * @throws {UnsupportedEncoding} for an encoding that this runtime cannot undo.
 */
export async function readBody(request: IncomingMessage): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const part of request) parts.push(part as Uint8Array);
  const bytes = Buffer.concat(parts);
  const encoding = request.headers["content-encoding"] ?? "identity";
  return decompress(bytes, encoding).toString("utf8");
}

function decompress(bytes: Buffer, encoding: string): Buffer {
  if (bytes.length === 0 || encoding === "identity") return bytes;
  if (encoding === "gzip") return zlib.gunzipSync(bytes);
  if (encoding === "deflate") return zlib.inflateSync(bytes);
  if (encoding === "br") return zlib.brotliDecompressSync(bytes);
  // Node got zstd with 22.15; the type definitions of older ones lack it.
  const zstd = (zlib as { zstdDecompressSync?: (bytes: Buffer) => Buffer }).zstdDecompressSync;
  if (encoding === "zstd" && zstd) return zstd(bytes);
  throw new UnsupportedEncoding(`content-encoding ${encoding} is not known here.`);
}

/** Answers with JSON. */
export function sendJson(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: OutgoingHttpHeaders = {},
): void {
  send(response, status, JSON.stringify(body), { "content-type": "application/json", ...headers });
}

/** Answers with text and says how long it is. */
export function send(
  response: ServerResponse,
  status: number,
  body: string,
  headers: OutgoingHttpHeaders = {},
): void {
  if (response.destroyed) return;
  const bytes = Buffer.from(body, "utf8");
  response.writeHead(status, { ...headers, "content-length": bytes.length });
  response.end(bytes);
}

/** OpenAI's usual error body: message, type, param, code. */
export function errorBody(code: string | null, message: string): {
  error: { message: string; type: string; param: null; code: string | null };
} {
  return { error: { message, type: "invalid_request_error", param: null, code } };
}

/** Headers with one text for each name. */
export function flatHeaders(request: IncomingMessage): Record<string, string> {
  const flat: Record<string, string> = {};
  for (const [name, value] of Object.entries(request.headers)) {
    if (value !== undefined) flat[name] = Array.isArray(value) ? value.join(", ") : value;
  }
  return flat;
}

/** A JSON object, or undefined when the text is anything else. */
export function jsonObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Whether a value is a JSON object (no array, not null). */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Resolves when an answer's connection is done with it, whatever the reason. */
export function whenClosed(response: ServerResponse): Promise<void> {
  if (response.destroyed || response.closed) return Promise.resolve();
  return new Promise((resolve) => response.once("close", () => resolve()));
}
