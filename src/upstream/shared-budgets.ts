import type { DataSource } from 'typeorm';
import type { BudgetMaker } from './request-budget.js';
import { databaseLedger } from './request-leases.queries.js';
import { SharedRequestBudget } from './shared-request-budget.js';

/** Budgets that all processes of a database share. */
export function sharedBudgets(dataSource: DataSource): BudgetMaker {
  return (system, name, rate) =>
    new SharedRequestBudget(system, name, rate, databaseLedger(dataSource, `${system} ${name}`));
}
