import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';

export interface SecretVersions {
  readonly current: string;
  /** The one before, which is still good while a rotation goes on. */
  readonly previous: string | undefined;
}

export interface SecretStore {
  /** @param secretId name or ARN. @throws what the service or the network answers */
  read(secretId: string): Promise<SecretVersions>;
  close(): void;
}

export interface SecretsManagerOptions {
  readonly region: string;
  readonly endpoint?: string | undefined;
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string } | undefined;
  readonly timeoutMs: number;
}

/** AWS Secrets Manager. @see https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html */
export function openSecretsManager(options: SecretsManagerOptions): SecretStore {
  const client = new SecretsManagerClient({
    region: options.region,
    ...(options.endpoint === undefined ? {} : { endpoint: options.endpoint }),
    ...(options.credentials === undefined ? {} : { credentials: options.credentials }),
    maxAttempts: 3,
    retryMode: 'standard',
    requestHandler: {
      connectionTimeout: options.timeoutMs,
      requestTimeout: options.timeoutMs,
      throwOnRequestTimeout: true,
    },
  });
  const version = async (secretId: string, stage: string): Promise<string> => {
    const answer = await client.send(new GetSecretValueCommand({ SecretId: secretId, VersionStage: stage }));
    if (answer.SecretString === undefined) throw new Error('The secret holds no text');
    return answer.SecretString;
  };
  return {
    read: async (secretId) => ({
      current: await version(secretId, 'AWSCURRENT'),
      previous: await version(secretId, 'AWSPREVIOUS').catch((error: unknown) => {
        // A secret that was never rotated has no previous version.
        if (error instanceof Error && error.name === 'ResourceNotFoundException') return undefined;
        throw error;
      }),
    }),
    close: () => client.destroy(),
  };
}
