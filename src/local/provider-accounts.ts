import type { Sandbox } from '../domain/sandbox.ts';
import type { NewSandbox } from '../store/new-sandboxes.ts';
import type { SimulatedAccount } from './csp-simulator/simulated-accounts.ts';

/** The row that sync would make of an account. */
export function sandboxOf(account: SimulatedAccount): NewSandbox {
  return {
    sandboxId: String(account.csp_id),
    name: account.name,
    externalId: account.id,
    sfdcAccountId: account.sfdc_account_id,
  };
}

/** The account that a row was made from. */
export function accountOf(sandbox: Sandbox): SimulatedAccount {
  return {
    id: sandbox.externalId,
    csp_id: Number(sandbox.sandboxId),
    name: sandbox.name,
    account_type: 'sandbox',
    state: 'active',
    created_at: new Date(sandbox.createdAt * 1000).toISOString(),
    sfdc_account_id: sandbox.sfdcAccountId ?? '',
  };
}
