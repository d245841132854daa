import { buildMessage, IsObject, IsString, Matches, ValidateBy, ValidateIf } from 'class-validator';
import type { Notification } from '../../sync/receive-notifications.service.js';
import { isWireObject, parseIsoDate, type WireObject } from '../../upstream/wire.js';
import { invalidRequest } from '../errors/http-error.js';
import { g2aIdFrom } from './is-whole-number.js';
import { MAX_ID_LENGTH } from './order-reference.js';
import { readArrayBody } from './read-body.js';

const MAX_NOTIFICATIONS = 100;
const DEACTIVATION = 'auction_deactivated';
/** Fields that nobody should send us, and that are not kept if somebody does. */
const SECRET_FIELD = /secret|token|password|authorization|api_?key|credential/i;

/** Only what we act on has a shape that we insist on; a notification of another type is kept as it came. */
const IsOfDeactivation = () => ValidateIf((dto: NotificationDto) => dto.notification_type === DEACTIVATION);
const IsGiven = (field: 'auctionId' | 'offerId' | 'message') =>
  ValidateIf((dto: NotificationDto) => isGiven(dto[field]) && isWireObject(dto.data));

/** One element of a notification's body. Types are claims until it is validated. */
export class NotificationDto {
  @Matches(/^[\x20-\x7e]{1,64}$/, { message: '$property must be 1 to 64 printable ASCII characters' })
  readonly notification_type: string;

  @IsOfDeactivation()
  @ValidateBy({
    name: 'isIsoDate',
    validator: {
      validate: (value) => parseIsoDate(value) !== null,
      defaultMessage: buildMessage((prefix) => `${prefix}$property must be an ISO 8601 date`),
    },
  })
  readonly date: unknown;

  @IsOfDeactivation()
  @IsObject({ message: '$property must be an object' })
  @ValidateBy({
    name: 'namesAnOffer',
    validator: {
      validate: (value) => !isWireObject(value) || isGiven(value['offer_id']) || isGiven(value['auction_id']),
      defaultMessage: () => '$property must have an offer_id or an auction_id',
    },
  })
  readonly data: unknown;

  @IsOfDeactivation()
  @IsGiven('offerId')
  @Matches(new RegExp(`^[\\x21-\\x7e]{1,${MAX_ID_LENGTH}}$`), {
    message: `data.offer_id must be 1 to ${MAX_ID_LENGTH} printable ASCII characters`,
  })
  readonly offerId: string | null;

  @IsOfDeactivation()
  @IsGiven('auctionId')
  @ValidateBy({
    name: 'isAuctionId',
    validator: {
      validate: (value) => Number.isSafeInteger(value) && Number(value) > 0,
      defaultMessage: () => `data.auction_id must be a whole number from 1 to ${Number.MAX_SAFE_INTEGER}`,
    },
  })
  readonly auctionId: number | null;

  @IsOfDeactivation()
  @IsGiven('message')
  @IsString({ message: 'data.message must be a text' })
  readonly message: string | null;

  constructor(readonly body: WireObject) {
    this.notification_type = body['notification_type'] as string;
    this.date = body['date'];
    this.data = body['data'];
    const data = isWireObject(this.data) ? this.data : {};
    this.offerId = (data['offer_id'] ?? null) as string | null;
    this.auctionId = g2aIdFrom(data['auction_id'] ?? null) as number | null;
    this.message = (data['message'] ?? null) as string | null;
  }
}

/**
 * What G2A tells us.
 * @throws HttpError 400 naming field and reason.
 */
export function readNotifications(body: unknown): Notification[] {
  return readArrayBody(NotificationDto, body, MAX_NOTIFICATIONS).map((dto) => {
    const occurredAt = parseIsoDate(dto.date);
    if (dto.notification_type !== DEACTIVATION) {
      return { type: 'other', name: dto.notification_type, occurredAt, payload: keptPayload(dto.body) };
    }
    const { auctionId, message } = dto;
    return { type: DEACTIVATION, occurredAt, auctionId, offerId: dto.offerId?.toLowerCase() ?? null, message };
  });
}

/** JSON without fields that are named like a secret. */
function keptPayload(body: WireObject): string {
  try {
    return JSON.stringify(body, (name, value: unknown) => (SECRET_FIELD.test(name) ? '[not kept]' : value));
  } catch {
    // Nested more deeply than the stack: JSON.parse does not mind, JSON.stringify does.
    throw invalidRequest('a notification is nested too deeply');
  }
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null;
}
