import type { DataSource, EntityManager } from 'typeorm';
import type { AuditActor } from '../audit/audit-log.js';
import { describeMapping, type FileMapping } from './mapping-fields.js';
import { lockMappings, replaceSuppliers, storedMappings, upsertMappings } from './mappings.queries.js';

/** What happened to one mapping. `fields` has the words and texts of a mapping file; null is "the default" or "nothing". */
export interface MappingChange {
  readonly g2aProductId: number;
  readonly change: 'created' | 'updated';
  readonly fields: Readonly<Record<string, { readonly before: FieldText; readonly after: FieldText }>>;
}
type FieldText = string | boolean | null;

export interface AppliedMappings {
  readonly created: number;
  readonly updated: number;
  readonly unchanged: number;
  /** One per created or updated mapping, in the order given. */
  readonly changes: readonly MappingChange[];
}

export interface ApplyMappingsOptions {
  /** Named in the audit log. */
  readonly actor: AuditActor;
  /** Does everything and takes it back. Default false. */
  readonly isDryRun?: boolean;
  /** Called after each thousand. */
  readonly onProgress?: (done: number) => void;
}

const CHUNK_SIZE = 1_000;

/**
 * Makes the stored mappings equal to the given ones, in one transaction. Mappings that are not given are left alone, and
 * what is equal already is not written, so that the audit log holds real changes only.
 */
export async function applyMappings(
  dataSource: DataSource,
  mappings: readonly FileMapping[],
  options: ApplyMappingsOptions,
): Promise<AppliedMappings> {
  const runner = dataSource.createQueryRunner();
  try {
    await runner.startTransaction();
    const changes = await writeMappings(runner.manager, mappings, options);
    await (options.isDryRun === true ? runner.rollbackTransaction() : runner.commitTransaction());
    const created = changes.filter(({ change }) => change === 'created').length;
    return { created, updated: changes.length - created, unchanged: mappings.length - changes.length, changes };
  } catch (error) {
    if (runner.isTransactionActive) await runner.rollbackTransaction();
    throw error;
  } finally {
    await runner.release();
  }
}

async function writeMappings(
  manager: EntityManager,
  mappings: readonly FileMapping[],
  { actor, onProgress }: ApplyMappingsOptions,
): Promise<MappingChange[]> {
  await manager.query(`SELECT set_config('keyferry.actor', $1, true)`, [actor]);
  await lockMappings(manager);
  const changes: MappingChange[] = [];
  for (let start = 0; start < mappings.length; start += CHUNK_SIZE) {
    const chunk = mappings.slice(start, start + CHUNK_SIZE);
    changes.push(...(await writeChunk(manager, chunk)));
    onProgress?.(start + chunk.length);
  }
  return changes;
}

async function writeChunk(manager: EntityManager, chunk: readonly FileMapping[]): Promise<MappingChange[]> {
  const stored = await storedMappings(
    manager,
    chunk.map((mapping) => mapping.g2aProductId),
  );
  const differing = chunk
    .map((mapping) => ({ mapping, change: compareMapping(stored.get(mapping.g2aProductId), mapping) }))
    .filter(({ change }) => Object.keys(change.fields).length > 0);
  // A created mapping is always in both: its suppliers and `enabled` are never null.
  const differingIn = (isMeant: (field: string) => boolean) =>
    differing.filter(({ change }) => Object.keys(change.fields).some(isMeant)).map(({ mapping }) => mapping);
  await upsertMappings(
    manager,
    differingIn((field) => field !== 'cwsProductIds'),
  );
  await replaceSuppliers(
    manager,
    differingIn((field) => field === 'cwsProductIds'),
  );
  return differing.map(({ change }) => change);
}

function compareMapping(stored: FileMapping | undefined, wanted: FileMapping): MappingChange {
  const before: Readonly<Record<string, FieldText>> = stored === undefined ? {} : describeMapping(stored);
  const fields = Object.entries(describeMapping(wanted))
    .map(([field, after]) => [field, { before: before[field] ?? null, after }] as const)
    .filter(([, { before, after }]) => before !== after);
  return {
    g2aProductId: wanted.g2aProductId,
    change: stored === undefined ? 'created' : 'updated',
    fields: Object.fromEntries(fields),
  };
}
