// Signs in, renews and signs out with the npm package oidc-client-ts. It prints
// each URL that the browser must visit, and reads from stdin where it ended.
import assert from 'node:assert/strict';
import { createInterface } from 'node:readline';
import { UserManager } from 'oidc-client-ts';

const { ISSUER, CLIENT_ID, CLIENT_SECRET, REDIRECT_URI, SIGNED_OUT_URI } = process.env;
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
let landed; // where the browser ended
const browser = {
  prepare: async () => ({
    navigate: async ({ url }) => {
      console.log(url);
      landed = (await lines.next()).value;
    },
    close() {},
  }),
};

const users = new UserManager({
  authority: ISSUER,
  client_id: CLIENT_ID,
  client_secret: CLIENT_SECRET,
  redirect_uri: REDIRECT_URI,
  post_logout_redirect_uri: SIGNED_OUT_URI,
  scope: 'openid profile FrontOffice offline_access',
  loadUserInfo: true,
  revokeTokensOnSignout: true,
  automaticSilentRenew: false, // the script renews
}, browser);
await users.signinRedirect();
const first = await users.signinRedirectCallback(landed);
assert.equal(first.profile.nickname, 'guarded');

const second = await users.signinSilent();
assert.notEqual(second.refresh_token, first.refresh_token);

await users.signoutRedirect({ state: 'bye' });
assert.ok(landed.startsWith(SIGNED_OUT_URI), landed);
assert.equal((await users.signoutRedirectCallback(landed)).userState, 'bye');
assert.equal(await users.getUser(), null);
process.exit();
