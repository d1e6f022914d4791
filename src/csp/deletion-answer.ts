import type { ProviderAnswer } from './provider-answer.ts';

/**
 * The answers to the deletion of an account, and to that of a service. 404 is believed whatever its body: the
 * outcome that was wanted is there.
 */
export function readDeletion(answer: ProviderAnswer): 'deleted' | 'already_gone' {
  if (answer.status === 404) return 'already_gone';
  if (answer.status !== 200 && answer.status !== 204) throw answer.statusError();
  // A maintenance page with status 200 has deleted nothing, and believing it would leave the account to nobody.
  // If the delete did happen behind it, the next try is a 404. No other type is refused: what a true 200 carries
  // is not documented.
  if (answer.isHtml()) throw answer.contentError(`answered ${answer.status} with an HTML page`);
  return 'deleted';
}
