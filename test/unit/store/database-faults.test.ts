import { expect, test } from 'vitest';
import { databaseFault, isDatabaseUnavailable } from '../../../src/store/database-faults.ts';

const named = (name: string, more: object = {}) => Object.assign(new Error(name), { name, ...more });

test.each([
  ['throttling', named('ThrottlingException'), 'refused'],
  ['a table over its limit', named('ProvisionedThroughputExceededException'), 'refused'],
  ['a conflict with a transaction', named('TransactionConflictException'), 'refused'],
  ['a time-out', named('TimeoutError'), 'unsettled'],
  [
    'an error of the service',
    named('InternalServerError', { $metadata: { httpStatusCode: 500 } }),
    'unsettled',
  ],
  ['any other 5xx', named('Unknown', { $metadata: { httpStatusCode: 502 } }), 'unsettled'],
  ['a transaction still under way', named('TransactionInProgressException'), 'unsettled'],
  ['a connection refused', named('Error', { code: 'ECONNREFUSED' }), 'unsettled'],
  ['a connection reset', named('Error', { code: 'ECONNRESET' }), 'unsettled'],
  ['a name that cannot be looked up just now', named('Error', { code: 'EAI_AGAIN' }), 'unsettled'],
  ['a connection that broke', new Error('socket hang up'), 'unsettled'],
  ['an answer that was cut short', new SyntaxError('Unexpected end of JSON input'), 'unsettled'],
  ['a call that is wrong', named('ValidationException', { $metadata: { httpStatusCode: 400 } }), 'wrong'],
  ['a missing table', named('ResourceNotFoundException', { $metadata: { httpStatusCode: 400 } }), 'wrong'],
  ['a missing permission', named('AccessDeniedException', { $metadata: { httpStatusCode: 400 } }), 'wrong'],
  [
    'a token that was used for other writes',
    named('IdempotentParameterMismatchException', { $metadata: { httpStatusCode: 400 } }),
    'wrong',
  ],
  ['a defect of ours', new TypeError('undefined is not a function'), 'wrong'],
  ['a defect that Node names', named('TypeError', { code: 'ERR_INVALID_ARG_TYPE' }), 'wrong'],
  ['something that is no error', 'text', 'wrong'],
])('%s is told for what it is: %s is %s', (_, error, fault) => {
  expect(databaseFault(error)).toBe(fault);
  expect(isDatabaseUnavailable(error)).toBe(fault !== 'wrong');
});
