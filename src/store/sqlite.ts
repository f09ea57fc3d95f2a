/**
 * SQLite of whatever runtime this is. The one place where they differ.
 *
 * @module
 */
import { Failure } from "../platform/failure.ts";
import { runtime } from "../platform/runtime.ts";

/** What a column may hold. */
export type Value = null | number | string;

/** One row by column name. */
export type Row = Readonly<Record<string, Value>>;

/** A prepared statement. Parameters stand as `?` in the text. */
export interface Statement {
  /** @returns How many rows it changed. */
  run(...values: Value[]): number;
  get(...values: Value[]): Row | undefined;
  all(...values: Value[]): Row[];
}

/** An open database. Calls are synchronous and throw what SQLite throws. */
export interface Database {
  exec(sql: string): void;
  /** Statements are kept: the same text gives the same statement. */
  prepare(sql: string): Statement;
  close(): void;
}

/** Opens a database file, making it if it is missing. */
export type OpenDatabase = (path: string) => Database;

interface NativeStatement {
  run(...values: Value[]): { readonly changes: number | bigint };
  get(...values: Value[]): Row | null | undefined;
  all(...values: Value[]): Row[];
}

interface NativeDatabase {
  exec(sql: string): unknown;
  prepare(sql: string): NativeStatement;
  close(): void;
}

type NativeConstructor = new (path: string) => NativeDatabase;

let loaded: Promise<OpenDatabase> | undefined;

/**
 * Finds SQLite: `bun:sqlite` under Bun, `node:sqlite` elsewhere. Loaded at the
 * first call, since it costs milliseconds that `--help` need not pay.
 *
 * @throws {Failure} when the runtime has none.
 */
export function loadSqlite(): Promise<OpenDatabase> {
  return loaded ??= load();
}

async function load(): Promise<OpenDatabase> {
  // In variables, so that no bundler tries to resolve what another runtime has.
  const bun = typeof runtime.versions["bun"] === "string";
  const name = bun ? "bun:sqlite" : "node:sqlite";
  let Native: NativeConstructor;
  try {
    const module = await withoutSqliteWarning(() => import(name));
    Native = (bun ? module.Database : module.DatabaseSync) as NativeConstructor;
  } catch {
    throw new Failure(
      `This program needs Node 22.13 or newer; this is ${runtime.version}.`,
      "Update Node, or use Bun, Deno or the released binary.",
    );
  }
  return (path) => wrap(new Native(path));
}

/**
 * Node says at the first import that SQLite is experimental. A person at the
 * command line can do nothing about it; every other warning goes through.
 */
async function withoutSqliteWarning<T>(work: () => Promise<T>): Promise<T> {
  const emit = runtime.emitWarning;
  runtime.emitWarning = ((...warning: Parameters<typeof emit>) => {
    if (!/SQLite is an experimental feature/.test(String(warning[0]))) {
      emit.apply(runtime, warning);
    }
  }) as typeof emit;
  try {
    return await work();
  } finally {
    runtime.emitWarning = emit;
  }
}

function wrap(native: NativeDatabase): Database {
  const statements = new Map<string, Statement>();
  return {
    exec: (sql) => void native.exec(sql),
    prepare(sql) {
      let statement = statements.get(sql);
      if (!statement) {
        const raw = native.prepare(sql);
        statement = {
          run: (...values) => Number(raw.run(...values).changes),
          get: (...values) => raw.get(...values) ?? undefined,
          all: (...values) => raw.all(...values),
        };
        statements.set(sql, statement);
      }
      return statement;
    },
    close: () => native.close(),
  };
}
