import { openStage } from './contract/stage.mjs';
import { writeFileSync } from 'node:fs'; import { AUTHORIZATION } from './support/stage.mjs'; import { PRODUCTS } from './contract/stage.mjs';
const stage = await openStage({ profile: process.env.PROF, log: console.error });
writeFileSync('/tmp/hold.json', JSON.stringify({ url: stage.url, app: stage.app.url, pid: stage.app.pid, auth: AUTHORIZATION, databaseName: stage.databaseName }));
console.error('held');
process.once('SIGTERM', async () => { await stage.close(); process.exit(0); });
setInterval(() => {}, 1000);
