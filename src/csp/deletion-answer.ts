import type { ProviderAnswer } from './provider-answer.ts';

/** The answers to the deletion of an account, and to that of a service. 404 is success: it is gone already. */
export function readDeletion(answer: ProviderAnswer): 'deleted' | 'already_gone' {
  if (answer.status !== 200 && answer.status !== 204 && answer.status !== 404) throw answer.statusError();
  // A page for people has deleted nothing and knows of no account, and believing it would leave the account to
  // nobody. If the delete did happen behind it, a later try is a 404 of the API. No other type is refused: what a
  // true answer carries is not documented.
  if (answer.isHtml()) throw answer.contentError(`answered ${answer.status} with an HTML page`);
  return answer.status === 404 ? 'already_gone' : 'deleted';
}
