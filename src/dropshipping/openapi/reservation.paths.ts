import type { PathsObject } from '@nestjs/swagger';
import { RESERVATION_ID } from './parameters.js';
import { json, noContent, refusalsWithBody } from './responses.js';
import { ref } from './schemas.js';

export const reservationPaths: PathsObject = {
  '/reservation': {
    post: {
      operationId: 'createReservation',
      tags: ['Reservation'],
      summary: 'Holds stock of all named products, or of none.',
      requestBody: { required: true, content: { 'application/json': { schema: ref('ReservationRequest') } } },
      responses: {
        200: json('The reservation.', ref('Reservation')),
        ...refusalsWithBody({
          400: ['insufficient_stock', 'price_too_low', 'balance_too_low'],
          404: ['product_not_found'],
          503: ['service_paused', 'stock_unknown', 'no_exchange_rate'],
        }),
      },
    },
  },
  '/reservation/{reservation_id}': {
    put: {
      operationId: 'renewReservation',
      tags: ['Reservation'],
      summary: 'Gives a reservation a new expiry, an expired one after a new look at the stock.',
      parameters: [RESERVATION_ID],
      responses: {
        200: json('The reservation.', ref('Reservation')),
        ...refusalsWithBody({
          400: ['reservation_ordered', 'insufficient_stock', 'price_too_low', 'balance_too_low'],
          404: ['reservation_not_found', 'product_not_found'],
          503: ['service_paused', 'stock_unknown', 'no_exchange_rate'],
        }),
      },
    },
    delete: {
      operationId: 'releaseReservation',
      tags: ['Reservation'],
      summary: 'Frees the stock that a reservation holds.',
      parameters: [RESERVATION_ID],
      responses: {
        204: noContent('It is released.'),
        ...refusalsWithBody({ 400: ['reservation_ordered'], 404: ['reservation_not_found'] }),
      },
    },
  },
};
