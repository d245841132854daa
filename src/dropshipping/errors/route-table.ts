import { Injectable } from '@nestjs/common';

interface Route {
  /** Undefined stands for a parameter. */
  readonly segments: readonly (string | undefined)[];
  readonly methods: readonly string[];
}

/** Which methods each path has. Fastify's router knows one method at a time, so it cannot tell a 405 from a 404. */
@Injectable()
export class RouteTable {
  readonly #routes: Route[] = [];

  /** @param url a Fastify route path, such as `/order/:order_id/inventory`. Wildcard routes match anything and are left out. */
  add(url: string, methods: string | readonly string[]): void {
    if (url.includes('*')) return;
    const segments = url.split('/').map((segment) => (segment.startsWith(':') ? undefined : segment));
    this.#routes.push({ segments, methods: [methods].flat() });
  }

  /** @param path without query. */
  methodsOf(path: string): string[] {
    const asked = path.split('/');
    const matching = this.#routes.filter(
      ({ segments }) =>
        segments.length === asked.length &&
        segments.every((segment, index) => (segment === undefined ? asked[index] !== '' : segment === asked[index])),
    );
    return [...new Set(matching.flatMap(({ methods }) => methods))].sort();
  }
}
