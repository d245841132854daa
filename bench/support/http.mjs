import { Buffer } from 'node:buffer';
import http from 'node:http';

/** One request and its whole answer; without an agent on a connection of its own, for one kept alive may just be closed. */
export function exchange(url, { method, path, headers, body }, agent = false) {
  return new Promise((resolve, reject) => {
    const length = body === undefined ? {} : { 'content-length': Buffer.byteLength(body) };
    const request = http.request(
      url + path,
      { method, agent, headers: { ...headers, ...length }, timeout: 30_000 },
      (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk) => (text += chunk));
        response.on('end', () => {
          resolve({ status: response.statusCode, body: text });
        });
        response.on('error', reject);
      },
    );
    request.on('error', reject);
    request.on('timeout', () => request.destroy(new Error('no answer within 30 s')));
    request.end(body);
  });
}

/** Sends every request once and returns the bodies in their order. @throws Error on an answer that is no success. */
export async function sendAll(url, requests, connections) {
  const agent = new http.Agent({ keepAlive: true, maxSockets: connections });
  const answers = await Promise.all(
    requests.map(async (request) => {
      const { status, body } = await exchange(url, request, agent);
      if (status >= 300) throw new Error(`${request.method} ${request.path}: ${status} ${body}`);
      return body;
    }),
  );
  agent.destroy();
  return answers;
}

/** The body of a GET as JSON. @throws Error on an answer that is no success. */
export async function readJson(url, path) {
  const { status, body } = await exchange(url, { method: 'GET', path, headers: {} });
  if (status !== 200) throw new Error(`GET ${path}: ${status} ${body}`);
  return JSON.parse(body);
}

/** @throws Error on an answer that is no success. */
export async function postJson(url, path, value) {
  const headers = { 'content-type': 'application/json' };
  const { status, body } = await exchange(url, { method: 'POST', path, headers, body: JSON.stringify(value) });
  if (status >= 300) throw new Error(`POST ${path}: ${status} ${body}`);
}
