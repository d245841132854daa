import { Buffer } from 'node:buffer';
import { connect } from 'node:net';
import { once } from 'node:events';

const HEAD_END = Buffer.from('\r\n\r\n');

/**
 * One keep-alive HTTP connection for one request at a time. Costs a fraction of node:http, which could not send half of what the
 * server takes; understands only answers with a Content-Length (or none, 204), as Fastify sends them.
 */
export class Connection {
  #received = Buffer.alloc(0);
  #waiting = null;

  static async open(url) {
    const { hostname, port, host } = new URL(url);
    const socket = connect({ host: hostname, port: Number(port), noDelay: true });
    await once(socket, 'connect');
    return new Connection(socket, host);
  }

  constructor(socket, host) {
    this.socket = socket;
    this.host = host;
    socket.on('data', (chunk) => this.#read(chunk));
    const fail = (error) => {
      this.isClosed = true;
      this.#waiting?.reject(error ?? new Error('connection closed'));
      this.#waiting = null;
    };
    socket.on('error', fail);
    socket.on('close', () => fail());
  }

  isClosed = false;

  /** @returns the status and the body of the answer. @throws Error when the connection breaks. */
  send({ method, path, headers, body = '' }) {
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    const length = body === '' ? '' : `content-length: ${Buffer.byteLength(body)}\r\n`;
    return new Promise((resolve, reject) => {
      if (this.isClosed) throw new Error('connection closed');
      this.#waiting = { resolve, reject };
      this.socket.write(`${method} ${path} HTTP/1.1\r\nhost: ${this.host}\r\n${lines.join('')}${length}\r\n${body}`);
    });
  }

  close() {
    this.socket.destroy();
  }

  #read(chunk) {
    this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    const headEnd = this.#received.indexOf(HEAD_END);
    if (headEnd === -1) return;
    const head = this.#received.toString('latin1', 0, headEnd);
    const length = Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? 0);
    const end = headEnd + HEAD_END.length + length;
    if (this.#received.length < end) return;
    const body = this.#received.toString('utf8', end - length, end);
    this.#received = this.#received.subarray(end);
    const waiting = this.#waiting;
    this.#waiting = null;
    // An answer that nobody asked for: the server says good-bye.
    if (waiting === null) this.close();
    else waiting.resolve({ status: Number(head.slice(9, 12)), body });
  }
}
