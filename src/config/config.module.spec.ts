import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Injectable, Module } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { getMetadataStorage } from 'class-validator';
import { AppConfig } from './app-config.js';
import { AppConfigModule, loadConfig, loadDatabaseConfig } from './config.module.js';
import { ConfigurationError } from './configuration-error.js';
import { Environment, parseEnvironment } from './environment.js';

const EXAMPLE = new URL('../../.env.example', import.meta.url);
const VARIABLES = new Set(
  getMetadataStorage()
    .getTargetValidationMetadatas(Environment, '', false, false)
    .map(({ propertyName }) => propertyName),
);
const FILLED_IN: Record<string, string> = {
  OUR_API_CLIENT_ID: 'g2a',
  OUR_API_CLIENT_SECRET: 'sixteen-or-more-characters',
  CWS_CLIENT_ID: 'cws-id',
  CWS_CLIENT_SECRET: 'cws-secret',
  CWS_CLIENT_SIGNATURE: 'cws-signature',
  G2A_API_KEY: 'g2a-key',
  G2A_API_SECRET: 'g2a-secret',
  KEY_ENCRYPTION_KEY: Buffer.alloc(32, 7).toString('base64'),
  DEFAULT_FIXED_PROFIT: '0.50',
  DEFAULT_G2A_FEE_PERCENTAGE: '0.15',
};

function fillIn(example: string): string {
  return example.replace(/^([A-Z0-9_]+)=$/gm, (line, name: string) => `${line}${FILLED_IN[name] ?? ''}`);
}

describe('.env.example', () => {
  it('names exactly the variables that exist, each once', async () => {
    const example = await readFile(EXAMPLE, 'utf8');
    const named = [...example.matchAll(/^#?([A-Z0-9_]+)=/gm)].map(([, name]) => name);
    expect(named.sort()).toEqual([...VARIABLES].sort());
  });

  it('leaves exactly the required variables to be filled in, and then parses', async () => {
    const example = await readFile(EXAMPLE, 'utf8');
    expect(Object.keys(parseEnv(example)).sort()).toEqual(Object.keys(FILLED_IN).sort());
    expect(parseEnvironment(parseEnv(fillIn(example)))).toEqual(parseEnvironment(FILLED_IN));
  });

  it('shows the true default of every other variable', async () => {
    const example = await readFile(EXAMPLE, 'utf8');
    const uncommented = parseEnv(fillIn(example.replace(/^#([A-Z0-9_]+=)/gm, '$1')));
    expect(Object.keys(uncommented)).toHaveLength(VARIABLES.size);
    expect(parseEnvironment(uncommented)).toEqual(parseEnvironment(FILLED_IN));
  });
});

describe('Loading the configuration', () => {
  const environmentBefore = { ...process.env };
  const directoryBefore = process.cwd();
  let directory: string;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'keyferry-config-'));
    process.chdir(directory);
    for (const name of VARIABLES) Reflect.deleteProperty(process.env, name);
  });

  afterEach(async () => {
    for (const name of VARIABLES) Reflect.deleteProperty(process.env, name);
    Object.assign(process.env, environmentBefore);
    process.chdir(directoryBefore);
    await rm(directory, { recursive: true });
  });

  it('reads .env in the working directory, and the environment wins over it', async () => {
    await writeFile('.env', fillIn(await readFile(EXAMPLE, 'utf8')).concat('PORT=4000\nSYNC_INTERVAL_SECONDS=9\n'));
    process.env.PORT = '5000';
    expect(await loadConfig()).toMatchObject({ port: 5000, syncIntervalSeconds: 9, cwsClientSecret: 'cws-secret' });
  });

  it('leaves process.env as it is, so that secrets in .env reach no child process', async () => {
    await writeFile('.env', fillIn(await readFile(EXAMPLE, 'utf8')));
    const before = { ...process.env };
    await loadConfig();
    expect({ ...process.env }).toEqual(before);
  });

  it('reads the environment anew each time', async () => {
    Object.assign(process.env, FILLED_IN, { PORT: '4001' });
    expect((await loadConfig()).port).toBe(4001);
    process.env.PORT = '4002';
    expect((await loadConfig()).port).toBe(4002);
  });

  it('rejects with all problems when nothing is set', async () => {
    const failure: unknown = await loadConfig().catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ConfigurationError);
    expect((failure as ConfigurationError).problems.map(({ variable }) => variable).sort()).toEqual(
      Object.keys(FILLED_IN).sort(),
    );
  });

  it('loads what decides the database without marketplace credentials', async () => {
    await writeFile('.env', 'DATABASE_URL=postgres://u:p@db/keyferry\nNODE_ENV=production\n');
    expect(await loadDatabaseConfig()).toEqual({
      databaseUrl: 'postgres://u:p@db/keyferry',
      allowsEmbeddedDatabase: false,
      isProduction: true,
    });
    await writeFile('.env', 'NODE_ENV=production\n');
    await expect(loadDatabaseConfig()).rejects.toBeInstanceOf(ConfigurationError);
  });
});

describe('AppConfigModule', () => {
  it('makes the same configuration injectable in every module', async () => {
    @Injectable()
    class Consumer {
      constructor(readonly config: AppConfig) {}
    }
    @Module({ providers: [Consumer] })
    class Feature {}
    const config = parseEnvironment(FILLED_IN);
    const app = await Test.createTestingModule({
      imports: [AppConfigModule.forRoot(config), Feature],
    }).compile();
    expect(app.get(Consumer, { strict: false }).config).toBe(config);
    await app.close();
  });
});
