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
  let client: ReturnType<typeof openClient> | undefined;
  const version = async (secretId: string, stage: string): Promise<string> => {
    client ??= openClient(options);
    const answer = await (await client).get(secretId, stage);
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
    close: () => void client?.then(({ close }) => close()),
  };
}

/** With the first reading: where no secret is named, a start does not load what reads them. */
async function openClient({ region, endpoint, credentials, timeoutMs }: SecretsManagerOptions) {
  const { GetSecretValueCommand, SecretsManagerClient } = await import('@aws-sdk/client-secrets-manager');
  const client = new SecretsManagerClient({
    region,
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(credentials === undefined ? {} : { credentials }),
    maxAttempts: 3,
    retryMode: 'standard',
    requestHandler: {
      connectionTimeout: timeoutMs,
      requestTimeout: timeoutMs,
      throwOnRequestTimeout: true,
    },
  });
  return {
    get: (SecretId: string, VersionStage: string) =>
      client.send(new GetSecretValueCommand({ SecretId, VersionStage })),
    close: () => client.destroy(),
  };
}
