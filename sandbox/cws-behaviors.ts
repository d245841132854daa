import { type BehaviorTable } from './behaviors.js';
import { type TransportBehavior } from './traffic.js';

/** What the simulated supplier can do besides the transport behaviors; the README says where each applies. */
export const CWS_BEHAVIORS = [
  'instant',
  'fulfillsAfterSeconds',
  'appearsAfterSeconds',
  'answersAfterCommitNever',
  'answers500AfterCommit',
  'sellsOutMidOrder',
  'refusesPrice',
  'cancelsOrder',
  'failsOrder',
  'codeComesLater',
  'imageCodes',
  'preorderCodes',
  'preorderCodesKeepType',
  'unknownTypeOfLastCode',
  'hasNoHistory',
  'malformedHistoryEntry',
  'feedHidesChanges',
  'malformedProduct',
  'refusesProduct',
  'expiresContinuation',
] as const;
export type CwsBehavior = (typeof CWS_BEHAVIORS)[number];
export type CwsBehaviors = BehaviorTable<CwsBehavior | TransportBehavior>;
