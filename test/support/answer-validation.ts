import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { OpenAPIObject, OperationObject, ResponseObject } from '@nestjs/swagger';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';

/** An answer as the document sees it. */
export interface GivenAnswer {
  readonly method: string;
  /** Path template of the document, such as `/order/{order_id}/inventory`; null when the router found no route. */
  readonly route: string | null;
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}

/** What is wrong with an answer; undefined when it is as documented. */
export type AnswerCheck = (answer: GivenAnswer) => string | undefined;

/** Routes of ours that are not part of the merchant contract. */
export const OTHER_ROUTES = /^\/(admin|cws|livez|readyz|metrics|docs|docs-json)(\/|$)/;

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** The document as committed. */
export function committedDocument(): OpenAPIObject {
  return JSON.parse(readFileSync(resolve(import.meta.dirname, '../../docs/openapi.json'), 'utf8')) as OpenAPIObject;
}

/** A check of answers against the document: status, required headers, and every byte of the body. */
export function answerCheck(document: OpenAPIObject = committedDocument()): AnswerCheck {
  const ajv = new Ajv2020({ allErrors: true, allowUnionTypes: true });
  // The schemas point to each other by `#/components/schemas/…`, so each is compiled with the components beside it.
  ajv.addKeyword('components');
  ajv.addFormat('int64', { type: 'number', validate: Number.isSafeInteger });
  ajv.addFormat('uuid', UUID);
  ajv.addFormat('byte', BASE64);
  const compiled = new Map<unknown, ValidateFunction>();
  const validatorOf = (schema: object): ValidateFunction => {
    const validator = compiled.get(schema) ?? ajv.compile({ ...schema, components: document.components });
    compiled.set(schema, validator);
    return validator;
  };
  // On paths and methods that do not exist; the token route's form is its own there too.
  const error = { anyOf: ['Error', 'TokenError'].map((name) => ({ $ref: `#/components/schemas/${name}` })) };

  const problemOf = ({ method, route, status, headers, body }: GivenAnswer): string | undefined => {
    if (route === null) {
      return status >= 400 && status < 500 ? bodyProblem(validatorOf(error), body) : 'no route, and yet an answer';
    }
    // Fastify answers HEAD wherever there is a GET, without the body.
    const isHead = method === 'HEAD';
    const operation = operationOf(document, isHead ? 'GET' : method, route);
    if (operation === undefined) return 'the route is not documented';
    const response = operation.responses[status] as ResponseObject | undefined;
    if (response === undefined) return 'the status is not documented';
    const missing = Object.entries(response.headers ?? {}).filter(
      ([name, header]) => 'required' in header && header.required && headers[name.toLowerCase()] === undefined,
    );
    if (missing.length > 0) return `without ${missing.map(([name]) => name).join(', ')}`;
    const schema = response.content?.['application/json']?.schema;
    if (schema === undefined) return body === '' ? undefined : 'a body where none is documented';
    return isHead ? undefined : bodyProblem(validatorOf(schema), body);
  };

  return (answer) => {
    const problem = problemOf(answer);
    return problem && `${answer.method} ${answer.route ?? '(no route)'} ${answer.status}: ${problem}`;
  };
}

/** The answers of an application that were not as documented. */
export interface AnswerViolations {
  /** @throws when there were any, with all of them. */
  throwIfAny(): void;
}

/** Checks every answer of the merchant routes of `app`. To be called before it listens. */
export function validateAnswers(app: NestFastifyApplication): AnswerViolations {
  const check = answerCheck();
  const violations = new Set<string>();
  const fastify = app.getHttpAdapter().getInstance();
  fastify.addHook('onSend', (request, reply, payload, done) => {
    const { url } = request.routeOptions;
    const route = request.is404 || url === undefined ? null : url.replaceAll(/:(\w+)/g, '{$1}');
    if (!OTHER_ROUTES.test(route ?? '')) {
      const problem = check({
        method: request.method,
        route,
        status: reply.statusCode,
        headers: reply.getHeaders(),
        body: typeof payload === 'string' ? payload : '',
      });
      if (problem !== undefined) violations.add(problem);
    }
    done();
  });
  return {
    throwIfAny: () => {
      if (violations.size > 0)
        throw new Error(`answers that docs/openapi.json forbids:\n${[...violations].join('\n')}`);
    },
  };
}

/** Origins of programs whose answers are checked as they are fetched. */
const checkedOrigins = new Map<string, AnswerCheck>();
const plainFetch = globalThis.fetch;

/** Has every `fetch` of a merchant route of the program at `url` fail when the answer is not as documented. @returns ends it. */
export function validateFetchedAnswers(url: string): () => void {
  const { origin } = new URL(url);
  checkedOrigins.set(origin, answerCheck());
  globalThis.fetch = checkedFetch;
  return () => checkedOrigins.delete(origin);
}

const checkedFetch: typeof fetch = async (input, init) => {
  const response = await plainFetch(input, init);
  const { origin, pathname } = new URL(input instanceof Request ? input.url : input);
  const check = checkedOrigins.get(origin);
  if (check === undefined || OTHER_ROUTES.test(pathname)) return response;
  const templates = Object.keys(committedDocument().paths);
  const problem = check({
    method: (input instanceof Request ? input.method : init?.method) ?? 'GET',
    route: templates.find((template) => isPathOf(template, pathname)) ?? null,
    status: response.status,
    headers: Object.fromEntries(response.headers),
    body: await response.clone().text(),
  });
  if (problem !== undefined) throw new Error(`an answer that docs/openapi.json forbids: ${problem}`);
  return response;
};

function isPathOf(template: string, pathname: string): boolean {
  const [expected, given] = [template.split('/'), pathname.split('/')];
  return (
    expected.length === given.length && expected.every((part, index) => part.startsWith('{') || part === given[index])
  );
}

function operationOf(document: OpenAPIObject, method: string, route: string): OperationObject | undefined {
  const operations: Readonly<Record<string, unknown>> = { ...document.paths[route] };
  return operations[method.toLowerCase()] as OperationObject | undefined;
}

/** The values are left out: they may be keys. */
function bodyProblem(validate: ValidateFunction, body: string): string | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch {
    return 'the body is not JSON';
  }
  if (validate(parsed)) return undefined;
  return (validate.errors ?? []).map(({ instancePath, message }) => `body${instancePath} ${message ?? ''}`).join('; ');
}
