import { type AccountModel, cardId, type DashboardModel, type Page } from "../model.ts";
import { Account } from "./account.tsx";

/** A card that was rendered, and the day and the state of the token it was rendered for. */
interface Kept {
  readonly html: string;
  readonly for: string;
}

/** A model that is the same object says the same: most accounts have not changed since the last page. */
const kept = new WeakMap<AccountModel, Kept>();

/** Whether there are so many accounts that their cards are made cheap. */
export function areMany({ accounts }: DashboardModel): boolean {
  return accounts.length > 40;
}

/** One card, its forms still without the visitor's token. */
export function renderCard(account: AccountModel, now: number, many: boolean): string {
  const day = new Date(now).toDateString();
  const key = `${day} ${account.tokenExpiresAt > now} ${many}`;
  const before = kept.get(account);
  if (before?.for === key) return before.html;
  const html = String(<Account account={account} now={now} many={many} />);
  // Looking into it makes one piece of it; in the thousand pieces it comes in, each page would pay again.
  html.indexOf(" ");
  kept.set(account, { html, for: key });
  return html;
}

/** All cards: those that the query shows, in its order, then the others, hidden. */
export function renderCards(model: DashboardModel, page: Page): string {
  const rank = new Map(page.order.map((id, index) => [id, index]));
  const place = ({ id }: AccountModel) => rank.get(cardId(id)) ?? Infinity;
  const many = areMany(model);
  return model.accounts.map((account) => ({ account, at: place(account) }))
    .sort((a, b) => a.at === b.at ? 0 : a.at - b.at)
    .map(({ account, at }) => {
      const html = renderCard(account, model.now, many);
      return at === Infinity ? html.replace("<article", "<article hidden") : html;
    })
    .join("");
}
