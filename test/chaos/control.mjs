/* global fetch */

/** Calls a sandbox server's control API. @returns the JSON answer, undefined when there is none. */
export async function control(baseUrl, method, path, body) {
  const response = await fetch(new URL(`/_sandbox/${path}`, baseUrl), {
    method,
    headers: body === undefined ? {} : { 'content-type': 'application/json' },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
  return text === '' ? undefined : JSON.parse(text);
}
