// The certified OpenID provider of the npm package oidc-provider: refresh tokens rotate, and a reused one revokes its
// family. It prints its URL and a first refresh token.
import http from 'node:http';
import { Provider } from 'oidc-provider';

const server = http.createServer();
await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
const base = `http://127.0.0.1:${server.address().port}`;
const scope = 'openid offline_access';

const provider = new Provider(base, {
  clients: [{ client_id: 'app', client_secret: process.env.SECRET, redirect_uris: [`${base}/back`], grant_types: ['authorization_code', 'refresh_token'] }],
  cookies: { keys: ['signs cookies'] },
  features: { devInteractions: { enabled: false } },
  rotateRefreshToken: true,
  ttl: { AccessToken: 60, IdToken: 300, Grant: 36000, RefreshToken: 86400 },
  findAccount: async (_, id) => ({ accountId: id, claims: async () => ({ sub: id }) }),
});
server.on('request', provider.callback());

const client = await provider.Client.find('app');
const grant = new provider.Grant({ clientId: 'app', accountId: 'user' });
grant.addOIDCScope(scope);
const token = new provider.RefreshToken({ accountId: 'user', client, grantId: await grant.save(36000), gty: 'authorization_code', scope });
console.log(`${base} ${await token.save(86400)}`);
