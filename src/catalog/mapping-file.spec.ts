import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type Cents, cents, formatCents } from '../money/cents.js';
import { CHARM_ENDINGS } from '../pricing/pricing-terms.js';
import { type FileMapping } from './mapping-fields.js';
import { MappingFileError, type MappingFileProblem } from './mapping-file-error.js';
import { parseMappingFile } from './mapping-file.js';

const UUID = '00000000-0000-4000-8000-00000000000a';
const OTHER_UUID = '00000000-0000-4000-9000-00000000000b';
const IDS = { g2aProductId: 10000008939005, cwsProductId: UUID };
const DEFAULTS: FileMapping = {
  g2aProductId: 10000008939005,
  cwsProductIds: [UUID],
  fixedProfit: null,
  profitPercent: null,
  feePercentage: null,
  feeFixed: null,
  minPrice: null,
  maxPrice: null,
  charmEnding: null,
  isEnabled: true,
};

function parseJson(value: unknown): FileMapping[] {
  return parseMappingFile(JSON.stringify(value), 'mappings.json');
}

function refusal(content: string, fileName = 'mappings'): MappingFileError {
  try {
    parseMappingFile(content, fileName);
  } catch (error) {
    if (error instanceof MappingFileError) return error;
    throw error;
  }
  throw new Error('the file was accepted');
}

function problems(content: string, fileName?: string): readonly MappingFileProblem[] {
  return refusal(content, fileName).problems;
}

describe('a mapping file', () => {
  it('needs only the two ids; all else is the default', () => {
    const columns = ['fixedProfit', 'profitPercent', 'feePercentage', 'feeFixed', 'minPrice', 'maxPrice'];
    columns.push('charmEnding', 'enabled');
    expect(parseJson([IDS])).toEqual([DEFAULTS]);
    for (const empty of [null, '', ' ']) {
      const row = { ...IDS, ...Object.fromEntries(columns.map((column) => [column, empty])) };
      expect(parseJson([row])).toEqual([DEFAULTS]);
    }
  });

  it('says every term in words or in numbers, exactly', () => {
    const expected = {
      ...DEFAULTS,
      fixedProfit: 29,
      profitPercent: '7.5',
      feePercentage: '0.15',
      feeFixed: 35,
      minPrice: 100,
      maxPrice: 2147483647,
      charmEnding: '.99',
      isEnabled: false,
    };
    const texts = {
      fixedProfit: '0.29',
      profitPercent: '7.50',
      feePercentage: '0.150',
      feeFixed: '0.35',
      minPrice: '1',
    };
    const numbers = { fixedProfit: 0.29, profitPercent: 7.5, feePercentage: 0.15, feeFixed: 0.35, minPrice: 1 };
    expect(parseJson([{ ...IDS, ...texts, charmEnding: ' .99 ', maxPrice: '21474836.47', enabled: 'FALSE' }])).toEqual([
      expected,
    ]);
    expect(parseJson([{ ...IDS, ...numbers, charmEnding: 0.99, maxPrice: 21474836.47, enabled: false }])).toEqual([
      expected,
    ]);
  });

  it('keeps the order of suppliers, in lower case, however they are separated', () => {
    const expected = [{ ...DEFAULTS, cwsProductIds: [OTHER_UUID, UUID] }];
    const { g2aProductId } = IDS;
    expect(parseJson([{ g2aProductId, cwsProductIds: [OTHER_UUID.toUpperCase(), UUID] }])).toEqual(expected);
    for (const separator of [';', ' ', '|', ' ; ', '\n']) {
      const csv = `g2aProductId,cwsProductIds\n${g2aProductId},"${OTHER_UUID}${separator}${UUID}"\n`;
      expect(parseMappingFile(csv, 'mappings.csv')).toEqual(expected);
    }
  });

  it.each([
    ['a byte order mark', `\uFEFF[${JSON.stringify(IDS)}]`],
    ['leading blank lines', `\n\n [${JSON.stringify(IDS)}]\n`],
    ['CSV', `g2aProductId,cwsProductId\n10000008939005,${UUID}\n`],
    ['CSV with a byte order mark and CRLF', `\uFEFFg2aProductId,cwsProductId\r\n10000008939005,${UUID}\r\n`],
    ['CSV with semicolons', `cwsProductId;g2aProductId\n${UUID};10000008939005`],
    ['CSV with tabs', `cwsProductId\tg2aProductId\tenabled\n${UUID}\t10000008939005\t\n\n`],
    ['CSV with quotes', `"g2aProductId","cwsProductId"\n"10000008939005","${UUID}"\n`],
  ])('may be written with %s', (_, content) => {
    expect(parseMappingFile(content, 'mappings')).toEqual([DEFAULTS]);
  });

  it.each([
    ['', 'the file is empty'],
    ['\uFEFF \n', 'the file is empty'],
    ['[]', 'the file holds no mappings'],
    ['g2aProductId,cwsProductId\n', 'the file holds no mappings'],
  ])('is refused when there is nothing in it: %j', (content, reason) => {
    expect(problems(content)).toEqual([{ line: 1, reason }]);
  });

  it('is all told at once, in the order of the lines', () => {
    const content = `[
      { "g2aProductId": 1, "cwsProductId": "${UUID}" },
      { "g2aProductId": 1,
        "cwsProductId": "x", "feePercentage": "1", "fixedProfit": "-1" },
      { "g2aProductId": 2, "cwsProductId": "${UUID}", "fixedprofit": "1" }, { "enabled": "maybe" }
    ]`;
    expect(refusal(content, 'mine.json').message.split('\n')).toEqual([
      'mine.json has 8 problems; nothing of it was applied:',
      expect.stringMatching(/^ {2}line 3, \[1\]\.cwsProductId: "x" is not a CWS product id/),
      expect.stringMatching(/^ {2}line 3, \[1\]\.fixedProfit: "-1\.00" must not be negative/),
      expect.stringMatching(/^ {2}line 3, \[1\]\.feePercentage: "1" must be below 1/),
      '  line 3, [1].g2aProductId: 1 is already on line 2',
      expect.stringMatching(/^ {2}line 5, \[2\]\.fixedprofit: is not a column of a mapping file/),
      '  line 5, [3].g2aProductId: is required',
      '  line 5, [3].cwsProductIds: is required',
      '  line 5, [3].enabled: "maybe" is neither true nor false',
    ]);
  });

  it('shows fifty problems and counts the rest', () => {
    const rows = Array.from({ length: 60 }, (_, index) => ({ g2aProductId: index + 1, cwsProductId: 'x' }));
    const error = refusal(JSON.stringify(rows));
    expect(error.problems).toHaveLength(60);
    expect(error.message.split('\n')).toHaveLength(52);
    expect(error.message).toMatch(/\n {2}and 10 more$/);
  });
});

describe('a row is refused', () => {
  it.each([
    ['g2aProductId', 2 ** 53, /too large: ids beyond 2\^53/],
    ['g2aProductId', '9007199254740993', /"9007199254740993" is too large/],
    ['g2aProductId', 0, /not a G2A product id/],
    ['g2aProductId', -5, /not a G2A product id/],
    ['g2aProductId', 1.5, /not a G2A product id/],
    ['g2aProductId', '1.00001E+13', /not a G2A product id/],
    ['g2aProductId', '012', /not a G2A product id/],
    ['g2aProductId', true, /not a G2A product id/],
    ['g2aProductId', [1], /not a G2A product id/],
    ['g2aProductId', null, /is required/],
    ['cwsProductId', `${UUID}0`, /not a CWS product id/],
    ['cwsProductId', `{${UUID}}`, /not a CWS product id/],
    ['cwsProductId', `${UUID};${OTHER_UUID}`, /not a CWS product id/],
    ['cwsProductId', 7, /not a CWS product id/],
    ['fixedProfit', '0.505', /at most two decimals/],
    ['fixedProfit', 0.505, /at most two decimals/],
    ['fixedProfit', '0,50', /expected digits with an optional decimal point/],
    ['fixedProfit', '-0.01', /must not be negative/],
    ['fixedProfit', '21474836.48', /too large/],
    ['fixedProfit', true, /not a decimal number/],
    ['fixedProfit', ['1'], /not a decimal number/],
    ['profitPercent', '-1', /must not be negative/],
    ['profitPercent', '7.12345', /more than 4 decimals/],
    ['profitPercent', '100000', /must be below 100000/],
    ['profitPercent', '5%', /not a decimal number/],
    ['feePercentage', '1', /must be below 1/],
    ['feePercentage', 15, /must be below 1/],
    ['feePercentage', '-0.1', /must not be negative/],
    ['feePercentage', '0.1234567', /more than 6 decimals/],
    ['feePercentage', 1e-7, /not a decimal number/],
    ['feeFixed', '-0.35', /"-0\.35" must not be negative/],
    ['feeFixed', '0.355', /at most two decimals/],
    ['charmEnding', '.95', /"\.95" is not one of \.99, \.49/],
    ['charmEnding', '99', /not one of/],
    ['charmEnding', 1.99, /not one of/],
    ['charmEnding', true, /not one of/],
    ['minPrice', '0', /must be above 0/],
    ['maxPrice', '0.00', /must be above 0/],
    ['maxPrice', '-1', /must be above 0/],
    ['enabled', 'yes', /neither true nor false/],
    ['enabled', 2, /neither true nor false/],
    ['enabled', {}, /neither true nor false/],
    ['feePercent', '0.15', /not a column of a mapping file; these are: g2aProductId, /],
    ['__proto__', '0.15', /not a column/],
  ])('for %s %j', (field, value, reason) => {
    const others = Object.entries(IDS).filter(([name]) => name !== field);
    // Not an object literal: that would take __proto__ for a prototype.
    const members = [...others, [field, value]].map(
      ([name, each]) => `${JSON.stringify(name)}: ${JSON.stringify(each)}`,
    );
    const found = problems(`[\n{ ${members.join(', ')} }\n]`);
    expect(found).toEqual([{ line: 2, index: 0, field, reason: expect.stringMatching(reason) }]);
  });

  it('for a product id whose last digits JSON.parse would change', () => {
    expect(problems(`[{ "g2aProductId": 9007199254740993, "cwsProductId": "${UUID}" }]`)).toEqual([
      { line: 1, index: 0, field: 'g2aProductId', reason: expect.stringMatching(/too large/) },
    ]);
  });

  it.each([
    [{ g2aProductId: 1 }, 'cwsProductIds', /is required/],
    [{ g2aProductId: 1, cwsProductIds: [] }, 'cwsProductIds', /at least one/],
    [{ g2aProductId: 1, cwsProductIds: [null] }, 'cwsProductIds', /null is not a CWS product id/],
    [{ g2aProductId: 1, cwsProductIds: [UUID, UUID.toUpperCase()] }, 'cwsProductIds', /is given twice/],
    [{ g2aProductId: 1, cwsProductIds: { 0: UUID } }, 'cwsProductIds', /not a CWS product id/],
    [{ g2aProductId: 1, cwsProductIds: [UUID], cwsProductId: UUID }, 'cwsProductId', /not be given together/],
    [{ ...IDS, minPrice: '2.01', maxPrice: '2.00' }, 'minPrice', /must not be above maxPrice 2\.00/],
  ])('for columns that do not go together: %j', (row, field, reason) => {
    expect(problems(JSON.stringify([row]))).toEqual([
      { line: 1, index: 0, field, reason: expect.stringMatching(reason) },
    ]);
  });

  it.each([[null], [7], ['text'], [[]]])('when it is no object: %j', (row) => {
    expect(problems(JSON.stringify([row]))).toEqual([
      { line: 1, index: 0, reason: expect.stringMatching(/is not an object/) },
    ]);
  });
});

describe('broken JSON', () => {
  const good = `{ "g2aProductId": 1, "cwsProductId": "${UUID}" }`;
  it.each([
    ['one object', good, [[1, /expected a JSON array/]]],
    ['a file that is only named JSON', '\n\nhello', [[3, /expected a JSON array/]]],
    ['a missing comma between rows', `[\n${good}\n${good}\n]`, [[3, /Unexpected non-whitespace character/]]],
    ['a comma after the last row', `[\n${good},\n]`, [[3, /no mapping beside this comma/]]],
    ['a comma before the first row', `[,\n${good}]`, [[1, /no mapping beside this comma/]]],
    ['a comma after the last member', `[\n{\n"g2aProductId": 1,\n}\n]`, [[4, /property name/]]],
    ['an unquoted name', `[${good},\n\n{ g2aProductId: 2 }]`, [[3, /property name/]]],
    ['a word that is none', `[\n{ "enabled": yes }]`, [[2, /is not valid JSON/]]],
    ['a missing end', `[\n${good}`, [[2, /"]" is missing/]]],
    ['an end too many', `[\n${good}\n]\n]`, [[4, /more after the end/]]],
    [
      'a forgotten quotation mark, which hides no later mistake',
      `[\n{\n"g2aProductId": "1,\n"cwsProductId": "${UUID}" },\n{ "g2aProductId": 2 }\n]`,
      [
        [3, /control character/],
        [5, /is required/],
      ],
    ],
    ['brackets and escaped quotes inside a text', `["]\\",[{",\n${good}]`, [[1, /is not an object/]]],
  ] as [string, string, [number, RegExp][]][])('is told by its line: %s', (_, content, expected) => {
    const fileName = content.includes('hello') ? 'mappings.JSON' : 'mappings';
    const found = problems(content, fileName).map(({ line, reason }) => ({ line, reason }));
    expect(found).toEqual(expected.map(([line, reason]) => ({ line, reason: expect.stringMatching(reason) })));
  });
});

describe('broken CSV', () => {
  const header = 'g2aProductId,cwsProductId,enabled';
  it.each([
    ['an unknown column', `${header},price\n1,${UUID},,5`, [[1, 'price', /is not a column/]]],
    ['a column given twice', `${header},enabled\n1,${UUID},,`, [[1, 'enabled', /is a column twice/]]],
    ['no product column', `cwsProductId\n${UUID}\n${UUID}`, [[1, undefined, /column g2aProductId is missing/]]],
    ['no supplier column', `g2aProductId\n1`, [[1, undefined, /cwsProductIds or cwsProductId is missing/]]],
    ['too few values', `${header}\n\n1,${UUID}`, [[3, undefined, /has 2 values, but the header has 3 columns/]]],
    ['too many values', `${header}\n1,${UUID},true,\n`, [[2, undefined, /has 4 values/]]],
    [
      'a row after blank lines and a value of two lines',
      `${header}\n"1\n",${UUID},\n\n0,x,\n`,
      [
        [5, 'g2aProductId', /not a G2A product id/],
        [5, 'cwsProductId', /not a CWS product id/],
      ],
    ],
    [
      'a quotation mark in a value',
      `${header}\nx,${UUID},\n2,${UUID},t"rue\n`,
      [
        [2, 'g2aProductId', /not a G2A product id/],
        [3, undefined, /is not valid CSV/],
      ],
    ],
    [
      'prose',
      'Dear customer\nhello',
      [
        [1, 'Dear customer', /is not a column/],
        [1, undefined, /g2aProductId is missing/],
        [1, undefined, /cwsProductIds or cwsProductId is missing/],
      ],
    ],
  ] as [string, string, [number, string | undefined, RegExp][]][])(
    'is told by its line: %s',
    (_, content, expected) => {
      expect(problems(content)).toEqual(
        expected.map(([line, field, reason]) => ({
          line,
          ...(field && { field }),
          reason: expect.stringMatching(reason),
        })),
      );
    },
  );
});

describe('any valid mapping', () => {
  const decimal = (max: number, decimals: number) =>
    fc
      .integer({ min: 0, max })
      .map((whole) => String(whole / 10 ** decimals))
      .filter((text) => !text.includes('e'));
  const bounds = fc
    .tuple(fc.option(fc.integer({ min: 1, max: 2147483647 })), fc.option(fc.integer({ min: 1, max: 2147483647 })))
    .map(([a, b]) => (a !== null && b !== null && a > b ? ([b, a] as const) : ([a, b] as const)))
    .map(([min, max]) => ({
      minPrice: min === null ? null : cents(min),
      maxPrice: max === null ? null : cents(max),
    }));
  const terms = fc.record({
    g2aProductId: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
    cwsProductIds: fc.uniqueArray(fc.uuid(), { minLength: 1, maxLength: 5 }),
    fixedProfit: fc.option(fc.integer({ min: 0, max: 2147483647 }).map(cents)),
    profitPercent: fc.option(decimal(999_999_999, 4)),
    feePercentage: fc.option(decimal(999_999, 6)),
    feeFixed: fc.option(fc.integer({ min: 0, max: 2147483647 }).map(cents)),
    charmEnding: fc.option(fc.constantFrom(...CHARM_ENDINGS)),
    isEnabled: fc.boolean(),
  });
  const mapping: fc.Arbitrary<FileMapping> = fc.tuple(terms, bounds).map(([rest, both]) => ({ ...rest, ...both }));
  const mappings = fc.uniqueArray(mapping, { minLength: 1, maxLength: 8, selector: (each) => each.g2aProductId });

  function toRow({ isEnabled, fixedProfit, feeFixed, minPrice, maxPrice, ...rest }: FileMapping) {
    const money = (amount: Cents | null) => (amount === null ? null : formatCents(amount));
    return {
      ...rest,
      fixedProfit: money(fixedProfit),
      feeFixed: money(feeFixed),
      minPrice: money(minPrice),
      maxPrice: money(maxPrice),
      enabled: isEnabled,
    };
  }

  it('survives a round trip through JSON', () => {
    fc.assert(
      fc.property(mappings, fc.constantFrom(0, 2), (written, indent) => {
        expect(parseMappingFile(JSON.stringify(written.map(toRow), null, indent), 'mappings.json')).toEqual(written);
      }),
    );
  });

  it('survives a round trip through CSV', () => {
    fc.assert(
      fc.property(
        mappings,
        fc.constantFrom(',', '\t', ';'),
        fc.constantFrom('\n', '\r\n'),
        (written, delimiter, end) => {
          const rows = written.map((each) => ({ ...toRow(each), cwsProductIds: each.cwsProductIds.join('|') }));
          const lines = [Object.keys(rows[0]!), ...rows.map((row) => Object.values(row))];
          const csv = lines.map((values) => values.map((value) => String(value ?? '')).join(delimiter)).join(end);
          expect(parseMappingFile(csv, 'mappings.csv')).toEqual(written);
        },
      ),
    );
  });
});
