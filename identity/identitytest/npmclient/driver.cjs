// Runs calls of the npm package b2trader.identity.auth, one after the other, on one
// instance. It reads {url, client, secret, steps: [{call, args}]} from stdin and writes a
// JSON array with one result per step to stdout. The results of earlier steps feed the
// later ones: cookies, code and tokens.
'use strict';

const {IdentityAuth} = require('b2trader.identity.auth');

// read turns what a call resolved to into a result: a Response, a code, or parsed JSON.
async function read(value) {
  if (value === null || typeof value === 'string') {
    return {value: value || ''};
  }
  if (typeof value.text !== 'function') {
    return {body: value};
  }
  const text = await value.text();
  const result = {status: value.status, setCookie: value.headers.get('set-cookie') || ''};
  try {
    result.body = JSON.parse(text);
  } catch {
    result.value = text;
  }
  return result;
}

async function run({url, client, secret, steps}) {
  const auth = secret ? new IdentityAuth(url, client, secret) : new IdentityAuth(url, client);
  const state = {cookies: '', code: '', accessToken: '', refreshToken: ''};
  const calls = {
    signIn: args => auth.signIn(...args),
    authorize: () => auth.authorize({Cookie: state.cookies}),
    authorizeWithoutCookies: () => auth.authorize(),
    retrieveToken: () => auth.retrieveToken(state.code),
    refreshToken: () => auth.refreshToken(state.refreshToken),
    signOut: () => auth.signOut(state.accessToken),
    signOutOfOne: () => auth.signOut(state.accessToken, state.refreshToken),
    machineToMachineSignIn: args => auth.machineToMachineSignIn(...args),
  };
  const results = [];
  for (const {call, args} of steps) {
    const result = await read(await calls[call](args || []));
    results.push({call, ...result});
    state.cookies = result.setCookie || state.cookies;
    if (call.startsWith('authorize')) {
      state.code = result.value;
    }
    if (result.body && result.body.access_token) {
      state.accessToken = result.body.access_token;
      state.refreshToken = result.body.refresh_token;
    }
  }
  return results;
}

let input = '';
process.stdin.on('data', chunk => (input += chunk));
process.stdin.on('end', () => {
  run(JSON.parse(input)).then(
    results => process.stdout.write(JSON.stringify(results)),
    error => {
      process.stderr.write(`${error && error.stack}\n`);
      process.exitCode = 1;
    },
  );
});
