import {
  ACCOUNT_STATES,
  type AccountModel,
  type Listing,
  type Page,
  type Query,
  type QueueModel,
  type Sort,
  SORTS,
} from "../model.ts";
import { PAGE_SIZE, writeQuery } from "../query.ts";
import { Post } from "./form.tsx";

/** The form whose fields are the page's query. */
export const FILTER = "filter";

const SORT_NAMES: Readonly<Record<Sort, string>> = {
  "recommended": "Recommended",
  "short window": "5 hours left",
  "long window": "Week left",
  "expiry": "Token expiry",
  "alias": "Alias",
  "uses": "Uses",
};

/** Search, filters and order: a form of the GET kind, so that a choice has an address. */
export function Filter({ accounts, page }: {
  readonly accounts: readonly AccountModel[];
  readonly page: Page;
}) {
  const { query } = page;
  return (
    <form id={FILTER} method="get" action="/" role="search" class="row">
      <label class="search">
        <span class="vh">Search accounts</span>
        <input type="search" name="q" value={query.search} placeholder="Search accounts" />
      </label>
      <TagChoice accounts={accounts} tag={query.tag} />
      <Choice
        name="state"
        label="In state"
        value={query.state}
        options={[["", "Any state"], ...ACCOUNT_STATES.map(same)]}
      />
      <Choice
        name="sort"
        label="Sort by"
        value={query.sort}
        options={SORTS.map((sort) => [sort, `Sort: ${SORT_NAMES[sort]}`])}
      />
      <button type="submit" class="plain">Apply</button>
    </form>
  );
}

/** The tags there are. */
export function TagChoice({ accounts, tag }: {
  readonly accounts: readonly AccountModel[];
  /** The one that is looked for; empty for all. */
  readonly tag: string;
}) {
  // One that no account has any more is still what is looked for.
  const tags = [...new Set([tag, ...accounts.flatMap((account) => account.tags)])]
    .filter((tag) => tag !== "").sort();
  return (
    <span id="tag-choice" hidden={tags.length === 0}>
      <Choice
        name="tag"
        label="With tag"
        value={tag}
        options={[["", "Any tag"], ...tags.map(same)]}
      />
    </span>
  );
}

/** A select of the filter. */
export function Choice({ name, label, value, options }: {
  readonly name: string;
  readonly label: string;
  readonly value: string;
  /** Each value, and how it is called. */
  readonly options: readonly (readonly [value: string, text: string])[];
}) {
  // A label around the select would have the texts of its options in its name.
  return (
    <>
      <label for={`by-${name}`} class="vh">{label}</label>
      <select id={`by-${name}`} name={name} form={FILTER}>
        {options.map(([option, text]) => (
          // By its id it stays the one that was chosen when others come before it or go.
          <option
            id={`by-${name}-${encodeURIComponent(option.toWellFormed())}`}
            value={option}
            {...(option === value ? { selected: true } : {})}
          >
            {text}
          </option>
        ))}
      </select>
    </>
  );
}

function same(word: string): readonly [string, string] {
  return [word, word];
}

/** How many accounts match, and the way to those that this page does not show. */
export function Pages({ listing, query }: { readonly listing: Listing; readonly query: Query }) {
  const { accounts, from, matching } = listing;
  const end = from + accounts.length;
  const to = (from: number) => `/${writeQuery({ ...query, from })}`;
  return (
    <div id="pages" class={matching === 0 ? "nothing" : matching > PAGE_SIZE ? "row" : "vh"}>
      <p role="status">
        {matching === 0
          ? "No account matches this search."
          : matching > PAGE_SIZE
          ? `Accounts ${from + 1} to ${end} of ${matching}`
          : matching === 1
          ? "1 account"
          : `${matching} accounts`}
      </p>
      {from > 0 && <a class="button" href={to(Math.max(from - PAGE_SIZE, 0))}>Previous</a>}
      {end < matching && <a class="button" href={to(end)}>Next</a>}
    </div>
  );
}

/** Both queues: what can be asked of all accounts, and how far it has come. */
export function Queues({ limits, tokens }: {
  readonly limits: QueueModel;
  readonly tokens: QueueModel;
}) {
  return (
    <div id="queues">
      <Post to="/limits" class="row">
        <button type="submit">Refresh all limits</button>
        <button type="submit" formaction="/tokens">Refresh all tokens</button>
      </Post>
      <Queue queue={limits} name="Limits" to="/limits/stop" button="Stop" />
      <Queue queue={tokens} name="Tokens" to="/tokens/stop" button="Stop tokens" />
    </div>
  );
}

function Queue({ queue, name, to, button }: {
  readonly queue: QueueModel;
  readonly name: string;
  readonly to: string;
  readonly button: string;
}) {
  const { running, done, total, stopped } = queue;
  if (running) {
    return (
      <Post to={to} class="row">
        <label>
          {name}: {done} of {total} <progress value={done} max={total}></progress>
        </label>
        <button type="submit">{button}</button>
      </Post>
    );
  }
  if (total === 0) return null;
  return <p>{stopped ? `${name}: stopped after ${done} of ${total}` : `${name}: ${total} asked`}
  </p>;
}
