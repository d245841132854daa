import { Injectable } from '@nestjs/common';
import { FailureLimiter } from '../../http-auth/failure-limiter.js';
import { tooManyFailedAttempts, unauthorized } from '../errors/http-error.js';
import type { ClientPair } from './client-pair.js';
import { MerchantCredentials } from './merchant-credentials.js';

/** Lets a client in by its id and secret, wherever they came from, and slows down guessing. */
@Injectable()
export class AdmitClientService {
  constructor(
    private readonly credentials: MerchantCredentials,
    private readonly failures: FailureLimiter,
  ) {}

  /**
   * A right pair is admitted however many wrong ones its address has sent: behind a proxy all callers share one.
   * @param readings of what the client presented, where its encoding is ambiguous; none when it presented nothing.
   * @param address of the client.
   * @throws HttpError 401, or 429 after too many failures.
   */
  admit(readings: readonly ClientPair[], address: string): ClientPair {
    if (readings.length === 0) throw unauthorized();
    const [pair] = readings.map((reading) => this.credentials.find(reading)).filter((found) => found !== null);
    if (pair !== undefined) return pair;
    const retryAfterSeconds = this.failures.retryAfterSeconds(address);
    if (retryAfterSeconds > 0) throw tooManyFailedAttempts(retryAfterSeconds);
    this.failures.recordFailure(address);
    throw unauthorized();
  }
}
