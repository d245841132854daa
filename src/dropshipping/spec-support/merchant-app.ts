import { Buffer } from 'node:buffer';
import { type IncomingHttpHeaders, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { Module } from '@nestjs/common';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { AppConfigModule } from '../../config/config.module.js';
import { parseEnvironment } from '../../config/environment.js';
import { AcceptOrderService } from '../../orders/accept-order.service.js';
import { type DeliveredProduct, DeliverKeysService } from '../../orders/deliver-keys.service.js';
import { OrdersModule } from '../../orders/orders.module.js';
import { ReleaseReservationService } from '../../orders/release-reservation.service.js';
import { RenewReservationService } from '../../orders/renew-reservation.service.js';
import type { ProductStock, RequestedItem } from '../../orders/reservation-plan.rules.js';
import { ReserveStockService } from '../../orders/reserve-stock.service.js';
import { ReturnKeysService } from '../../orders/return-keys.service.js';
import { ReceiveNotificationsService } from '../../sync/receive-notifications.service.js';
import { SyncModule } from '../../sync/sync.module.js';
import { DropshippingModule } from '../dropshipping.module.js';
import { configureHttp, fastifyOptions } from '../http-setup.js';

export const CLIENT = { id: 'g2a', secret: ':secret:with:colons+and%2F' };
export const PREVIOUS_CLIENT = { id: 'g2a-before', secret: 'the-secret-before-it' };
export const BASIC = basicHeader(CLIENT.id, CLIENT.secret);

export const RESERVATION_ID = '3b6d0a52-7f0e-4a38-9d5b-0d8f0f0f1a01';
export const ORDER_ID = '3b6d0a52-7f0e-4a38-9d5b-0d8f0f0f1a02';

export function basicHeader(id: string, secret: string): string {
  return `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`;
}

/** The orders module's face, in memory: notes what it is asked, and fails on demand. */
export class InMemoryOrders {
  reserved: (readonly RequestedItem[])[] = [];
  accepted: { reservationId: string; g2aOrderId: number }[] = [];
  askedFor: string[] = [];
  failure: Error | null = null;
  products: DeliveredProduct[] = [];

  reserve(items: readonly RequestedItem[]): Promise<{ reservationId: string; stock: ProductStock[] }> {
    this.reserved.push(items);
    const stock = items.map(({ g2aProductId }) => ({ g2aProductId, inventorySize: 44 }));
    return this.answer({ reservationId: RESERVATION_ID, stock });
  }

  accept(order: { reservationId: string; g2aOrderId: number }): Promise<{ orderId: string; stock: ProductStock[] }> {
    this.accepted.push(order);
    return this.answer({ orderId: ORDER_ID, stock: [{ g2aProductId: 10000068865001, inventorySize: 43 }] });
  }

  inventory(orderReference: string): Promise<DeliveredProduct[]> {
    this.askedFor.push(orderReference);
    return this.answer(this.products);
  }

  private answer<T>(value: T): Promise<T> {
    return this.failure === null ? Promise.resolve(value) : Promise.reject(this.failure);
  }
}

export interface Call {
  readonly method?: string;
  /** Sent as it is, without normalization. */
  readonly url: string;
  readonly headers?: Record<string, string>;
  /** An object is sent as JSON. */
  readonly payload?: string | object;
}

export interface Answer {
  readonly statusCode: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  json(): unknown;
}

export type MerchantApp = Awaited<ReturnType<typeof merchantApp>>;

/** The real module over Fastify, listening on a free port, with InMemoryOrders below it. (`inject` does not load in Jest.) */
export async function merchantApp(variables: Record<string, string> = {}) {
  const config = parseEnvironment({
    OUR_API_CLIENT_ID: CLIENT.id,
    OUR_API_CLIENT_SECRET: CLIENT.secret,
    OUR_API_CLIENT_ID_PREVIOUS: PREVIOUS_CLIENT.id,
    OUR_API_CLIENT_SECRET_PREVIOUS: PREVIOUS_CLIENT.secret,
    CWS_CLIENT_ID: 'cws-id',
    CWS_CLIENT_SECRET: 'cws-secret',
    CWS_CLIENT_SIGNATURE: 'cws-signature',
    G2A_API_KEY: 'g2a-key',
    G2A_API_SECRET: 'g2a-secret',
    KEY_ENCRYPTION_KEY: Buffer.alloc(32, 42).toString('base64'),
    DEFAULT_FIXED_PROFIT: '0.50',
    DEFAULT_G2A_FEE_PERCENTAGE: '0.15',
    ...variables,
  });
  const orders = new InMemoryOrders();
  const services = [
    ReserveStockService,
    RenewReservationService,
    ReleaseReservationService,
    AcceptOrderService,
    DeliverKeysService,
    ReturnKeysService,
  ];

  @Module({ providers: services.map((provide) => ({ provide, useValue: orders })), exports: services })
  class InMemoryOrdersModule {}

  // Notifications are tested with the whole program: no call here reaches them.
  @Module({
    providers: [{ provide: ReceiveNotificationsService, useValue: {} }],
    exports: [ReceiveNotificationsService],
  })
  class WithoutSyncModule {}

  const testing = await Test.createTestingModule({ imports: [AppConfigModule.forRoot(config), DropshippingModule] })
    .overrideModule(OrdersModule)
    .useModule(InMemoryOrdersModule)
    .overrideModule(SyncModule)
    .useModule(WithoutSyncModule)
    .compile();
  const app = testing.createNestApplication<NestFastifyApplication>(new FastifyAdapter(fastifyOptions(config)));
  configureHttp(app);
  await app.listen(0, '127.0.0.1');
  const { port } = app.getHttpServer().address() as AddressInfo;
  return {
    orders,
    port,
    send: (call: Call) => send(port, call),
    stop: async () => {
      await app.close();
    },
  };
}

function send(port: number, { method = 'GET', url, headers = {}, payload }: Call): Promise<Answer> {
  const json = typeof payload === 'object' ? { 'content-type': 'application/json' } : {};
  const body = typeof payload === 'object' ? JSON.stringify(payload) : (payload ?? '');
  const length = payload === undefined ? {} : { 'content-length': Buffer.byteLength(body) };
  return new Promise((resolve, reject) => {
    const options = { port, host: '127.0.0.1', method, path: url, headers: { ...json, ...length, ...headers } };
    const call = request({ ...options, agent: false }, (answer) => {
      text(answer).then((body) => {
        resolve({
          statusCode: answer.statusCode,
          headers: answer.headers,
          body,
          json: () => JSON.parse(body) as unknown,
        });
      }, reject);
    });
    call.on('error', reject);
    call.end(body);
  });
}
