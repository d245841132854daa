import { indexed } from './check/books.mjs';
import {
  everyOrderHasItsKeysOrATrueReason,
  keysShownAreTheRightOnes,
  ordersAreThoseOfTheCustomers,
} from './check/orders.mjs';
import {
  everyPurchaseIsAsIntended,
  moneyAddsUp,
  noBoughtCodeIsMissing,
  nothingIsBoughtTwice,
} from './check/purchases.mjs';
import { peopleAreCalledForAReason, replicasEndForAReason, theRunDidExerciseSomething } from './check/run.mjs';

export function check(evidence) {
  const books = indexed(evidence);
  return [
    ...ordersAreThoseOfTheCustomers(evidence, books),
    ...everyOrderHasItsKeysOrATrueReason(evidence, books),
    ...keysShownAreTheRightOnes(evidence, books),
    ...nothingIsBoughtTwice(evidence, books),
    ...noBoughtCodeIsMissing(evidence, books),
    ...everyPurchaseIsAsIntended(evidence, books),
    ...moneyAddsUp(evidence),
    ...peopleAreCalledForAReason(evidence),
    ...replicasEndForAReason(evidence),
    ...theRunDidExerciseSomething(evidence),
  ];
}
