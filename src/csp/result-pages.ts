import { z } from 'zod';
import { type CspCall, CspError } from './csp-error.ts';
import type { ProviderAnswer } from './provider-answer.ts';
import type { ProviderCall, ProviderTransport } from './provider-transport.ts';

/** What public clients of this API ask for, and the only page size that is known of it. */
const PAGE_SIZE = 100;

/** 100,000 accounts in pages of 100: far more than a pool, far less than for ever. */
const PAGES_MAX = 1000;

const link = z.union([z.string(), z.object({ href: z.string() }).transform((value) => value.href)]).nullish();

/** Names that other APIs use for other things: only an object can be meant. */
function ifObject<T extends z.ZodType>(schema: T) {
  const isObject = (value: unknown) => typeof value === 'object' && value !== null && !Array.isArray(value);
  return z.preprocess((value) => (isObject(value) ? value : undefined), schema.optional());
}

/**
 * A page of results. Only `results` is documented; the rest are the forms in which answers of this family of APIs
 * say that there is more: a link, the offset or the token of the next page (`page`, null for none), a total. One
 * that is there and cannot be read makes the whole page unreadable: it may say that there is more.
 */
const pageSchema = z.object({
  results: z.array(z.unknown()),
  next: link,
  links: ifObject(z.object({ next: link })),
  _links: ifObject(z.object({ next: link })),
  page: ifObject(z.object({ offset: z.coerce.number().int().nullish(), page_token: z.string().nullish() })),
  total_count: z.number().int().nullish(),
});

interface Page {
  readonly rows: readonly unknown[];
  /** Path and query below the base URL, where the page names its successor. */
  readonly next: string | null;
  readonly total: number | null;
}

/**
 * Reads a listing to its end: every row of every page, or an error. Never some of the pages, because a row that is
 * not in a listing is taken for an account that is gone (invariant I9).
 *
 * Whether this API pages is not documented, so the first request is the documented one, without parameters, and
 * further ones are sent only where the answer says that there is more. One answer says nothing and may still be a
 * page: one of exactly 100 rows, or a multiple. Then the rows after it are asked for; an API that does not page
 * repeats itself, and that is the end.
 *
 * @param request its request id goes with every page
 * @throws CspError, or the reason of the caller's signal
 */
export async function readEveryPage(
  transport: ProviderTransport,
  request: Omit<ProviderCall, 'method'> & { readonly requestId: string },
): Promise<unknown[]> {
  const seen = new Set<string>();
  const rows: unknown[] = [];
  let path: string = request.path;
  let guessed = false;
  for (let pages = 0; pages < PAGES_MAX; pages += 1) {
    const asked = path;
    const page = await transport.send({ ...request, method: 'GET', path: asked }, (answer) =>
      readPage(answer, asked, transport),
    );
    const before = rows.length;
    for (const row of page.rows) {
      const identity = identityOf(row);
      if (seen.has(identity)) continue;
      seen.add(identity);
      rows.push(row);
    }
    const added = rows.length - before;
    const complete = page.total === null || rows.length >= page.total;
    if (added === 0 && pages > 0) {
      if (complete && (guessed || page.next === null)) return rows;
      throw broken(request, 'promises rows that do not come');
    }
    if (page.next !== null) {
      path = page.next;
      guessed = false;
    } else if (!complete || (page.rows.length > 0 && page.rows.length % PAGE_SIZE === 0)) {
      if (page.rows.length === 0) throw broken(request, 'promises rows that do not come');
      path = withQuery(request.path, { _limit: String(PAGE_SIZE), _offset: String(rows.length) });
      guessed = true;
    } else {
      return rows;
    }
  }
  throw broken(request, `goes on after ${PAGES_MAX} pages`);
}

/** Parses one page while the breaker still waits for the verdict on its call. */
function readPage(answer: ProviderAnswer, path: string, transport: ProviderTransport): Page {
  // Not every 2xx: 206 says of itself that it is a part, and 204 has no rows to be short of.
  if (answer.status !== 200) throw answer.statusError();
  const parsed = pageSchema.safeParse(answer.json());
  if (!parsed.success) throw answer.contentError('answered 200 with JSON that is no page of results');
  const { results, next, links, _links, page, total_count } = parsed.data;
  const named = next ?? links?.next ?? _links?.next;
  return { rows: results, next: nextPath(), total: total_count ?? null };

  function nextPath(): string | null {
    if (named) return pathOfLink(named);
    if (page?.page_token) return withQuery(path, { _page_token: page.page_token });
    // In a first page this is the offset of the second. Some APIs put the offset of the page itself there, which
    // is then no greater than the one that was asked for.
    const offset = page?.offset ?? 0;
    return offset > offsetOf(path) ? withQuery(path, { _offset: String(offset) }) : null;
  }

  function pathOfLink(target: string): string {
    const from = new URL(transport.origin + transport.basePath + path);
    const url = URL.canParse(target, from.href) ? new URL(target, from.href) : null;
    // The request for the next page carries the token: it goes nowhere else than the first one did.
    if (url?.origin !== transport.origin || !url.pathname.startsWith(`${transport.basePath}/`)) {
      throw answer.contentError('names a next page at another address');
    }
    return url.pathname.slice(transport.basePath.length) + url.search;
  }
}

function offsetOf(path: string): number {
  return Number(new URL(path, 'http://base').searchParams.get('_offset') ?? 0);
}

function withQuery(path: string, parameters: Record<string, string>): string {
  const url = new URL(path, 'http://base');
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  return url.pathname + url.search;
}

/** What makes two rows one: pages overlap when accounts come and go between them. */
function identityOf(row: unknown): string {
  const id = (row as { id?: unknown } | null)?.id;
  return typeof id === 'string' ? id : JSON.stringify(row);
}

function broken(request: { call: CspCall; requestId: string }, reason: string): CspError {
  const { call, requestId } = request;
  return new CspError({ kind: 'content', call, reason: `has a listing that ${reason}`, requestId });
}
