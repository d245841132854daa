import { KIND_NAMES } from './burst.mjs';
import { REAL_LIMITS } from './limits.mjs';

const WIDTH = 960;
const HEIGHT = 440;
const TOP = 80;
const BOTTOM = 60;
/** The first seconds, where the order shows, and the whole time. */
const START = { left: 60, width: 300 };
const WHOLE = { left: 430, width: 380 };
const COLORS = { 'sold out': '#b3261e', 'loses money': '#d97706', 'earns less': '#6b7280', 'price cut': '#1d6fb8' };
const DARK = '#111827';
const GRAY = '#374151';
/** More than pixels draw nothing more. */
const MAX_POINTS = 300;
const LABEL_GAP = 16;
/** How far the first panel goes, of the time and number of the urgent ones. */
const START_MARGIN = 1.5;

/** The burst as SVG: how many PATCHes of each kind G2A has got by when, and how many its limit permits at most. */
export function drawBurst({ products, factor, limits, secondsOf, lastUrgentSeconds, drain }) {
  const all = KIND_NAMES.flatMap((name) => secondsOf[name]).sort((a, b) => a - b);
  const lines = [
    { name: 'all', color: DARK, times: all, width: 1.5 },
    ...KIND_NAMES.map((name) => ({ name, color: COLORS[name], times: secondsOf[name], width: 2.5 })),
  ].filter(({ times }) => times.length > 0);
  const stairs = { name: 'permitted', color: GRAY, times: permitted(all, factor), width: 1, isDashed: true };
  const startSeconds = Math.min(lastUrgentSeconds * START_MARGIN, all.at(-1));
  const startCount = Math.max(...KIND_NAMES.map((name) => countUntil(secondsOf[name], startSeconds)), 1);
  const whole = { ...WHOLE, xMax: all.at(-1), yMax: products };
  const share = drain.patchShare === null ? '' : `; ${(drain.patchShare * 100).toFixed(0)} % of it used`;
  const kinds = lines.filter(({ name }) => name !== 'all');
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12">
<rect width="${WIDTH}" height="${HEIGHT}" fill="#ffffff"/>
${[
  text(
    START.left,
    28,
    `${thousands(products)} prices change and 3 % sell out at once: PATCHes that have arrived at G2A`,
    {
      color: DARK,
      size: 16,
    },
  ),
  text(START.left, TOP - 16, 'the first seconds'),
  panel({ ...START, xMax: startSeconds, yMax: startCount }, kinds),
  text(WHOLE.left, TOP - 16, `all of it; dashed: what ${limits.g2a} permits at most${share}`),
  panel(whole, [stairs, ...lines]),
  ...labels(lines, scaleOf(whole).y),
].join('\n')}
</svg>
`;
}

/** When the limit permits which request: one window's at once, the next when that window is over. */
function permitted(times, factor) {
  const { requests, seconds } = REAL_LIMITS.g2a;
  return times.map((_, index) => times[0] + Math.floor(index / (requests * factor)) * seconds);
}

function panel({ left, width, xMax, yMax }, lines) {
  const { x, y } = scaleOf({ left, width, xMax, yMax });
  const right = left + width;
  return [
    ...ticks(xMax, 5).map(
      (at) => `<path d="M${x(at)} ${y(0)}v5" stroke="${GRAY}"/>${text(x(at), y(0) + 20, at, { anchor: 'middle' })}`,
    ),
    ...ticks(yMax, 5).map(
      (at) =>
        `<path d="M${left} ${y(at)}H${right}" stroke="#e5e7eb"/>${text(left - 8, y(at) + 4, thousands(at), { anchor: 'end' })}`,
    ),
    `<path d="M${left} ${TOP}V${y(0)}H${right}" fill="none" stroke="${GRAY}"/>`,
    text(left + width / 2, HEIGHT - 16, 'seconds after the changes', { anchor: 'middle' }),
    ...lines.map((line) => {
      const dashes = line.isDashed ? ' stroke-dasharray="5 4"' : '';
      return `<path d="${steps(line.times, xMax, x, y)}" fill="none" stroke="${line.color}" stroke-width="${line.width}"${dashes}/>`;
    }),
  ].join('\n');
}

function scaleOf({ left, width, xMax, yMax }) {
  return {
    x: (seconds) => round(left + (seconds / xMax) * width),
    y: (count) => round(HEIGHT - BOTTOM - (count / yMax) * (HEIGHT - TOP - BOTTOM)),
  };
}

/** A count that grows by one at each of these times, up to `xMax`. */
function steps(times, xMax, x, y) {
  const count = countUntil(times, xMax);
  const every = Math.max(1, Math.ceil(count / MAX_POINTS));
  const points = times.slice(0, count).flatMap((at, index) => {
    const isDrawn = index % every === 0 || index === count - 1;
    return isDrawn ? [`H${x(at)}V${y(index + 1)}`] : [];
  });
  return `M${x(times[0] ?? 0)} ${y(0)}${points.join('')}${count < times.length ? `H${x(xMax)}` : ''}`;
}

function countUntil(times, seconds) {
  const later = times.findIndex((at) => at > seconds);
  return later === -1 ? times.length : later;
}

/** Beside the end of each line, moved apart where they would cover each other. */
function labels(lines, y) {
  let above = Infinity;
  return lines
    .toSorted((a, b) => a.times.length - b.times.length)
    .map(({ name, color, times }) => {
      above = Math.min(y(times.length) + 4, above - LABEL_GAP);
      return text(WHOLE.left + WHOLE.width + 10, above, `${name}: ${thousands(times.length)}`, { color });
    });
}

function text(x, y, content, { anchor = 'start', color = GRAY, size = 12 } = {}) {
  return `<text x="${x}" y="${y}" text-anchor="${anchor}" fill="${color}" font-size="${size}">${content}</text>`;
}

/** About `count` round numbers from 0 to `max`: steps of 1, 2 or 5 times a power of ten. */
function ticks(max, count) {
  const power = 10 ** Math.floor(Math.log10(max / count));
  const step = [1, 2, 5, 10].map((digit) => digit * power).find((nice) => nice >= max / count);
  return Array.from({ length: Math.floor(max / step) + 1 }, (_, index) => round(index * step));
}

function thousands(count) {
  return count.toLocaleString('en-US');
}

function round(value) {
  return Math.round(value * 10) / 10;
}
