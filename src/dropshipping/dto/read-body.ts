import { validateSync } from 'class-validator';
import { isWireObject, type WireObject } from '../../upstream/wire.js';
import { invalidRequest } from '../errors/http-error.js';

const MAX_PROBLEMS_TOLD = 5;

/**
 * A DTO takes its own fields from the body and ignores all others. Not class-transformer: it walks into every value, and a
 * body of brackets nested thousands deep overflows its stack.
 */
export type BodyDto<Dto extends object> = new (body: WireObject) => Dto;

/**
 * The body as a valid DTO.
 * @throws HttpError 400 that names each field (the first few) and what is expected of it, never the value.
 */
export function readBody<Dto extends object>(type: BodyDto<Dto>, body: unknown): Dto {
  const { dto, problems } = check(type, body, 'the body', '');
  if (problems.length > 0) throw failure(problems);
  return dto;
}

/**
 * The body as an array of valid DTOs; fields are named by index, such as `0.product_id`.
 * @param maxItems most elements, at least 1.
 * @throws HttpError 400, like readBody.
 */
export function readArrayBody<Dto extends object>(type: BodyDto<Dto>, body: unknown, maxItems: number): Dto[] {
  if (!Array.isArray(body)) throw invalidRequest('the body must be a JSON array');
  if (body.length === 0 || body.length > maxItems) throw invalidRequest(`the body must have 1 to ${maxItems} elements`);
  const checks = body.map((element: unknown, index) => check(type, element, String(index), `${index}.`));
  const problems = checks.flatMap((checked) => checked.problems);
  if (problems.length > 0) throw failure(problems);
  return checks.map(({ dto }) => dto);
}

function check<Dto extends object>(type: BodyDto<Dto>, value: unknown, name: string, prefix: string) {
  const dto = new type(isWireObject(value) ? value : {});
  if (!isWireObject(value)) return { dto, problems: [`${name} must be an object`] };
  const errors = validateSync(dto, { stopAtFirstError: true });
  return {
    dto,
    problems: errors.flatMap((error) => Object.values(error.constraints ?? {}).map((text) => prefix + text)),
  };
}

function failure(problems: readonly string[]) {
  return invalidRequest(problems.slice(0, MAX_PROBLEMS_TOLD).join('; '));
}
