import { randomUUID } from 'node:crypto';
import { Injectable, Logger } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { CwsClient } from '../cws/cws-client.js';
import type { SupplierCode, SupplierOrder, SupplierOrderStatus } from '../cws/cws.types.js';
import { UpstreamError } from '../upstream/upstream-error.js';
import { KeyCipher } from './key-cipher.js';
import { readKeyFile, safeFileName } from './key-file.rules.js';
import { type NewKey, storedCodes } from './keys.queries.js';

/** What CWS's orders have brought that is not stored yet. */
export interface ReadCodes {
  /** Encrypted. */
  readonly keys: readonly NewKey[];
  /** Codes that were sold as pre-orders and are not there yet. */
  readonly awaitedPreorders: number;
  /** Codes that are stored already, for another purchase. */
  readonly soldBefore: readonly string[];
  /** Codes of a type that we do not know. */
  readonly unknownTypes: readonly string[];
  /** What each of the orders lists. */
  readonly orders: readonly ListedCodes[];
}

/** The codes that one of CWS's orders lists. */
export interface ListedCodes {
  readonly cwsOrderId: string;
  readonly status: SupplierOrderStatus;
  /** Those that were stored for this purchase before. */
  readonly storedBefore: number;
  /** Those among the keys read now. */
  readonly readCodes: readonly string[];
  /** How many have no value that could be read, pre-orders aside. */
  readonly unreadCodes: number;
}

type ReadableCode = SupplierCode & { readonly value: string };

/** Reads the codes of CWS's orders and encrypts them. */
@Injectable()
export class ReadCodesService {
  private readonly logger = new Logger(ReadCodesService.name);

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly cws: CwsClient,
    private readonly cipher: KeyCipher,
  ) {}

  /**
   * Reads what is not stored yet. CWS may list a code by id only, a pre-order always so, and fill it later: such a one is fetched
   * by its id. Trouble with reading one must never reach the caller as trouble with the order: it was bought, whatever happens
   * here, and is asked about again.
   */
  async read(purchaseId: string, orders: readonly SupplierOrder[]): Promise<ReadCodes> {
    const listed = orders.map(codesOf);
    const stored = await storedCodes(
      this.dataSource.manager,
      listed.flat().map(({ codeId }) => codeId),
    );
    const keys: NewKey[] = [];
    const lists: ListedCodes[] = [];
    const unknownTypes: string[] = [];
    let awaitedPreorders = 0;
    for (const [index, { cwsOrderId, status }] of orders.entries()) {
      const codes = listed[index] ?? [];
      const found = await this.readNew(codes.filter(({ codeId }) => !stored.has(codeId)));
      awaitedPreorders += found.awaitedPreorders;
      keys.push(...found.keys);
      unknownTypes.push(...found.unknownTypes);
      lists.push({
        cwsOrderId,
        status,
        storedBefore: codes.filter(({ codeId }) => stored.get(codeId) === purchaseId).length,
        readCodes: found.keys.map(({ cwsCodeId }) => cwsCodeId),
        unreadCodes: found.unreadCodes,
      });
    }
    const soldBefore = [...stored].filter(([, owner]) => owner !== purchaseId).map(([codeId]) => codeId);
    return { keys, awaitedPreorders, soldBefore, unknownTypes, orders: lists };
  }

  private async readNew(codes: readonly SupplierCode[]) {
    const keys: NewKey[] = [];
    const unknownTypes: string[] = [];
    let awaitedPreorders = 0;
    let unreadCodes = 0;
    for (const code of codes) {
      const found = code.value === null ? await this.readCode(code) : code;
      const value = found?.value ?? null;
      if (found !== null && value !== null) keys.push(this.encrypt({ ...found, codeId: code.codeId, value }));
      else if (code.kind === 'preorder' || found?.kind === 'preorder') awaitedPreorders += 1;
      else {
        unreadCodes += 1;
        if ((found ?? code).kind === 'unknown') unknownTypes.push(code.codeId);
      }
    }
    return { keys, awaitedPreorders, unreadCodes, unknownTypes };
  }

  /**
   * A pre-order's key comes here, and its type need not change with it. What the order itself shows in its place is none, also when
   * it is shown here.
   */
  private async readCode({ codeId, placeholder }: SupplierCode): Promise<SupplierCode | null> {
    try {
      const code = await this.cws.code(codeId);
      return code?.kind === 'preorder' && code.value === placeholder ? { ...code, value: null } : code;
    } catch (error) {
      if (!(error instanceof UpstreamError)) throw error;
      this.logger.warn(`a bought code cannot be read yet: ${error.message}`);
      return null;
    }
  }

  private encrypt(code: ReadableCode): NewKey {
    const id = randomUUID();
    return {
      id,
      cwsCodeId: code.codeId,
      ...(code.kind === 'image' ? fileOf(code) : { kind: 'text', fileName: null, undeliverableReason: null }),
      fingerprint: this.cipher.fingerprint(code.value),
      formerFingerprints: this.cipher.formerFingerprints(code.value),
      ...this.cipher.encrypt(code.value, id),
    };
  }
}

/** The codes of an order, each once: one that was read twice with the value that one of the answers showed. */
function codesOf({ lines }: SupplierOrder): SupplierCode[] {
  const codes = new Map<string, SupplierCode>();
  for (const code of lines.flatMap((line) => line.codes)) {
    if (code.value !== null || !codes.has(code.codeId)) codes.set(code.codeId, code);
  }
  return [...codes.values()];
}

/** What is stored beside a file's value. One that cannot be handed over is kept all the same: it was paid for. */
function fileOf({ value, fileName }: ReadableCode) {
  const file = readKeyFile(value);
  return 'undeliverableReason' in file
    ? { kind: 'file' as const, fileName: safeFileName(fileName, null), undeliverableReason: file.undeliverableReason }
    : { kind: 'file' as const, fileName: safeFileName(fileName, file.mimeType), undeliverableReason: null };
}
