import {
  type CancellationReason,
  ConditionalCheckFailedException,
  DynamoDBServiceException,
  IdempotentParameterMismatchException,
  InternalServerError,
  ProvisionedThroughputExceededException,
  ThrottlingException,
  TransactionCanceledException,
  TransactionConflictException,
  TransactionInProgressException,
} from '@aws-sdk/client-dynamodb';
import type { Item } from './attribute-values.ts';

/** The errors of DynamoDB, as the SDK throws them. */

const refused = { $metadata: { httpStatusCode: 400 } };

export function validation(message: string): Error {
  return new DynamoDBServiceException({
    name: 'ValidationException',
    $fault: 'client',
    message,
    ...refused,
  });
}

export function conditionFailed(item: Item | undefined): Error {
  return new ConditionalCheckFailedException({
    message: 'The conditional request failed',
    ...(item === undefined ? {} : { Item: { ...item } }),
    ...refused,
  });
}

export function cancelled(reasons: CancellationReason[]): Error {
  const codes = reasons.map(({ Code }) => Code).join(', ');
  return new TransactionCanceledException({
    message: `Transaction cancelled, please refer cancellation reasons for specific reasons [${codes}]`,
    CancellationReasons: reasons,
    ...refused,
  });
}

export const transactionConflict = (): Error =>
  new TransactionConflictException({ message: 'Transaction is ongoing for the item', ...refused });

export const transactionInProgress = (): Error =>
  new TransactionInProgressException({ message: 'The transaction is in progress', ...refused });

export const tokenMismatch = (): Error =>
  new IdempotentParameterMismatchException({
    message: 'The token was used for another transaction',
    ...refused,
  });

export const throughputExceeded = (): Error =>
  new ProvisionedThroughputExceededException({
    message: 'The level of configured provisioned throughput was exceeded',
    ...refused,
  });

export const throttled = (): Error =>
  new ThrottlingException({ message: 'The throughput exceeds the current capacity', ...refused });

export const internalServerError = (): Error =>
  new InternalServerError({ message: 'Internal server error', $metadata: { httpStatusCode: 500 } });

/** What the SDK throws when no answer came in its time. */
export function timeout(): Error {
  return Object.assign(new Error('The answer did not come in time'), { name: 'TimeoutError' });
}

/** A connection that the other side cut. */
export function connectionReset(): Error {
  return Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' });
}
