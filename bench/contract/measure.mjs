import { performance } from 'node:perf_hooks';
import { exchange } from '../support/http.mjs';
import { median } from '../support/statistics.mjs';
import { maximumRate, paced, together } from './load.mjs';
import { metered } from './processor-time.mjs';
import { APPLICATION_NAME, CWS_LATENCY_MS, LIMIT_APPLICATION_NAME } from './stage.mjs';
import { describeSteps, stepsOf, withStatementLog } from './statements.mjs';

/** Orders whose inventory is read; more than are read at once by far. */
const INVENTORY_ORDERS = 320;
/** Different requests of a route that takes the same one again. */
const VARIANTS = 1_000;
/** Until both sides are compiled: the program keeps getting faster for about that long. */
const WARM_UP_SECONDS = 8;
/** Of a run at half the maximum rate: a whole pass of the feed, whose work customers are to wait for. A shorter one may see none of it. */
export const PACED_SECONDS = 5;
/** What CodesWholesale may do while customers pay. The purchases of the later ones end unclear and are looked up for long: last of all. */
const TROUBLES = [
  {
    name: 'takes 2 s',
    begin: (cws) => cws.setLatency(2_000),
    end: (cws) => cws.setLatency(CWS_LATENCY_MS),
  },
  { name: 'answers 500', begin: (cws) => cws.behave({ name: 'answers500' }), end: (cws) => cws.behaveWell() },
  {
    name: 'hangs',
    begin: (cws) => cws.behave({ name: 'losesRequest', hangs: true }),
    end: (cws) => cws.behaveWell(),
  },
];
/** Most orders of one measurement: each needs a reservation beforehand and is bought afterwards. */
const MAX_ORDERS = 960;

/** What each route is asked for, and what its figures must reach. */
const ROUTES = {
  healthcheck: { status: 204, targets: {} },
  token: { status: 200, targets: {} },
  reservation: { status: 200, targets: { ratio: 0.5 } },
  order: { status: 202, targets: {} },
  inventory: { status: 200, targets: { ratio: 0.6 } },
};
export const P99_LIMIT_MS = 50;
export const ORDER_MEDIAN_LIMIT_MS = 50;

/**
 * Measures the routes one after the other.
 * @returns one result per route: rates of both sides, ratio, statements, errors, and latencies at half the maximum rate.
 */
export async function measureRoutes(stage, customers, options, log) {
  const orderIds = options.only.includes('inventory') ? await customers.completedOrders(INVENTORY_ORDERS) : [];
  log('counting the SQL statements of each route');
  const recipes = await readRecipes(stage, customers, options.only, orderIds);
  const limit = await stage.startLimit(recipes);
  const results = [];
  for (const recipe of recipes) {
    log(`measuring ${recipe.name} (statements: ${describeSteps(recipe.steps)})`);
    results.push(await measure({ stage, customers, limit, recipe, orderIds, options }));
  }
  const orders = results.find(({ name }) => name === 'order');
  if (orders !== undefined) {
    orders.troubles = [];
    for (const trouble of TROUBLES) {
      log(`measuring order while CodesWholesale ${trouble.name}`);
      const { ratePerSecond: rate } = orders;
      const run = together([await atHalfRate({ stage, customers, name: 'order', rate, orderIds, options, trouble })]);
      orders.troubles.push({ name: trouble.name, ...run });
      orders.errors += run.errors;
      orders.missed.push(...missedInTrouble(trouble, run));
      if (trouble === TROUBLES[0]) await customers.purchasesDone();
    }
  }
  return { results, poolSize: limit.poolSize };
}

async function readRecipes(stage, customers, names, orderIds) {
  return withStatementLog(stage.admin, async () => {
    const recipes = [];
    for (const name of names) {
      const { status } = ROUTES[name];
      let answer;
      const prepare = async () => {
        const [request] = await requestsOf(name, customers, orderIds, 1);
        return async () => {
          const response = await exchange(stage.app.url, request);
          if (response.status !== status) throw new Error(`${name}: ${response.status} ${response.body}`);
          if (name === 'order') customers.countOrders(1);
          answer = { method: request.method, body: response.body };
        };
      };
      const steps = await stepsOf(stage.logFile, APPLICATION_NAME, prepare);
      const json = answer.body === '' ? null : JSON.parse(answer.body);
      recipes.push({ name, method: answer.method, status, answer: json, steps });
      await customers.purchasesDone();
    }
    return recipes;
  });
}

/** Requests of one route; an order's can be sent only once. */
async function requestsOf(name, customers, orderIds, count) {
  if (name === 'order') return (await customers.reserve(count)).map((reservationId) => customers.order(reservationId));
  if (name === 'inventory') return orderIds.map((orderId) => customers.inventory(orderId));
  return Array.from({ length: count }, () => customers[name]());
}

async function measure({ stage, customers, limit, recipe, orderIds, options }) {
  const { name } = recipe;
  const { connections, seconds, rounds } = options;
  const limitRequests = (await requestsOf(name === 'order' ? 'reservation' : name, customers, orderIds, VARIANTS)).map(
    ({ headers, body }) => ({ method: recipe.method, path: `/limit/${name}`, headers, body }),
  );
  const sides = {
    ours: ordersOrNot(name, { stage, customers, orderIds, connections }),
    limit: (forSeconds) =>
      metered({ ...stage, pid: limit.pid, applicationName: LIMIT_APPLICATION_NAME }, () =>
        maximumRate(limit.url, limitRequests, { connections, seconds: forSeconds }),
      ),
  };

  const before = await stage.cws.counters();
  const startedAt = Date.now();
  let expected = (await sides.ours(WARM_UP_SECONDS, 160)).rate;
  await sides.limit(WARM_UP_SECONDS);
  const runs = { ours: [], limit: [] };
  for (let round = 0; round < rounds; round += 1) {
    runs.ours.push(await sides.ours(seconds, expected));
    runs.limit.push(await sides.limit(seconds));
    expected = runs.ours.at(-1).rate;
  }
  const rates = { ours: median(runs.ours.map(({ rate }) => rate)), limit: median(runs.limit.map(({ rate }) => rate)) };
  const rate = rates.ours;
  const paces = { ours: [], limit: [] };
  for (let round = 0; round < rounds; round += 1) {
    paces.ours.push(await atHalfRate({ stage, customers, name, rate, orderIds, options }));
    const pace = { connections, rate: rate / 2, seconds: PACED_SECONDS };
    paces.limit.push(await paced(limit.url, inTurn(limitRequests), pace));
  }
  const half = together(paces.ours);
  const limitHalf = together(paces.limit);
  const cwsProductRequests = productRequests(await stage.cws.counters()) - productRequests(before);
  const measuredSeconds = (Date.now() - startedAt) / 1000;
  if (name === 'order') await customers.purchasesDone();

  const ratio = rates.ours / rates.limit;
  const errors = [...runs.ours, ...runs.limit, half, limitHalf].reduce((sum, run) => sum + run.errors, 0);
  return {
    name,
    statements: recipe.steps.length,
    steps: recipe.steps,
    ratePerSecond: rates.ours,
    limitPerSecond: rates.limit,
    ratio,
    ratioTarget: ROUTES[name].targets.ratio ?? null,
    rounds: { ours: runs.ours.map(({ rate }) => rate), limit: runs.limit.map(({ rate }) => rate) },
    processorMs: { ours: medianCost(runs.ours), limit: medianCost(runs.limit) },
    halfRate: half,
    limitHalfRate: limitHalf,
    errors,
    cwsProductRequests,
    measuredSeconds,
    missed: missedTargets({ name, ratio, errors, half }),
  };
}

/** Always another one of these. */
function inTurn(requests) {
  let sent = 0;
  return () => requests[sent++ % requests.length];
}

/** @param trouble what CodesWholesale does meanwhile; default: nothing out of the ordinary. */
async function atHalfRate({ stage, customers, name, rate, orderIds, options, trouble }) {
  const { connections } = options;
  const seconds = PACED_SECONDS;
  const wanted = Math.min(Math.round((rate / 2) * seconds), name === 'order' ? MAX_ORDERS : Infinity);
  const requests = await requestsOf(name, customers, orderIds, name === 'order' ? wanted : VARIANTS);
  let sent = 0;
  const next = name === 'order' ? () => requests[sent++] ?? null : inTurn(requests);
  await trouble?.begin(stage.cws);
  try {
    const run = await paced(stage.app.url, next, { connections, rate: rate / 2, seconds });
    if (name === 'order') customers.countOrders(run.times.length - run.errors);
    return run;
  } finally {
    await trouble?.end(stage.cws);
  }
}

/** A route at full speed. Orders come in a number that takes about as long, and are bought before the next measurement. */
function ordersOrNot(name, { stage, customers, orderIds, connections }) {
  const metering = { ...stage, pid: stage.app.pid, applicationName: APPLICATION_NAME };
  if (name !== 'order') {
    const requests = requestsOf(name, customers, orderIds, VARIANTS);
    return async (seconds) => {
      const load = await requests;
      return metered(metering, () => maximumRate(stage.app.url, load, { connections, seconds }));
    };
  }
  return async (seconds, expectedRate) => {
    const perConnection = Math.ceil(Math.min(expectedRate * seconds, MAX_ORDERS) / connections);
    const amount = perConnection * connections;
    const requests = await requestsOf(name, customers, orderIds, amount);
    const startedAt = performance.now();
    const run = await metered(metering, () => maximumRate(stage.app.url, requests, { connections, amount }));
    customers.countOrders(amount - run.errors);
    await customers.purchasesDone();
    // What can be sustained: an order is done when its keys are bought.
    return { ...run, rate: run.count / ((performance.now() - startedAt) / 1000) };
  };
}

function productRequests(counters) {
  return Object.entries(counters).reduce(
    (sum, [route, { requests }]) => (route.startsWith('GET /v3/products') ? sum + requests : sum),
    0,
  );
}

function medianCost(runs) {
  const costs = runs.flatMap(({ processorMs }) => processorMs ?? []);
  if (costs.length === 0) return null;
  return { server: median(costs.map(({ server }) => server)), database: median(costs.map(({ database }) => database)) };
}

function missedTargets({ name, ratio, errors, half }) {
  const target = ROUTES[name].targets.ratio;
  return [
    ...(target !== undefined && ratio < target ? [`ratio ${ratio.toFixed(2)} below ${target}`] : []),
    ...(errors > 0 ? [`${errors} errors`] : []),
    ...(half.unsent > 0 ? [`${half.unsent} requests never sent at half the maximum rate`] : []),
    ...(half.p99 >= P99_LIMIT_MS ? [`p99 ${half.p99.toFixed(0)} ms at half the maximum rate`] : []),
  ];
}

function missedInTrouble(trouble, { median: middle, errors }) {
  return [
    ...(middle >= ORDER_MEDIAN_LIMIT_MS ? [`median ${middle.toFixed(0)} ms while CodesWholesale ${trouble.name}`] : []),
    ...(errors > 0 ? [`${errors} errors while CodesWholesale ${trouble.name}`] : []),
  ];
}
