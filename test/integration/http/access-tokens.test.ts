import { beforeEach, describe, expect, test } from 'vitest';
import { brokerOfTest } from '../../support/broker.ts';
import { accessClaims, type Issuer, issuerOfTest, type SigningKey, sign } from '../../support/issuer.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { secretsManagerOfTest } from '../../support/secrets-manager.ts';
import {
  ADMIN_TOKEN,
  type Environment,
  type TestTable,
  TRACK_TOKEN,
  tableOfTest,
} from '../../support/table.ts';
import { type Api, apiOf, refusal } from './support/api.ts';

let table: TestTable;
let issuer: Issuer;
let key: SigningKey;

beforeEach(async () => {
  table = await tableOfTest();
  await table.seed(5);
  issuer = await issuerOfTest();
  key = issuer.addKey('first');
});

/** A broker that takes access tokens, beside fixed ones where those are given. */
function environmentWith(changes: Environment = {}): Environment {
  return {
    ...table.environment,
    BROKER_API_TOKEN: '',
    BROKER_ADMIN_TOKEN: '',
    COGNITO_ISSUER_URL: issuer.url,
    COGNITO_CLIENT_IDS: 'client-of-a-lab, client-of-operators',
    ...changes,
  };
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const tokenOf = (claims: Record<string, unknown> = {}) => bearer(sign(key, accessClaims(issuer, claims)));
const OPERATOR = { client_id: 'client-of-operators', scope: 'sandbox-broker/admin' };

const allocate = (api: Api, headers: Record<string, string>, track = 'student') =>
  api.call('POST', '/v1/allocate', { 'x-track-id': track, ...headers });
const statistics = (api: Api, headers: Record<string, string>) => api.call('GET', '/v1/admin/stats', headers);

describe('An access token of the issuer', () => {
  test('opens the routes that its scope names, and no others', async () => {
    const api = await apiOf((await brokerOfTest(environmentWith())).url);
    expect((await allocate(api, tokenOf())).status).toBe(201);
    expect((await allocate(api, tokenOf())).status).toBe(200);
    expect((await statistics(api, tokenOf(OPERATOR))).status).toBe(200);
    expect(refusal(await statistics(api, tokenOf()))).toBe('403 FORBIDDEN');
    expect(refusal(await allocate(api, tokenOf(OPERATOR)))).toBe('403 FORBIDDEN');
  });

  test.each([
    ['has no scope of ours', { scope: 'openid profile' }],
    ['has the scope of another broker', { scope: 'other-broker/allocate' }],
    ['is of another client', { client_id: 'stranger' }],
    ['has ended', { exp: 1_774_000_000 }],
  ])('that %s is 401', async (_, claims) => {
    const api = await apiOf((await brokerOfTest(environmentWith())).url);
    expect(refusal(await allocate(api, tokenOf(claims)))).toBe('401 UNAUTHORIZED');
  });

  test('has scopes under COGNITO_SCOPE_PREFIX, and keys at COGNITO_KEYS_URL', async () => {
    const elsewhere = {
      COGNITO_SCOPE_PREFIX: 'https://labs.example/api',
      COGNITO_ISSUER_URL: 'https://issuer.invalid/pool',
    };
    const environment = environmentWith({ ...elsewhere, COGNITO_KEYS_URL: `${issuer.url}/keys` });
    const api = await apiOf((await brokerOfTest(environment)).url);
    const iss = elsewhere.COGNITO_ISSUER_URL;
    expect((await allocate(api, tokenOf({ iss, scope: 'https://labs.example/api/allocate' }))).status).toBe(
      201,
    );
    expect((await allocate(api, tokenOf({ iss }))).status).toBe(401);
  });

  test('is good beside fixed tokens', async () => {
    const fixed = { BROKER_API_TOKEN: TRACK_TOKEN, BROKER_ADMIN_TOKEN: ADMIN_TOKEN };
    const api = await apiOf((await brokerOfTest(environmentWith(fixed))).url);
    expect((await allocate(api, bearer(TRACK_TOKEN))).status).toBe(201);
    expect((await allocate(api, tokenOf())).status).toBe(200);
    expect((await statistics(api, bearer(ADMIN_TOKEN))).status).toBe(200);
    expect((await statistics(api, tokenOf(OPERATOR))).status).toBe(200);
  });

  test('is counted, limited and in the audit trail under the id of its client', async () => {
    const broker = await brokerOfTest(environmentWith({ RATE_LIMIT_PER_CREDENTIAL: '2' }));
    const api = await apiOf(broker.url);
    const { body } = await allocate(api, tokenOf());
    expect((await allocate(api, tokenOf(), 'another')).status).toBe(201);
    expect(refusal(await allocate(api, tokenOf(), 'a-third'))).toBe('429 RATE_LIMIT_EXCEEDED');
    const trail = await api.call('GET', `/v1/admin/sandboxes/${body.sandbox_id}/events`, tokenOf(OPERATOR));
    expect(trail.body.events[0]).toMatchObject({ actor: 'client-of-a-lab' });
    const metrics = await api.call('GET', '/metrics');
    expect(metrics.body).toContain(
      'broker_credential_requests_total{credential="client-of-a-lab",status="201"} 2\n',
    );
  });

  test('is good while Secrets Manager does not answer, which is not even asked', async () => {
    const secrets = await secretsManagerOfTest();
    secrets.rotate('tracks', 'a-track-token-of-the-secret');
    const clock = new ManualClock();
    const environment = environmentWith({
      BROKER_API_TOKEN_SECRET_ID: 'tracks',
      SECRETS_ENDPOINT_URL: secrets.url,
    });
    const api = await apiOf((await brokerOfTest(environment, { clock })).url);
    secrets.hang('tracks');
    await clock.advance(10_000);
    const before = secrets.reads.length;
    expect((await allocate(api, tokenOf())).status).toBe(201);
    expect(secrets.reads.length).toBe(before);
  });
});
