import { Body, Controller, HttpCode, Post, UseGuards } from '@nestjs/common';
import { FollowHintsService } from './follow-hints.service.js';
import { PostbackGuard } from './postback.guard.js';
import { readHints } from './read-postback.rules.js';

/** What CWS calls, if the seller has set it up in its panel. Nothing depends on it. */
@Controller('cws/postback')
@UseGuards(PostbackGuard)
export class PostbacksController {
  constructor(private readonly hints: FollowHintsService) {}

  /** 204 also for what is not understood: sending it again would not help. */
  @Post()
  @HttpCode(204)
  receive(@Body() body: unknown): void {
    this.hints.note(readHints(body));
  }
}
