/**
 * When a JSON Web Token says that it ends (`exp`, RFC 7519 4.1.4). Read without checking the signature: it decides
 * when to sign in again, never whom to trust.
 *
 * @returns Unix seconds; null for a token that does not say
 */
export function jwtExpiry(jwt: string): number | null {
  try {
    const claims: unknown = JSON.parse(Buffer.from(jwt.split('.')[1] ?? '', 'base64url').toString('utf8'));
    const expiry = (claims as { exp?: unknown } | null)?.exp;
    return typeof expiry === 'number' && Number.isFinite(expiry) ? expiry : null;
  } catch {
    return null;
  }
}
