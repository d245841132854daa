import type { World } from './world.js';

/** What a call can change. */
export const TABLES = [
  'product_mappings',
  'product_mapping_suppliers',
  'offers',
  'reservations',
  'reservation_items',
  'stock_holds',
  'orders',
  'order_items',
  'purchases',
  'keys',
  'notifications',
  'audit_log',
] as const;
export type Table = (typeof TABLES)[number];

/** A call as it is sent. */
export interface Ask {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  /** A text is sent as it is, anything else as JSON. */
  readonly body?: unknown;
  /** Default: JSON, if there is a body. */
  readonly contentType?: string;
  /** Default: a valid access token; null: none. */
  readonly authorization?: string | null;
}

/** One answer of a route. */
export interface StatusRow {
  /** What is asked for, or of what; goes on after "answers 404 item_not_found: ". */
  readonly title: string;
  /** Brings the situation about, and says what to ask in it. */
  readonly request: (world: World) => Ask | Promise<Ask>;
  readonly status: number;
  /** Of an error; null of a success. */
  readonly code: string | null;
  /** In an error's body besides code and message; default: nothing. */
  readonly extra?: (world: World) => object;
  /** As `Retry-After` says; default: the answer has no such header. */
  readonly retryAfterSeconds?: number | 'some';
  /** Side effects that must not happen: tables that the call must not change. */
  readonly unchanged: readonly Table[];
}

/** All that a route can answer. */
export interface StatusTable {
  /** As docs/openapi.json has it, such as `PUT /reservation/{reservation_id}`. */
  readonly route: string;
  readonly rows: readonly StatusRow[];
}

type Request = StatusRow['request'];

/** A refusal changes nothing at all. */
export function refusal(
  [status, code]: readonly [number, string],
  title: string,
  request: Request,
  more: Pick<StatusRow, 'extra' | 'retryAfterSeconds'> = {},
): StatusRow {
  return { title, request, status, code, unchanged: TABLES, ...more };
}

/** A success may change only these tables. */
export function success(status: number, title: string, changed: readonly Table[], request: Request): StatusRow {
  return { title, request, status, code: null, unchanged: TABLES.filter((table) => !changed.includes(table)) };
}

/** The rows of whoever is not G2A. @param ask a call that would come through with credentials. */
export function strangerRows(ask: Ask): StatusRow[] {
  const unauthorized = [401, 'unauthorized'] as const;
  const wrongPair = ({ basic }: World): Ask => ({ ...ask, authorization: basic('wrong') });
  return [
    refusal(unauthorized, 'nobody', () => ({ ...ask, authorization: null })),
    refusal(unauthorized, 'a made-up token', () => ({
      ...ask,
      authorization: `Bearer kf1.9999999999.${'A'.repeat(43)}`,
    })),
    refusal(unauthorized, 'a wrong secret', wrongPair),
    refusal(
      [429, 'too_many_failed_attempts'],
      'the eleventh wrong secret of an address',
      async (world) => {
        for (let attempt = 1; attempt <= 10; attempt += 1) await world.send(wrongPair(world));
        return wrongPair(world);
      },
      { retryAfterSeconds: 'some' },
    ),
  ];
}

/** The rows of bodies that no route can read. */
export function unreadableBodyRows(ask: Ask): StatusRow[] {
  return [
    refusal([400, 'malformed_body'], 'half a body', () => ({ ...ask, body: '[{"product_id":' })),
    refusal([400, 'malformed_body'], 'a body that would change prototypes', () => ({
      ...ask,
      body: '[{"\\u005f_proto__":{"quantity":1}}]',
    })),
    refusal([413, 'body_too_large'], 'a body over 64 KiB', () => ({ ...ask, body: `["${'x'.repeat(64 * 1024)}"]` })),
    refusal([415, 'unsupported_media_type'], 'a body that is text', () => ({
      ...ask,
      body: 'text',
      contentType: 'text/plain',
    })),
  ];
}
