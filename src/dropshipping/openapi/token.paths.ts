import type { OperationObject, ParameterObject, PathsObject } from '@nestjs/swagger';
import { TOKEN_ROUTE } from '../auth/token-route.js';
import { json, NO_STORE, tokenRefusals } from './responses.js';
import { ref } from './schemas.js';

const description =
  'Credentials come as `client_id` and `client_secret`, or in an HTTP Basic header (RFC 6749, section 2.3.1). A right pair is never limited.';

export const tokenPaths: PathsObject = {
  [TOKEN_ROUTE]: {
    get: {
      ...operation('getToken', false),
      parameters: [
        { ...parameter('grant_type'), required: true, schema: { type: 'string', enum: ['client_credentials'] } },
        parameter('client_id'),
        parameter('client_secret'),
      ],
    },
    post: {
      ...operation('postToken', true),
      requestBody: {
        required: true,
        content: {
          'application/x-www-form-urlencoded': { schema: ref('TokenRequest') },
          'application/json': { schema: ref('TokenRequest') },
        },
      },
    },
  },
};

function operation(operationId: string, hasBody: boolean): OperationObject {
  return {
    operationId,
    tags: ['Token'],
    summary: 'An access token for the client id and secret.',
    description,
    security: [{}, { basic: [] }],
    responses: { 200: json('The token.', ref('Token'), NO_STORE), ...tokenRefusals(hasBody) },
  };
}

function parameter(name: string): ParameterObject {
  return { name, in: 'query', schema: { type: 'string' } };
}
