// A real OpenID provider on loopback, for the tests.
//
//   node server.mjs
//
// When it is ready it prints one line of JSON on stdout:
//   {"issuer":"http://127.0.0.1:PORT","endpoints":{"authorization":…,"device":…,"token":…,
//    "userinfo":…,"revocation":…,"introspection":…}}
// Then it logs one line of JSON on stderr for each request of an endpoint that clients call:
//   {"time":MILLISECONDS,"endpoint":"token","method":"POST","status":400,
//    "grant_type":"…","client":"…","error":"…"}
// and {"time":MILLISECONDS,"echo":"…"} for each line on stdin: whatever was answered before it is
// in the log by then.
// Read stderr or send it to a file: a full pipe would stop the server.
// It ends when its stdin reaches end of file, so it cannot outlive a test that was killed, and on
// SIGTERM. So keep a pipe open on its stdin; with /dev/null there it ends at once.
//
// Settings, by environment (lifetimes are whole seconds, at least 1; switches are on when "1"):
//   PORT               port, 0 for any free one (default 0)
//   HOST               address to listen on (default 127.0.0.1)
//   ISSUER             issuer identifier (default http(s)://HOST:PORT). "{port}" in it stands for
//                      the port in use; it may have a path.
//   ACCESS_TOKEN_TTL   default 3600
//   REFRESH_TOKEN_TTL  default 1209600; each rotated token starts again
//   CODE_TTL           authorization codes, default 60
//   DEVICE_CODE_TTL    default 600
//   ID_TOKEN_TTL       default 3600
//   DEVICE_INTERVAL    "interval" of the device answer; unset: none is sent
//   ROTATE             1: every refresh gives a new refresh token (default); 0: none does
//   STRICT_AUTH        1: a client must use exactly the authentication method it registered
//   NO_COMPLETE_URI    1: device answer without verification_uri_complete
//   NO_PUBLIC_INTROSPECTION  1: introspection requires a client with a secret
//   JWT_ACCESS_TOKENS  1: access tokens are JWTs. The provider cannot introspect or revoke these,
//                      and its userinfo endpoint does not take them.
//   REGISTRATION       open: clients may register; token: with the initial access token "initial-token" only
//   PAR                offered (default): pushed authorization requests are accepted; required: nothing else is
//   TLS_CERT, TLS_KEY  PEM files; both given: https
//   CLIENT_KEYS        a folder: the private keys of the clients signer-ALG are written there as ALG.pem, and those of
//                      signer-two as first.pem and second.pem
//   CLOCK_AHEAD        how many seconds the clock of the provider is ahead (default 0)
//   CLIENT_CA          with https, a PEM file: client certificates are requested, and accepted if this CA issued them
//   CLIENT_CERT        with CLIENT_CA, a PEM file: the certificate of the client "mtls self-signed"
//   MTLS_HOST          the metadata has mtls_endpoint_aliases on this host
//
// Clients (redirect URIs http://127.0.0.1/callback, http://localhost/callback, with a slash at the end as well, and
// http://[::1]/callback, each with any port; authorization code, refresh and device code grants):
//   public-native                     no secret, PKCE required
//   conf odd:id %/+&=?"~ basic        client_secret_basic, secret s3cr%t:/+ &=?"~
//   conf odd:id %/+&=?"~ post         client_secret_post, the same secret
//   mail-server                       client_secret_basic, secret mail-servers-secret
//   signed-PS256, signed-ES256, signed-EdDSA   no secret; their ID tokens are signed with that algorithm
//   signed-HS256                      client_secret_basic, secret a-client-secret-that-is-long-enough-for-HS256
// The keys of the provider are new in each process.
//   service basic, service post       client credentials grant only; the same odd secret
//   service jwt                       client_secret_jwt, client credentials grant only; the secret of signed-HS256
//   signer-RS256, signer-PS256, signer-ES256, signer-EdDSA   private_key_jwt, also with the client credentials grant (CLIENT_KEYS)
//   signer-two        private_key_jwt with ES256, client credentials grant only; two keys, with the key IDs first and second
//   mtls ca           tls_client_auth with the DNS name service.example, client credentials grant only (CLIENT_CA)
//   mtls bound        the same with users, and with access tokens that are bound to the certificate
//   mtls self-signed  self_signed_tls_client_auth, client credentials grant only (CLIENT_CERT)
// The library takes every character from space to "~" in an identifier or secret, and no other.
//
// Users: alice, password "alice's password", and bob, password "bob's password".

import {
  X509Certificate, createHash, createPrivateKey, createPublicKey, generateKeyPairSync, randomBytes, randomUUID,
} from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import http from 'node:http';
import https from 'node:https';
import { createInterface } from 'node:readline';
import { Provider, errors } from 'oidc-provider';

const env = process.env;
const on = (name) => env[name] === '1';

// Stdout carries the one line only, so the library's notices go to stderr too.
console.info = console.error;
console.log = console.error;

function fail(message) {
  console.error(message);
  process.exit(1);
}

function number(name, fallback, least = 1) {
  const text = env[name];
  if (text === undefined || text === '') return fallback;
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < least) fail(`${name} must be a whole number, at least ${least}`);
  return value;
}

const ahead = number('CLOCK_AHEAD', 0, 0) * 1000;
const { now } = Date;
Date.now = () => now() + ahead;

const deviceInterval = number('DEVICE_INTERVAL', undefined);
const ttl = {
  AccessToken: number('ACCESS_TOKEN_TTL', 3600),
  ClientCredentials: number('ACCESS_TOKEN_TTL', 3600),
  RefreshToken: number('REFRESH_TOKEN_TTL', 14 * 86400),
  AuthorizationCode: number('CODE_TTL', 60),
  DeviceCode: number('DEVICE_CODE_TTL', 600),
  IdToken: number('ID_TOKEN_TTL', 3600),
  Interaction: 3600,
  Session: 14 * 86400,
};
// Tokens end with their grant, so the grant must last longer than any of them.
ttl.Grant = Math.max(ttl.RefreshToken, ttl.AccessToken, ttl.Session) + 86400;

const users = new Map(['alice', 'bob'].map((name) => [name, {
  password: `${name}'s password`,
  claims: {
    sub: name,
    email: `${name}@example.org`,
    email_verified: true,
    name: name === 'alice' ? 'Alice Example' : 'Bob Example',
  },
}]));

const client = (id, method, secret) => ({
  client_id: id,
  client_secret: secret,
  token_endpoint_auth_method: method,
  // Only native clients may use any port of a loopback redirect URI.
  application_type: 'native',
  redirect_uris: [
    'http://127.0.0.1/callback', 'http://localhost/callback', 'http://[::1]/callback', 'http://localhost/callback/',
  ],
  response_types: ['code'],
  grant_types: ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:device_code'],
});
const LONG_SECRET = 'a-client-secret-that-is-long-enough-for-HS256';
const SECRET = 's3cr%t:/+ &=?"~';
// A client without users.
const service = (id, method) => ({
  ...client(id, method, SECRET),
  redirect_uris: [],
  response_types: [],
  grant_types: ['client_credentials'],
});

// The clients with a key, and their keys.
function keyClients() {
  const folder = env.CLIENT_KEYS;
  if (!folder) return [];
  const written = (name, alg) => {
    const pem = keyPair(alg);
    writeFileSync(path.join(folder, `${name}.pem`), pem, { mode: 0o600 });
    return { ...createPublicKey(pem).export({ format: 'jwk' }), use: 'sig', alg };
  };
  const { client_secret: none, ...two } = service('signer-two', 'private_key_jwt');
  return [
    ...['RS256', 'PS256', 'ES256', 'EdDSA'].map((alg) => {
      const usual = client(`signer-${alg}`, 'private_key_jwt');
      return {
        ...usual,
        grant_types: [...usual.grant_types, 'client_credentials'],
        token_endpoint_auth_signing_alg: alg,
        jwks: { keys: [written(alg, alg)] },
      };
    }),
    {
      ...two,
      token_endpoint_auth_signing_alg: 'ES256',
      jwks: { keys: ['first', 'second'].map((kid) => ({ ...written(kid, 'ES256'), kid })) },
    },
  ];
}

// The clients with a certificate.
function certificateClients() {
  if (!env.CLIENT_CA) return [];
  const { client_secret: ca, ...byName } = service('mtls ca', 'tls_client_auth');
  const { client_secret: own, ...bySelf } = service('mtls self-signed', 'self_signed_tls_client_auth');
  const { client_secret: none, ...bound } = client('mtls bound', 'tls_client_auth');
  const certificate = new X509Certificate(readFileSync(env.CLIENT_CERT));
  return [
    { ...byName, tls_client_auth_san_dns: 'service.example' },
    {
      ...bound,
      tls_client_auth_san_dns: 'service.example',
      tls_client_certificate_bound_access_tokens: true,
    },
    {
      ...bySelf,
      jwks: {
        keys: [{
          ...certificate.publicKey.export({ format: 'jwk' }),
          x5c: [certificate.raw.toString('base64')],
          'x5t#S256': createHash('sha256').update(certificate.raw).digest('base64url'),
        }],
      },
    },
  ];
}

// The library's own adapter forgets what has expired and then says "not found". This one forgets
// nothing, so that the library can say "expired". The process does not live long.
class MemoryAdapter {
  static #byGrant = new Map();

  #entries = new Map();

  #byUid = new Map();

  #byUserCode = new Map();

  async upsert(id, payload) {
    this.#entries.set(id, payload);
    if (payload.uid) this.#byUid.set(payload.uid, id);
    if (payload.userCode) this.#byUserCode.set(payload.userCode, id);
    if (payload.grantId) {
      const members = MemoryAdapter.#byGrant.get(payload.grantId) ?? [];
      MemoryAdapter.#byGrant.set(payload.grantId, [...members, [this.#entries, id]]);
    }
  }

  async find(id) { return this.#entries.get(id); }

  async findByUid(uid) { return this.#entries.get(this.#byUid.get(uid)); }

  async findByUserCode(code) { return this.#entries.get(this.#byUserCode.get(code)); }

  async consume(id) { this.#entries.get(id).consumed = Math.floor(Date.now() / 1000); }

  async destroy(id) { this.#entries.delete(id); }

  async revokeByGrantId(grantId) {
    for (const [entries, id] of MemoryAdapter.#byGrant.get(grantId) ?? []) entries.delete(id);
    MemoryAdapter.#byGrant.delete(grantId);
  }
}

const safe = (text) => String(text).replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);

// data-outcome tells the scripted user how it ended, without guessing from the words.
const page = (title, content, outcome) => `<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>${safe(title)}</title></head>
<body${outcome ? ` data-outcome="${outcome}"` : ''}><h1>${safe(title)}</h1>
${content}
</body></html>
`;
const paragraph = (text) => `<p>${safe(text)}</p>`;

const errorPage = (out) => page(
  'Something is wrong',
  Object.entries(out).map(([key, value]) => paragraph(`${key}: ${value}`)).join('\n'),
  'refused',
);

const features = {
  devInteractions: { enabled: false },
  rpInitiatedLogout: { enabled: false },
  userinfo: { enabled: true },
  clientCredentials: { enabled: true },
  registration: env.REGISTRATION ? {
    enabled: true,
    initialAccessToken: env.REGISTRATION === 'token' ? 'initial-token' : false,
  } : { enabled: false },
  pushedAuthorizationRequests: {
    enabled: true,
    requirePushedAuthorizationRequests: env.PAR === 'required',
  },
  revocation: {
    enabled: true,
    // The library's own rule, given here because it prints a notice for its default.
    allowedPolicy(ctx, caller, token) {
      if (token.clientId === caller.clientId) return true;
      if (caller.clientAuthMethod === 'none') return false;
      throw new errors.InvalidRequest('client is not authorized to revoke the presented token');
    },
  },
  introspection: {
    enabled: true,
    // Mail servers ask about the tokens of other clients, and they have a secret.
    allowedPolicy(ctx, caller, token) {
      if (caller.clientAuthMethod !== 'none') return true;
      if (on('NO_PUBLIC_INTROSPECTION')) throw new errors.InvalidClient('client authentication is required');
      return token.clientId === caller.clientId;
    },
  },
  // Only tokens for a resource can be JWTs, so every token gets one then.
  resourceIndicators: on('JWT_ACCESS_TOKENS') ? {
    enabled: true,
    defaultResource: () => 'urn:example:mail',
    useGrantedResource: () => true,
    getResourceServerInfo: () => ({
      scope: 'openid profile email offline_access',
      audience: 'urn:example:mail',
      accessTokenFormat: 'jwt',
      accessTokenTTL: ttl.AccessToken,
      jwt: { sign: { alg: 'RS256' } },
    }),
  } : { enabled: false },
  deviceFlow: {
    enabled: true,
    async userCodeInputSource(ctx, form, out, err) {
      let outcome = err && 'refused';
      let message = 'Enter the code that your device shows.';
      if (err?.name === 'AbortedError') {
        outcome = 'denied';
        message = 'You refused the device. You can close this page.';
      } else if (err) {
        message = `That did not work: ${err.message}`;
      }
      ctx.body = page('Your device', `${paragraph(message)}
${form}
<button type="submit" form="op.deviceInputForm">Continue</button>`, outcome);
    },
    async userCodeConfirmSource(ctx, form, forClient, info, userCode) {
      ctx.body = page('Is this your device?', `${paragraph(`${forClient.clientId} shows the code ${userCode}`)}
${form}
<button type="submit" form="op.deviceConfirmForm">Yes</button>
<button type="submit" form="op.deviceConfirmForm" name="abort" value="yes">Deny</button>`);
    },
    async successSource(ctx) {
      ctx.body = page('Done', paragraph('Your device is signed in. You can close this page.'), 'approved');
    },
  },
};

// By way of PEM: on Node 20 a garbage collection while a key that was just generated is exported
// as JWK can stop the process for ever.
function keyPair(alg) {
  const [type, options] = {
    RS256: ['rsa', { modulusLength: 2048 }],
    PS256: ['rsa', { modulusLength: 2048 }],
    ES256: ['ec', { namedCurve: 'P-256' }],
    EdDSA: ['ed25519', {}],
  }[alg];
  const { privateKey } = generateKeyPairSync(type, {
    ...options,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  return privateKey;
}

function signingKey(alg) {
  return {
    ...createPrivateKey(keyPair(alg)).export({ format: 'jwk' }), kid: randomUUID(), use: 'sig', alg,
  };
}

// The certificate of the client, as the connection has it.
function peer(ctx) {
  const { raw } = ctx.socket.getPeerCertificate?.() ?? {};
  return raw && new X509Certificate(raw);
}

const mTLS = env.CLIENT_CA ? {
  enabled: true,
  tlsClientAuth: true,
  certificateBoundAccessTokens: true,
  selfSignedTlsClientAuth: true,
  getCertificate: (ctx) => peer(ctx)?.toString(),
  certificateAuthorized: (ctx) => ctx.socket.authorized,
  certificateSubjectMatches: (ctx, property, expected) => property === 'tls_client_auth_san_dns'
    && peer(ctx).subjectAltName === `DNS:${expected}`,
} : { enabled: false };

const configuration = (prefix, aliases) => ({
  adapter: MemoryAdapter,
  clients: [
    client('public-native', 'none'),
    client('conf odd:id %/+&=?"~ basic', 'client_secret_basic', SECRET),
    client('conf odd:id %/+&=?"~ post', 'client_secret_post', SECRET),
    client('mail-server', 'client_secret_basic', 'mail-servers-secret'),
    ...['PS256', 'ES256', 'EdDSA'].map((alg) => ({
      ...client(`signed-${alg}`, 'none'), id_token_signed_response_alg: alg,
    })),
    { ...client('signed-HS256', 'client_secret_basic', LONG_SECRET), id_token_signed_response_alg: 'HS256' },
    service('service basic', 'client_secret_basic'),
    service('service post', 'client_secret_post'),
    {
      ...service('service jwt', 'client_secret_jwt'),
      client_secret: LONG_SECRET,
      token_endpoint_auth_signing_alg: 'HS256',
    },
    ...keyClients(),
    ...certificateClients(),
  ],
  enabledJWA: { idTokenSigningAlgValues: ['RS256', 'PS256', 'ES256', 'EdDSA', 'HS256'] },
  clientAuthMethods: [
    'none', 'client_secret_basic', 'client_secret_post', 'client_secret_jwt', 'private_key_jwt',
    ...(mTLS.enabled ? ['tls_client_auth', 'self_signed_tls_client_auth'] : []),
  ],
  discovery: aliases,
  clientBasedCORS: () => false,
  // Otherwise everything lives 15 seconds longer than it says.
  clockTolerance: 0,
  cookies: { keys: [randomBytes(32).toString('hex')] },
  jwks: {
    keys: ['RS256', 'PS256', 'ES256', 'EdDSA'].map(signingKey),
  },
  acrValues: ['urn:example:password', 'urn:example:mfa'],
  scopes: ['openid', 'profile', 'email', 'offline_access', 'api:read'],
  claims: { openid: ['sub'], profile: ['name'], email: ['email', 'email_verified'] },
  responseTypes: ['code'],
  features: { ...features, mTLS },
  ttl,
  pkce: { required: (ctx, forClient) => forClient.clientAuthMethod === 'none' },
  rotateRefreshToken: env.ROTATE !== '0',
  interactions: { url: (ctx, interaction) => `${prefix}/interaction/${interaction.uid}` },
  findAccount: (ctx, id) => users.has(id)
    ? { accountId: id, claims: () => users.get(id).claims }
    : undefined,
  renderError(ctx, out) {
    ctx.type = 'html';
    ctx.body = errorPage(out);
  },
});

async function readForm(req) {
  let text = '';
  for await (const chunk of req.setEncoding('utf8')) {
    text += chunk;
    if (text.length > 65536) throw new Error('the form is too large');
  }
  return new URLSearchParams(text);
}

function loginPage(ctx, hint, message) {
  return page('Sign in', `${message ? paragraph(message) : ''}
<form method="post" action="${safe(ctx.req.originalUrl ?? ctx.req.url)}">
<p><label>User <input name="user" value="${safe(hint)}" autofocus></label></p>
<p><label>Password <input name="password" type="password"></label></p>
<button type="submit">Sign in</button>
<button type="submit" name="deny" value="yes">Deny</button>
</form>`, message && 'refused');
}

function consentPage(ctx, params) {
  return page('Allow access?', `${paragraph(`${params.client_id} asks for: ${params.scope ?? 'nothing'}`)}
<form method="post" action="${safe(ctx.req.originalUrl ?? ctx.req.url)}">
<input type="hidden" name="consent" value="yes">
<button type="submit">Allow</button>
<button type="submit" name="deny" value="yes">Deny</button>
</form>`);
}

async function grantAll(provider, { grantId, session, params, prompt: { details } }) {
  const grant = (grantId && await provider.Grant.find(grantId))
    || new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
  if (details.missingOIDCScope) grant.addOIDCScope(details.missingOIDCScope.join(' '));
  if (details.missingOIDCClaims) grant.addOIDCClaims(details.missingOIDCClaims);
  for (const [resource, scopes] of Object.entries(details.missingResourceScopes ?? {})) {
    grant.addResourceScope(resource, scopes.join(' '));
  }
  return grant.save();
}

// The pages where the user signs in and allows or denies.
async function interact(provider, ctx) {
  const interaction = await provider.interactionDetails(ctx.req, ctx.res);
  const { prompt, params } = interaction;
  const login = prompt.name === 'login';
  ctx.type = 'html';
  ctx.set('Cache-Control', 'no-store');

  if (ctx.method !== 'POST') {
    ctx.body = login ? loginPage(ctx, params.login_hint ?? '') : consentPage(ctx, params);
    return;
  }

  const form = await readForm(ctx.req);
  let result;
  if (form.has('deny')) {
    result = { error: 'access_denied', error_description: `the user denied at the ${prompt.name} page` };
  } else if (login) {
    const name = form.get('user') ?? '';
    if (!users.has(name) || users.get(name).password !== form.get('password')) {
      ctx.status = 403;
      ctx.body = loginPage(ctx, name, 'Wrong user or password.');
      return;
    }
    result = { login: { accountId: name, acr: 'urn:example:password' } };
  } else {
    result = { consent: { grantId: await grantAll(provider, interaction) } };
  }
  const next = await provider.interactionResult(ctx.req, ctx.res, result, { mergeWithLastSubmission: !login });
  ctx.redirect(next);
  ctx.status = 303;
}

function start(issuer, prefix, aliases) {
  const provider = new Provider(issuer, configuration(prefix, aliases));

  if (on('STRICT_AUTH')) {
    // By itself the library takes either place for the secret.
    const { compareClientSecret } = provider.Client.prototype;
    provider.Client.prototype.compareClientSecret = function compare(secret) {
      const used = Provider.ctx.oidc.params.client_secret ? 'client_secret_post' : 'client_secret_basic';
      return used === this.clientAuthMethod && compareClientSecret.call(this, secret);
    };
  }

  // The answer may be a page, so the error code comes from the library's events.
  const codes = new WeakMap();
  const logged = ['token', 'device_authorization', 'userinfo', 'revocation', 'introspection', 'pushed_authorization_request'];
  for (const route of logged) {
    provider.on(`${route === 'token' ? 'grant' : route}.error`, (ctx, err) => codes.set(ctx, err.error));
  }
  provider.on('server_error', (ctx, err) => {
    codes.set(ctx, 'server_error');
    console.error(err);
  });

  provider.use(async (ctx, next) => {
    if (ctx.path.startsWith('/interaction/')) {
      try {
        await interact(provider, ctx);
      } catch (err) {
        ctx.status = err.statusCode ?? 500;
        ctx.type = 'html';
        ctx.body = errorPage({ error: err.error ?? 'error', error_description: err.error_description ?? err.message });
      }
      return;
    }

    await next();

    const route = ctx.oidc?.route;
    if (route === 'device_authorization' && ctx.status === 200) {
      const body = { ...ctx.body };
      if (deviceInterval !== undefined) body.interval = deviceInterval;
      if (on('NO_COMPLETE_URI')) delete body.verification_uri_complete;
      ctx.body = body;
    }
    if (logged.includes(route)) {
      console.error(JSON.stringify({
        time: Date.now(),
        endpoint: route,
        method: ctx.method,
        status: ctx.status,
        grant_type: ctx.oidc.params?.grant_type,
        client: ctx.oidc.client?.clientId,
        host: ctx.host,
        error: codes.get(ctx),
      }));
    }
  });

  const answer = provider.callback();
  const metadata = '/.well-known/oauth-authorization-server';
  const handler = (req, res) => {
    // An issuer with a path: the library sees what follows it, and the whole as originalUrl.
    if (prefix) {
      if (req.url === metadata + prefix) req.url = prefix + metadata;
      if (!req.url.startsWith(`${prefix}/`)) {
        res.writeHead(404).end();
        return;
      }
      req.originalUrl = req.url;
      req.url = req.url.slice(prefix.length);
    }
    answer(req, res);
  };
  return { provider, handler };
}

// What a client has an answer to is in the log before the echo of a line that came later.
createInterface({ input: process.stdin }).on('line', (line) => {
  console.error(JSON.stringify({ time: Date.now(), echo: line }));
});
for (const event of ['end', 'close', 'error']) process.stdin.on(event, () => process.exit(0));
for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => process.exit(0));

const tls = Boolean(env.TLS_CERT && env.TLS_KEY);
if (!tls && (env.TLS_CERT || env.TLS_KEY)) fail('TLS_CERT and TLS_KEY go together');
const server = tls
  ? https.createServer({
    cert: readFileSync(env.TLS_CERT),
    key: readFileSync(env.TLS_KEY),
    // The library says what is wrong with a certificate.
    ...(env.CLIENT_CA && { ca: readFileSync(env.CLIENT_CA), requestCert: true, rejectUnauthorized: false }),
  })
  : http.createServer();
server.on('error', (err) => fail(`cannot listen: ${err.message}`));

const host = env.HOST || '127.0.0.1';
server.listen(number('PORT', 0, 0), host, () => {
  const { port } = server.address();
  const base = `${tls ? 'https' : 'http'}://${host.includes(':') ? `[${host}]` : host}:${port}`;
  const issuer = (env.ISSUER || base).replaceAll('{port}', port);
  const { hostname, origin, pathname } = new URL(issuer);
  const prefix = pathname.replace(/\/$/, '');
  const alias = (name) => `https://${env.MTLS_HOST}:${port}${prefix}/${name}`;
  const aliases = env.MTLS_HOST ? {
    mtls_endpoint_aliases: {
      token_endpoint: alias('token'),
      revocation_endpoint: alias('token/revocation'),
      introspection_endpoint: alias('token/introspection'),
    },
  } : {};
  const { provider, handler } = start(issuer, prefix, aliases);
  server.on('request', handler);

  // An issuer elsewhere (for a client that must notice that) is not where the endpoints are.
  const reachable = /^(localhost|127\..*|\[::1\])$/.test(hostname) ? origin : base;
  const url = (route) => reachable + provider.pathFor(route);
  process.stdout.write(`${JSON.stringify({
    issuer,
    endpoints: {
      authorization: url('authorization'),
      device: url('device_authorization'),
      token: url('token'),
      userinfo: url('userinfo'),
      revocation: url('revocation'),
      introspection: url('introspection'),
    },
  })}\n`);
});
