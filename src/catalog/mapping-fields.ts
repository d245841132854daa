import { Big } from 'big.js';
import { type Cents, formatCents, InvalidAmountError, NO_CENTS, parseCents } from '../money/cents.js';
import {
  CHARM_ENDINGS,
  type CharmEnding,
  InvalidPricingTermError,
  parseFeeRate,
  parseProfitPercent,
  type PricingTerms,
  resolveTerms,
} from '../pricing/pricing-terms.js';

/** A product mapping as a mapping file states it. A null term means the default from the environment. */
export interface FileMapping {
  readonly g2aProductId: number;
  /** Lower-case UUIDs; among equally cheap suppliers the first is used. */
  readonly cwsProductIds: readonly string[];
  readonly fixedProfit: Cents | null;
  /** Percent of cost, as the shortest decimal text: "7.5". */
  readonly profitPercent: string | null;
  /** Fraction of the price, as the shortest decimal text: "0.15". */
  readonly feePercentage: string | null;
  /** What G2A keeps of each sale on top of that. */
  readonly feeFixed: Cents | null;
  readonly minPrice: Cents | null;
  readonly maxPrice: Cents | null;
  readonly charmEnding: CharmEnding | null;
  readonly isEnabled: boolean;
}

/** Every column that a mapping file may have. */
export const MAPPING_COLUMNS = [
  'g2aProductId',
  'cwsProductIds',
  'cwsProductId',
  'fixedProfit',
  'profitPercent',
  'feePercentage',
  'feeFixed',
  'minPrice',
  'maxPrice',
  'charmEnding',
  'enabled',
] as const;
export type MappingColumn = (typeof MAPPING_COLUMNS)[number];

/** What one column of a row holds wrongly. */
export interface FieldProblem {
  readonly field: MappingColumn;
  readonly reason: string;
}

/** Largest amount of the database's integer columns. */
const MAX_CENTS = 2_147_483_647;
/** The column is numeric(9, 4). */
const PROFIT_PERCENT_LIMIT = 100_000;
const MAX_SUPPLIERS = 100;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const SWITCH_POSITIONS = new Map([
  ['true', true],
  ['1', true],
  ['false', false],
  ['0', false],
]);

/** Terms that are always in range, so that resolveTerms judges only what a mapping adds to them. */
const NEUTRAL_TERMS: PricingTerms = {
  fixedProfit: NO_CENTS,
  profitPercent: parseProfitPercent('0'),
  feePercentage: parseFeeRate('0'),
  feeFixed: NO_CENTS,
  minPrice: null,
  maxPrice: null,
};

class InvalidFieldError extends Error {}

/**
 * Reads one row: values of JSON, or texts of CSV. Null, an empty text and absence all mean the default.
 * @returns the mapping, or everything that is wrong with it. The G2A product id is returned whenever it is readable.
 */
export function parseFileMapping(values: Readonly<Partial<Record<MappingColumn, unknown>>>): {
  g2aProductId: number | null;
  mapping: FileMapping | null;
  problems: readonly FieldProblem[];
} {
  const problems: FieldProblem[] = [];
  const read = <T>(field: MappingColumn, parse: (value: unknown, field: MappingColumn) => T): T | null => {
    if (isAbsent(values[field])) return null;
    try {
      return parse(values[field], field);
    } catch (error) {
      problems.push({ field, reason: reasonOf(error) });
      return null;
    }
  };
  const required = <T>(field: MappingColumn, value: T | null): T | null => {
    if (value === null && !problems.some((problem) => problem.field === field)) {
      problems.push({ field, reason: 'is required' });
    }
    return value;
  };

  const g2aProductId = required('g2aProductId', read('g2aProductId', parseProductId));
  if (!isAbsent(values.cwsProductId) && !isAbsent(values.cwsProductIds)) {
    problems.push({ field: 'cwsProductId', reason: 'must not be given together with cwsProductIds' });
  }
  const single = read('cwsProductId', (value) => [parseSupplierId(value)]);
  const suppliers = read('cwsProductIds', parseSupplierIds);
  const cwsProductIds = isAbsent(values.cwsProductId) ? required('cwsProductIds', suppliers) : single;

  const terms = {
    fixedProfit: read('fixedProfit', parseAmount),
    profitPercent: read('profitPercent', parsePercent),
    feePercentage: read('feePercentage', parseFee),
    feeFixed: read('feeFixed', parseAmount),
    minPrice: read('minPrice', parseAmount),
    maxPrice: read('maxPrice', parseAmount),
    charmEnding: read('charmEnding', parseCharmEnding),
  };
  // Each bound was checked by itself above; a bad one is null here.
  read('minPrice', () => resolveTerms(NEUTRAL_TERMS, { minPrice: terms.minPrice, maxPrice: terms.maxPrice }));
  const isEnabled = read('enabled', parseSwitch) ?? true;

  const isComplete = problems.length === 0 && g2aProductId !== null && cwsProductIds !== null;
  return { g2aProductId, problems, mapping: isComplete ? { g2aProductId, cwsProductIds, ...terms, isEnabled } : null };
}

function isAbsent(value: unknown): boolean {
  return value === undefined || value === null || (typeof value === 'string' && value.trim() === '');
}

function reasonOf(error: unknown): string {
  if (error instanceof InvalidPricingTermError) return `"${error.value}" ${error.reason}`;
  if (error instanceof InvalidAmountError || error instanceof InvalidFieldError) return error.message;
  throw error;
}

/** JSON.parse rounds a number beyond 2^53 silently, always to one that is refused here. */
function parseProductId(value: unknown): number {
  const id = typeof value === 'string' && /^[1-9]\d*$/.test(value.trim()) ? Number(value) : value;
  if (typeof id !== 'number' || !Number.isInteger(id) || id < 1) {
    throw new InvalidFieldError(`${quote(value)} is not a G2A product id: expected digits such as 10000008939005`);
  }
  if (!Number.isSafeInteger(id)) {
    throw new InvalidFieldError(`${quote(value)} is too large: ids beyond 2^53 cannot be held exactly`);
  }
  return id;
}

function parseSupplierIds(value: unknown): string[] {
  const items: readonly unknown[] =
    typeof value === 'string' ? splitIds(value) : Array.isArray(value) ? value : [value];
  if (items.length === 0) throw new InvalidFieldError('needs at least one CWS product id');
  if (items.length > MAX_SUPPLIERS) throw new InvalidFieldError(`has more than ${MAX_SUPPLIERS} ids`);
  const ids = items.map(parseSupplierId);
  const repeated = ids.find((id, index) => ids.indexOf(id) !== index);
  if (repeated !== undefined) throw new InvalidFieldError(`${quote(repeated)} is given twice`);
  return ids;
}

function splitIds(text: string): string[] {
  return text.split(/[\s;|]+/).filter((id) => id !== '');
}

function parseSupplierId(value: unknown): string {
  const id = typeof value === 'string' ? value.trim().toLowerCase() : '';
  if (!UUID.test(id)) throw new InvalidFieldError(`${quote(value)} is not a CWS product id: expected a UUID`);
  return id;
}

function parseAmount(value: unknown, field: MappingColumn): Cents {
  const amount = parseCents(decimalText(value), 'exact');
  if (amount > MAX_CENTS) throw new InvalidFieldError(`${quote(value)} is too large: at most 21474836.47`);
  resolveTerms(NEUTRAL_TERMS, { [field]: amount });
  return amount;
}

function parsePercent(value: unknown): string {
  const text = decimalText(value);
  parseProfitPercent(text);
  if (new Big(text).gte(PROFIT_PERCENT_LIMIT)) {
    throw new InvalidFieldError(`${quote(value)} is too large: must be below ${PROFIT_PERCENT_LIMIT}`);
  }
  return shortestDecimal(text);
}

function parseFee(value: unknown): string {
  const text = decimalText(value);
  parseFeeRate(text);
  return shortestDecimal(text);
}

/** A spreadsheet, and JSON without quotes, turn .99 into 0.99. */
function parseCharmEnding(value: unknown): CharmEnding {
  const text = (typeof value === 'number' ? String(value) : typeof value === 'string' ? value.trim() : '').replace(
    /^0/,
    '',
  );
  const ending = CHARM_ENDINGS.find((known) => known === text);
  if (ending === undefined) throw new InvalidFieldError(`${quote(value)} is not one of ${CHARM_ENDINGS.join(', ')}`);
  return ending;
}

/** Also turns "-0" into "0". */
function shortestDecimal(notNegative: string): string {
  return new Big(notNegative).abs().toFixed();
}

function decimalText(value: unknown): string {
  if (typeof value === 'number') return String(value);
  if (typeof value === 'string') return value.trim();
  throw new InvalidFieldError(`${quote(value)} is not a decimal number such as 0.15`);
}

function parseSwitch(value: unknown): boolean {
  const position = SWITCH_POSITIONS.get(String(value).trim().toLowerCase());
  if (position === undefined) throw new InvalidFieldError(`${quote(value)} is neither true nor false`);
  return position;
}

function quote(value: unknown): string {
  return typeof value === 'string' ? `"${value.trim()}"` : JSON.stringify(value);
}

/** The mapping in the words and texts of a mapping file, for people: null is the default. */
export function describeMapping(mapping: FileMapping): Record<string, string | boolean | null> {
  const money = (amount: Cents | null) => (amount === null ? null : formatCents(amount));
  return {
    cwsProductIds: mapping.cwsProductIds.join(' '),
    fixedProfit: money(mapping.fixedProfit),
    profitPercent: mapping.profitPercent,
    feePercentage: mapping.feePercentage,
    feeFixed: money(mapping.feeFixed),
    minPrice: money(mapping.minPrice),
    maxPrice: money(mapping.maxPrice),
    charmEnding: mapping.charmEnding,
    enabled: mapping.isEnabled,
  };
}
