import { Module } from '@nestjs/common';
import { AdminBasicStrategy } from './admin-basic.strategy.js';

/** What AdminGuard needs at run time; import it where the guard is used. */
@Module({ providers: [AdminBasicStrategy] })
export class HttpAuthModule {}
