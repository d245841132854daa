import { type FastifyInstance } from 'fastify';
import {
  competitorOffers,
  type G2aBehavior,
  type G2aMarketplace,
  type MarketplaceSettings,
  type OfferPatch,
  type PanelEdit,
  type ProductFee,
  readPrice,
  type Variant,
} from './g2a-marketplace.js';
import { type OfferShape, renderOffer } from './g2a-shapes.js';
import { HttpFault } from './http-fault.js';
import { fields } from './sandbox-server.js';
import { type Traffic } from './traffic.js';
import { toDecimalString } from './wire-money.js';

/** How offers are rendered in the list and in the detail form. */
export interface Shapes {
  list: OfferShape;
  detail: OfferShape;
}

interface ListQuery {
  page?: string;
  itemsPerPage?: string;
  updatedAtFrom?: string;
  type?: string;
  active?: string;
}

const MAX_ITEMS_PER_PAGE = 100;

/** The routes of G2A's seller API v3. */
export function registerG2aRoutes(
  api: FastifyInstance,
  marketplace: G2aMarketplace,
  { shapes, traffic }: { shapes: Shapes; traffic: Traffic<G2aBehavior> },
): void {
  api.get<{ Querystring: ListQuery }>('/v3/sales/offers', (request) => {
    const { updatedAtFrom, type, active } = request.query;
    const page = readCount(request.query.page, 1, 'page');
    const itemsPerPage = readCount(request.query.itemsPerPage, 20, 'itemsPerPage');
    if (itemsPerPage > MAX_ITEMS_PER_PAGE) throw new HttpFault(400, 400, 'itemsPerPage is at most 100.');
    const fromMs = updatedAtFrom === undefined ? 0 : Date.parse(updatedAtFrom);
    if (Number.isNaN(fromMs)) throw new HttpFault(400, 400, 'updatedAtFrom must be an ISO 8601 time.');
    const { offers, total } = marketplace.page(
      (offer) =>
        offer.updatedAtMs >= fromMs &&
        (type === undefined || offer.type === type) &&
        (active === undefined || String(offer.active) === active),
      (page - 1) * itemsPerPage,
      itemsPerPage,
    );
    return {
      data: offers.map((offer) => renderOffer(offer, shapes.list)),
      meta: { page, itemsPerPage, totalResults: total },
    };
  });

  api.get<{ Params: { offerId: string } }>('/v3/sales/offers/:offerId', (request) => {
    const { offerId } = request.params;
    const data = renderOffer(marketplace.offer(offerId), shapes.detail);
    const isMalformed = traffic.behaviors.take('malformedDetail', { subjects: [offerId] });
    return { data: isMalformed ? { ...data, product: null } : data };
  });

  api.patch<{ Params: { offerId: string }; Body: OfferPatch }>(
    '/v3/sales/offers/:offerId',
    { schema: patchSchema },
    (request, reply) => {
      const jobId = marketplace.patch(request.params.offerId, request.body);
      const status = marketplace.settings.patchAnswer;
      return status === 204 ? reply.code(204).send() : reply.code(status).send({ data: { jobId } });
    },
  );

  api.post<{ Body: { variants: [Variant & { productId: string }] } }>(
    '/v3/sales/offers',
    { schema: createSchema },
    (request, reply) => {
      const { productId, ...variant } = request.body.variants[0];
      const created = marketplace.create(Number(productId), variant);
      const lost = traffic.behaviors.take('losesAnswerOfCreate', { subjects: [productId] });
      if (lost) return traffic.loseAnswer(request, reply, lost.hangs);
      if ('jobId' in created) return reply.code(202).send({ data: created });
      const offerId = created.existingOfferId;
      return reply.code(409).send({ code: 'BR02', message: 'The offer exists already.', data: { offerId } });
    },
  );

  api.get<{ Params: { jobId: string } }>('/v3/jobs/:jobId', (request) => ({
    data: marketplace.job(request.params.jobId),
  }));

  api.get<{ Querystring: { productId?: string; price?: string } }>('/v3/pricing/simulations', (request) => {
    const priceCents = readPrice(request.query.price ?? '');
    const fee = marketplace.feeOf(Number(request.query.productId));
    if (fee.lie !== undefined) return fee.lie;
    const form = (cents: number) => (shapes.list.price === 'number' ? cents / 100 : toDecimalString(cents));
    const incomeAt = (percent?: number) => form(marketplace.incomeCents(priceCents, fee, percent));
    const byCountry: [string, unknown][] = Object.entries(fee.feePercentByCountry ?? {}).map(([country, percent]) => [
      country,
      incomeAt(percent),
    ]);
    return {
      income: byCountry.length > 0 ? Object.fromEntries<unknown>(byCountry) : { ALL: incomeAt() },
      businessIncome: { ALL: incomeAt(fee.businessFeePercent) },
      // What the buyer pays; the mark-up of 15 % is invented, the spelling is G2A's.
      finalePrice: { PL: form(Math.ceil((priceCents * 115) / 100)) },
    };
  });

  api.get<{ Params: { productId: string } }>('/v3/products/:productId/offers', (request) => ({
    data: competitorOffers(marketplace.numberOf(Number(request.params.productId))).map((offer) => ({
      id: offer.id,
      price: { retail: { base: { value: toDecimalString(offer.cents), currencyCode: 'EUR' } } },
      seller: { name: offer.seller },
      inventory: { range: offer.range },
    })),
  }));
}

/** The control routes only this server has. */
export function registerG2aControl(app: FastifyInstance, marketplace: G2aMarketplace, shapes: Shapes): void {
  app.get<{ Params: { offerId: string } }>('/_sandbox/offers/:offerId', (request) =>
    marketplace.offer(request.params.offerId),
  );
  app.post<{ Params: { offerId: string }; Body: PanelEdit }>(
    '/_sandbox/offers/:offerId',
    { schema: panelSchema },
    (request) => marketplace.edit(request.params.offerId, request.body),
  );
  app.get<{ Querystring: { offerId?: string; from?: string } }>('/_sandbox/patches', (request) =>
    marketplace.patches(request.query.offerId).slice(Number(request.query.from ?? 0)),
  );
  app.post<{ Params: { productId: string }; Body: ProductFee }>(
    '/_sandbox/products/:productId/fee',
    { schema: feeSchema },
    (request, reply) => {
      marketplace.setFee(Number(request.params.productId), request.body);
      return reply.code(204).send();
    },
  );
  app.post<{ Body: Partial<MarketplaceSettings & Shapes> }>(
    '/_sandbox/settings',
    { schema: settingsSchema },
    (request) => {
      const { list, detail, ...settings } = request.body;
      Object.assign(shapes, { list: list ?? shapes.list, detail: detail ?? shapes.detail });
      return { ...Object.assign(marketplace.settings, settings), ...shapes };
    },
  );
}

const price = { type: 'string', pattern: '^\\d{1,7}(\\.\\d{1,2})?$' };
const variantProperties = {
  price: { type: 'object', properties: { retail: price, business: price }, additionalProperties: false },
  inventory: {
    type: 'object',
    required: ['size'],
    properties: { size: { type: 'integer', minimum: 0, maximum: 10_000 } },
  },
  active: { type: 'boolean' },
  visibility: { enum: ['all', 'retail', 'business'] },
};

const patchSchema = fields(
  {
    offerType: { type: 'string' },
    variant: { type: 'object', properties: variantProperties, additionalProperties: false },
  },
  ['offerType', 'variant'],
);

const createSchema = fields(
  {
    offerType: { const: 'dropshipping' },
    variants: {
      type: 'array',
      minItems: 1,
      maxItems: 1,
      items: {
        type: 'object',
        required: ['productId', 'price'],
        properties: { productId: { type: 'string', pattern: '^\\d{14}$' }, ...variantProperties },
        additionalProperties: false,
      },
    },
  },
  ['offerType', 'variants'],
);

const panelSchema = fields({
  active: { type: 'boolean' },
  size: { type: 'integer', minimum: 0 },
  sold: { type: 'integer', minimum: 0 },
  price,
  businessPrice: price,
  visibility: { enum: ['all', 'retail', 'business'] },
  priceLimit: { type: 'object', properties: { min: price, max: price }, additionalProperties: false },
  gone: { type: 'boolean' },
});

const percent = { type: 'number', minimum: 0, maximum: 100 };

const feeSchema = fields({
  feePercent: percent,
  businessFeePercent: percent,
  feeFixedCents: { type: 'integer', minimum: 0 },
  feePercentByCountry: { type: 'object', additionalProperties: percent },
  lie: {},
});

const shape = {
  type: 'object',
  properties: {
    price: { enum: ['string', 'number', 'nested', 'countryMap', 'variants'] },
    productId: { enum: ['string', 'number'] },
    omitsActive: { type: 'boolean' },
    omitsType: { type: 'boolean' },
  },
  additionalProperties: false,
};

const settingsSchema = fields({
  applyDelayMs: { type: 'integer', minimum: 0 },
  patchAnswer: { enum: [200, 202, 204] },
  finishedJobStatus: { enum: ['complete', 'done'] },
  feePercent: percent,
  clockOffsetMs: { type: 'integer' },
  list: shape,
  detail: shape,
});

function readCount(text: string | undefined, fallback: number, name: string): number {
  const count = text === undefined ? fallback : Number(text);
  if (!Number.isInteger(count) || count < 1) throw new HttpFault(400, 400, `${name} must be a whole number from 1.`);
  return count;
}
