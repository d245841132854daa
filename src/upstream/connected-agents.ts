import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import type { Duplex } from 'node:stream';

type OnSocket = (error: Error | null, socket: Duplex) => void;

/** How long a connection may take to be made (DNS, TCP and TLS together) before it is dropped. */
const CONNECT_TIMEOUT_MS = 10_000;

const agentOptions: http.AgentOptions = {
  keepAlive: true,
  // Shorter than the 5 s after which common servers drop an idle connection: a POST that meets the drop is of unknown outcome.
  timeout: 4_000,
};

/** The TCP socket below each TLS socket of ours: only a TCP socket can be reset. */
const tcpBelow = new WeakMap<Duplex, net.Socket>();

/**
 * Node's agents hand a request a socket that is still connecting, and the request's bytes leave whenever it connects.
 * These hand over connected sockets only, so that the request's `socket` event is the last moment before its bytes are
 * written, and a request that never saw it was never sent.
 */
class ConnectedHttpAgent extends http.Agent {
  override createConnection(options: http.ClientRequestArgs, onSocket: OnSocket): undefined {
    const socket = super.createConnection(options);
    if (!(socket instanceof net.Socket)) throw new TypeError('an HTTP connection is a net.Socket');
    whenReady(socket, 'connect', onSocket);
  }
}

class ConnectedHttpsAgent extends https.Agent {
  override createConnection(options: https.RequestOptions, onSocket: OnSocket): undefined {
    const tcp = net.connect({
      host: options.host ?? 'localhost',
      port: Number(options.port ?? 443),
      noDelay: true,
      keepAlive: true,
    });
    whenReady(tcp, 'connect', (error) => {
      if (error !== null) {
        onSocket(error, tcp);
        return;
      }
      const overTcp = { ...options, socket: tcp };
      const socket = super.createConnection(overTcp);
      if (!(socket instanceof net.Socket)) throw new TypeError('a TLS connection is a net.Socket');
      tcpBelow.set(socket, tcp);
      whenReady(socket, 'secureConnect', onSocket);
    });
  }
}

/** Keep-alive agents of one client. */
export interface Agents {
  readonly httpAgent: http.Agent;
  readonly httpsAgent: https.Agent;
}

/** @param tls options of every TLS connection, for example a private certificate authority. */
export function createAgents(tls: https.AgentOptions = {}): Agents {
  return {
    httpAgent: new ConnectedHttpAgent(agentOptions),
    httpsAgent: new ConnectedHttpsAgent({ ...tls, ...agentOptions }),
  };
}

/**
 * Drops a connection with a TCP reset, which makes the kernel forget bytes that were not delivered yet. A plain close
 * lets it go on sending them: a request given up on was seen to arrive up to 75 s later.
 * @returns false when there was no live TCP connection to reset.
 */
export function resetConnection(socket: Duplex): boolean {
  const tcp = tcpBelow.get(socket) ?? socket;
  if (!(tcp instanceof net.Socket) || tcp.destroyed) return false;
  tcp.resetAndDestroy();
  return true;
}

function whenReady(socket: net.Socket, event: 'connect' | 'secureConnect', onSocket: OnSocket): void {
  const timer = setTimeout(() => {
    socket.destroy(Object.assign(new Error('no connection in time'), { code: 'ETIMEDOUT' }));
  }, CONNECT_TIMEOUT_MS);
  const onError = (error: Error): void => {
    clearTimeout(timer);
    onSocket(error, socket);
  };
  socket.once('error', onError);
  socket.once(event, () => {
    clearTimeout(timer);
    socket.off('error', onError);
    // Between two owners (TCP to TLS, agent to request) an error has no listener and would end the process; the next
    // owner meets a destroyed socket and fails by itself.
    socket.on('error', () => undefined);
    onSocket(null, socket);
  });
}
