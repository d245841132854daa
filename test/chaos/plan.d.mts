/** What CodesWholesale does, as its control API takes it; see sandbox/README.md. */
export interface Behavior {
  readonly name: string;
  readonly route?: string;
  readonly times: number;
  readonly after: { readonly route: string; readonly requests: number };
}

export interface Plan {
  readonly seed: number;
  readonly customers: readonly {
    readonly index: number;
    readonly atMs: number;
    readonly lines: readonly { readonly game: number; readonly quantity: number }[];
  }[];
  readonly disturbances: readonly { readonly kind: string; readonly atMs: number }[];
  /** Each is one or two behaviors that go together. */
  readonly faults: readonly (readonly Behavior[])[];
}

export function makePlan(options: { seed: number; orders: number }): Plan;
