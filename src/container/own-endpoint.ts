import type { Config } from '../config.ts';

/**
 * What to sign with at an address that is not AWS's: such a service checks no signature, but the SDK insists on
 * something to sign with. Undefined where the SDK finds credentials of its own: at AWS, and where the environment
 * brings some.
 */
export function credentialsFor(
  config: Config,
  endpoint: string | undefined,
): { accessKeyId: string; secretAccessKey: string } | undefined {
  if (endpoint === undefined || config.AWS_ACCESS_KEY_ID !== undefined) return undefined;
  if (new URL(endpoint).hostname.endsWith('.amazonaws.com')) return undefined;
  return { accessKeyId: 'local', secretAccessKey: 'local' };
}
