import { isWireObject, readArray, readObject, readOptionalText, readText } from '../../upstream/wire.js';
import type { JobState, MarketplaceJob, MarketplaceJobElement } from '../g2a.types.js';

/** The job that an update started. Null for an answer without one: the next listing tells. @throws WireShapeError */
export function readStartedJob(body: unknown): { jobId: string | null } {
  if (!isWireObject(body) || !isWireObject(body['data'])) return { jobId: null };
  return { jobId: readOptionalText(body['data']['jobId'], 'data.jobId') };
}

/** @throws WireShapeError */
export function readJob(body: unknown): MarketplaceJob {
  const job = readObject(readObject(body, 'body')['data'], 'data');
  const elements = readArray(job['elements'] ?? [], 'data.elements');
  return {
    state: readState(job['status'], 'data.status'),
    elements: elements.map((element, index) => readElement(element, `data.elements[${index}]`)),
  };
}

function readElement(value: unknown, field: string): MarketplaceJobElement {
  const element = readObject(value, field);
  const code = element['code'];
  return {
    resourceId: readOptionalText(element['resourceId'], `${field}.resourceId`),
    state: readState(element['status'], `${field}.status`),
    code: typeof code === 'number' ? String(code) : readOptionalText(code, `${field}.code`),
    message: readOptionalText(element['message'], `${field}.message`),
  };
}

function readState(value: unknown, field: string): JobState {
  switch (readText(value, field).toLowerCase()) {
    case 'complete':
    case 'completed':
    case 'done':
      return 'completed';
    case 'failed':
    case 'error':
      return 'failed';
    default:
      return 'running';
  }
}
