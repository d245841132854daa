import type { ModuleMetadata } from '@nestjs/common';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';

/** What came back over HTTP. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** @throws SyntaxError when the body is not JSON. */
  json(): unknown;
}

/** An application that listens on a free port. (Fastify's `inject` needs a CommonJS build of an ESM package under Jest.) */
export interface ListeningApp {
  readonly app: NestFastifyApplication;
  request(method: 'GET' | 'POST', path: string, headers?: Record<string, string>, body?: string): Promise<Answer>;
}

/** Believes X-Forwarded-For, so that a test can come from any address. */
export async function listen(metadata: ModuleMetadata): Promise<ListeningApp> {
  const module = await Test.createTestingModule(metadata).compile();
  const app = module.createNestApplication<NestFastifyApplication>(new FastifyAdapter({ trustProxy: true }));
  await app.listen(0, '127.0.0.1');
  const baseUrl = await app.getUrl();
  return {
    app,
    async request(method, path, headers = {}, body) {
      const response = await fetch(`${baseUrl}${path}`, { method, headers, body });
      const text = await response.text();
      return { status: response.status, headers: response.headers, text, json: () => JSON.parse(text) as unknown };
    },
  };
}
