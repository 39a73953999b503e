// The certified OpenID provider of the npm package oidc-provider, laid out on B2Trader's paths. It prints its port.
import http from 'node:http';
import { Provider } from 'oidc-provider';

const server = http.createServer();
await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
const base = `http://127.0.0.1:${server.address().port}`;
const redirect_uris = [`${base}/identity/sign-in-done`];
const grant_types = ['authorization_code', 'refresh_token'];
const scopes = ['openid', 'offline_access', 'FrontOffice', 'BackOffice'];

const provider = new Provider(`${base}/identity`, {
  clients: [
    { client_id: 'spa', token_endpoint_auth_method: 'none', redirect_uris, grant_types },
    { client_id: 'spa_admin', client_secret: process.env.SPA_ADMIN_SECRET, redirect_uris, grant_types },
  ],
  routes: { authorization: '/connect/authorize', token: '/connect/token', jwks: '/odd/keys' },
  scopes,
  cookies: { keys: ['signs cookies'] },
  features: { devInteractions: { enabled: false } },
  interactions: { url: () => '/identity/unauthorized' },
  rotateRefreshToken: true,
  issueRefreshToken: async () => true,
  ttl: { AccessToken: 30, IdToken: 300, AuthorizationCode: 60, Session: 36000, Grant: 36000, RefreshToken: 86400, Interaction: 600 },
  findAccount: async (_, id) => ({ accountId: id, claims: async () => ({ sub: id }) }),
  loadExistingGrant: async ({ oidc }) => {
    const grant = new provider.Grant({ clientId: oidc.client.clientId, accountId: oidc.session.accountId });
    grant.addOIDCScope(scopes.join(' '));
    await grant.save(36000);
    return grant;
  },
});
const standard = provider.callback();

const answer = (res, status, body) => {
  res.writeHead(status, { 'content-type': 'application/json' });
  res.end(JSON.stringify(body));
};

async function signIn(req, res, { email, password }) {
  if (password !== process.env.PASSWORD) {
    return answer(res, 400, { errors: [{ code: 'SignInUnsuccessful', message: 'The sign-in was unsuccessful' }] });
  }
  const session = new provider.Session({});
  session.loginAccount({ accountId: email });
  await session.save(36000);
  provider.createContext(req, res).cookies.set('_session', session.id, { signed: true, path: '/identity', httpOnly: true });
  return answer(res, 200, { secondFactorRequired: false, account: { nickname: 'n', email, id: email } });
}

async function signOut(_, res, { refresh_token }) {
  await (await provider.RefreshToken.find(refresh_token ?? ''))?.destroy();
  return answer(res, 200, {});
}

const own = { '/identity/sign-in': signIn, '/identity/sign-out': signOut };
server.on('request', async (req, res) => {
  if (own[req.url]) {
    let body = '';
    for await (const chunk of req) body += chunk;
    return own[req.url](req, res, JSON.parse(body));
  }
  req.originalUrl = req.url;
  req.url = req.url.replace(/^\/identity/, '');
  return standard(req, res);
});
console.log(base);
