import { type ArgumentsHost, Catch, type ExceptionFilter, Logger } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyRequest } from 'fastify';
import { TOKEN_ROUTE } from '../auth/token-route.js';
import {
  asTokenRouteAnswer,
  type ErrorAnswer,
  internalErrorAnswer,
  knownErrorAnswer,
  unknownRouteAnswer,
} from './error-answer.rules.js';
import { RouteTable } from './route-table.js';

/** Gives every failure of every route the body `{"code","message"}`, those of Fastify and of Nest included. */
@Catch()
export class ErrorFilter implements ExceptionFilter {
  private readonly logger = new Logger(ErrorFilter.name);

  constructor(
    private readonly adapterHost: HttpAdapterHost,
    private readonly routes: RouteTable,
  ) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const { httpAdapter } = this.adapterHost;
    const request = host.switchToHttp().getRequest<FastifyRequest>();
    const response = host.switchToHttp().getResponse<object>();
    const answer = this.answerTo(error, request);
    // A stream that failed halfway: nothing can be taken back any more.
    if (httpAdapter.isHeadersSent(response)) return;
    for (const [name, value] of Object.entries(answer.headers)) {
      // Nest types the value as string; both Fastify and Node take several values of one header as an array.
      httpAdapter.setHeader(response, name, value as string);
    }
    httpAdapter.reply(response, answer.body, answer.status);
  }

  private answerTo(error: unknown, request: FastifyRequest): ErrorAnswer {
    // Only up to the query: GET /oauth/token carries the secret there.
    const path = request.url.split('?', 1)[0] ?? '';
    const answer = this.plainAnswerTo(error, request, path);
    return path === TOKEN_ROUTE ? asTokenRouteAnswer(answer) : answer;
  }

  private plainAnswerTo(error: unknown, request: FastifyRequest, path: string): ErrorAnswer {
    const answer = knownErrorAnswer(error);
    if (answer === undefined) {
      this.log(error, request);
      return internalErrorAnswer();
    }
    // Nest reports an unmatched route as an exception whose message quotes the URL.
    return request.is404 && answer.status === 404 ? unknownRouteAnswer(this.routes.methodsOf(path)) : answer;
  }

  /** The stack alone: fields of the error may hold statement parameters. The route's pattern, for a URL may hold secrets. */
  private log(error: unknown, request: FastifyRequest): void {
    const route = `${request.method} ${request.routeOptions.url ?? 'unknown route'}`;
    this.logger.error(`${route} failed`, error instanceof Error ? error.stack : `thrown: ${typeof error}`);
  }
}
