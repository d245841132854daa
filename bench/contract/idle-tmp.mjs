import { openStage } from './stage.mjs';
import { readFileSync, readdirSync } from 'node:fs';
import { execSync } from 'node:child_process';
const s = await openStage({ log: console.error });
const snap = () => { const m = new Map(); for (const p of readdirSync('/proc')) if (/^\d+$/.test(p)) { try { const f = readFileSync(`/proc/${p}/stat`, 'utf8').split(') ')[1].split(' '); m.set(p, [(+f[11] + +f[12]) * 10, readFileSync(`/proc/${p}/cmdline`, 'utf8').replace(/\0/g, ' ').slice(-60)]); } catch {} } return m; };
await new Promise(r => setTimeout(r, 8000));
const a = snap(); await new Promise(r => setTimeout(r, 20000)); const b = snap();
let t = 0; for (const [p, [ms, cmd]] of b) { const d = ms - (a.get(p)?.[0] ?? 0); if (d > 20) { console.log(d / 20, 'ms/s', p, cmd); } t += d; }
console.log('total ms/s', t / 20);
await s.close();
