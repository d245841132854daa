import { cwsProductId, g2aProductId } from '../../sandbox/catalog.js';
import { Customer } from '../../sandbox/customer.js';
import { environment, type Keyferry, OUR_CLIENT, startKeyferry } from '../support/keyferry.js';
import { type Program, startProgram } from '../support/program.js';
import { expectReserved, reservationSteps } from '../support/reservation-steps.js';

let keyferry: Keyferry;
const { restock } = reservationSteps(() => keyferry);

describe('many customers at once', () => {
  beforeAll(async () => {
    keyferry = await startKeyferry();
    for (const game of [2, 3]) await restock(game, 50);
    // Two mappings of one supplier product.
    await keyferry.sql('UPDATE product_mapping_suppliers SET cws_product_id = $1 WHERE g2a_product_id = $2', [
      cwsProductId(2),
      g2aProductId(3),
    ]);
    await keyferry.sync();
  });
  afterAll(() => keyferry.stop());

  it('get each key once from five programs on one database, through two mappings of the same supplier product', async () => {
    const programs: Program[] = await Promise.all(
      Array.from({ length: 5 }, () =>
        startProgram({
          ...environment(keyferry.cws.url, keyferry.g2a.url),
          DATABASE_URL: keyferry.database.url,
        }),
      ),
    );
    try {
      const customers = programs.map(
        ({ url }) => new Customer({ baseUrl: url, ...OUR_CLIENT, answerTimeoutMs: 30_000 }),
      );
      await Promise.all(customers.map((customer) => customer.token()));
      const answers = await Promise.all(
        Array.from({ length: 200 }, (_, call) =>
          customers[call % 5]!.reserve([{ productId: g2aProductId(2 + (call % 2)), quantity: 1 }]),
        ),
      );
      expectReserved(answers, 50);
    } finally {
      await Promise.all(programs.map((program) => program.end('SIGTERM')));
    }
  }, 180_000);
});
