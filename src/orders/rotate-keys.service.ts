import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { type AuditActor, writeAudit } from '../audit/audit-log.js';
import { inTransaction } from '../database/one-connection.js';
import { KeyCipher } from './key-cipher.js';
import {
  encryptionKeyUse,
  keysToRotate,
  lockKeys,
  type RotatedKey,
  type StoredKey,
  updateRotatedKeys,
} from './key-rotation.queries.js';

const BATCH_KEYS = 500;
const BATCH_BYTES = 16 * 1024 * 1024;
/** Below every UUID that keys have. */
const FIRST_ID = '00000000-0000-0000-0000-000000000000';
/** Keys that others are working on are tried again after this time, so often in a row without any progress. */
const LOCKED_WAIT_MS = 500;
const LOCKED_ROUNDS = 60;

/** What is to be done. */
export interface RotationPlan {
  readonly currentKeyId: string;
  /** Keys already encrypted under the current one. */
  readonly done: number;
  /** Keys under other encryption keys that are configured. */
  readonly toRotate: number;
  /** Encryption keys that are in use and not configured: what they encrypted cannot be read. */
  readonly missingKeyIds: readonly string[];
}

/** What was done. */
export interface RotationResult {
  readonly rotated: number;
  /** Keys whose value another one has too: the supplier's code was stored twice. */
  readonly doubles: readonly string[];
  /** Keys that could not be decrypted, left as they were. */
  readonly unreadable: readonly string[];
  /** Keys that somebody else held locked all the time, left as they were. */
  readonly locked: number;
}

/** Encrypts the stored keys anew after KEY_ENCRYPTION_KEY was replaced. */
@Injectable()
export class RotateKeysService {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly cipher: KeyCipher,
  ) {}

  async plan(): Promise<RotationPlan> {
    const { currentKeyId, readableKeyIds } = this.cipher;
    const uses = await encryptionKeyUse(this.dataSource.manager);
    const count = (isIn: (id: string) => boolean) =>
      uses.filter((use) => isIn(use.encryptionKeyId)).reduce((sum, use) => sum + use.keys, 0);
    return {
      currentKeyId,
      done: count((id) => id === currentKeyId),
      toRotate: count((id) => id !== currentKeyId && readableKeyIds.includes(id)),
      missingKeyIds: uses.map((use) => use.encryptionKeyId).filter((id) => !readableKeyIds.includes(id)),
    };
  }

  /**
   * Encrypts every key that is under a former encryption key anew, with its fingerprint, a batch per transaction. May be
   * killed at any time and started again, and run while the service works.
   * @param onProgress gets how many are done so far.
   */
  async rotate(actor: AuditActor, onProgress: (done: number) => void): Promise<RotationResult> {
    const doubles: string[] = [];
    const unreadable = new Set<string>();
    let rotated = 0;
    let roundsWithoutProgress = 0;
    for (;;) {
      const before = rotated;
      let afterId: string | null = FIRST_ID;
      while (afterId !== null) {
        const batch = await this.rotateBatch(actor, afterId);
        rotated += batch.rotated;
        doubles.push(...batch.doubles);
        for (const id of batch.unreadable) unreadable.add(id);
        afterId = batch.lastId;
        onProgress(rotated);
      }
      const locked = await this.countRest(unreadable.size);
      roundsWithoutProgress = rotated > before ? 0 : roundsWithoutProgress + 1;
      if (locked === 0 || roundsWithoutProgress >= LOCKED_ROUNDS) {
        return { rotated, doubles, unreadable: [...unreadable], locked };
      }
      await sleep(LOCKED_WAIT_MS);
    }
  }

  private async countRest(unreadable: number): Promise<number> {
    const uses = await encryptionKeyUse(this.dataSource.manager);
    const rest = uses.filter((use) => use.encryptionKeyId !== this.cipher.currentKeyId);
    return Math.max(0, rest.reduce((sum, use) => sum + use.keys, 0) - unreadable);
  }

  private async rotateBatch(actor: AuditActor, afterId: string) {
    const to = this.cipher.currentKeyId;
    return inTransaction(this.dataSource, async (manager) => {
      const ids = await keysToRotate(manager, { encryptionKeyId: to, afterId, limit: BATCH_KEYS, bytes: BATCH_BYTES });
      const keys = await lockKeys(manager, to, ids);
      const fresh = keys.flatMap((key) => this.encryptAnew(key) ?? []);
      const freshIds = new Set(fresh.map(({ id }) => id));
      const doubles = fresh.length === 0 ? [] : await updateRotatedKeys(manager, fresh);
      if (fresh.length > 0) {
        const from = [...new Set(keys.map((key) => key.encryptionKeyId))];
        await writeAudit(manager, actor, [
          { action: 'keys.rotated', subjectId: to, details: { count: fresh.length, from, to } },
        ]);
      }
      return {
        rotated: fresh.length,
        doubles,
        unreadable: keys.map(({ id }) => id).filter((id) => !freshIds.has(id)),
        lastId: ids.at(-1) ?? null,
      };
    });
  }

  /** Null: it cannot be decrypted. */
  private encryptAnew(key: StoredKey): RotatedKey | null {
    let value: string;
    try {
      value = this.cipher.decrypt(key, key.id);
    } catch {
      return null;
    }
    return { id: key.id, ...this.cipher.encrypt(value, key.id), fingerprint: this.cipher.fingerprint(value) };
  }
}
