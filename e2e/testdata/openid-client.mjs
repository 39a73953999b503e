// Signs in, renews and signs out with the npm package openid-client. It prints
// each URL that the browser must visit, and reads from stdin where it ended.
import assert from 'node:assert/strict';
import { createInterface } from 'node:readline';
import * as oidc from 'openid-client';

const { ISSUER, CLIENT_ID, CLIENT_SECRET, REDIRECT_URI, SIGNED_OUT_URI } = process.env;
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const visit = async (url) => {
  console.log(url.href);
  return new URL((await lines.next()).value);
};

const config = await oidc.discovery(new URL(ISSUER), CLIENT_ID, CLIENT_SECRET, undefined, {
  execute: [oidc.allowInsecureRequests, oidc.enableNonRepudiationChecks],
});
const pkceCodeVerifier = oidc.randomPKCECodeVerifier();
const state = oidc.randomState();
const nonce = oidc.randomNonce();
const callback = await visit(oidc.buildAuthorizationUrl(config, {
  redirect_uri: REDIRECT_URI,
  scope: 'openid profile FrontOffice offline_access',
  code_challenge: await oidc.calculatePKCECodeChallenge(pkceCodeVerifier),
  code_challenge_method: 'S256',
  state,
  nonce,
}));
const first = await oidc.authorizationCodeGrant(config, callback, {
  pkceCodeVerifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true,
});
const user = await oidc.fetchUserInfo(config, first.access_token, first.claims().sub);
assert.equal(user.nickname, 'guarded');

const second = await oidc.refreshTokenGrant(config, first.refresh_token);
assert.notEqual(second.refresh_token, first.refresh_token);
await oidc.tokenRevocation(config, second.refresh_token);
await assert.rejects(oidc.refreshTokenGrant(config, second.refresh_token), { error: 'invalid_grant' });

const end = oidc.buildEndSessionUrl(config, {
  id_token_hint: second.id_token, post_logout_redirect_uri: SIGNED_OUT_URI, state: 'bye',
});
assert.equal((await visit(end)).href, `${SIGNED_OUT_URI}?state=bye`);
process.exit();
