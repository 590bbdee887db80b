// Stock clients of OAuth on Node.js. Each line on standard input is JSON: what is to be done, and with what.
// Each is answered by a line of JSON; between the lines a person answers on the pages of the server.
import { createInterface } from 'node:readline'
import { Auth } from '@auth/core'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import * as strict from 'oauth4webapi'
import * as openid from 'openid-client'
import PassportStrategy from 'passport-oauth2'
import simple from 'simple-oauth2'

const kept = {}

// openid-client: discovery, code with PKCE, state and nonce, userinfo, refresh, introspection, revocation, logout.
async function openidBegins({ issuer, id, secret, callback, scope }) {
  const config = await openid.discovery(new URL(issuer), id, secret, openid.ClientSecretPost(secret), {
    execute: [openid.allowInsecureRequests],
  })
  const verifier = openid.randomPKCECodeVerifier()
  const expected = { pkceCodeVerifier: verifier, expectedState: openid.randomState(), expectedNonce: openid.randomNonce() }
  kept.openid = { config, expected }
  const url = openid.buildAuthorizationUrl(config, {
    redirect_uri: callback,
    scope,
    state: expected.expectedState,
    nonce: expected.expectedNonce,
    code_challenge: await openid.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
  })
  return { url: url.href }
}

async function openidEnds({ location, logout }) {
  const { config, expected } = kept.openid
  const tokens = await openid.authorizationCodeGrant(config, new URL(location), { ...expected, idTokenExpected: true })
  const sub = tokens.claims().sub
  const user = await openid.fetchUserInfo(config, tokens.access_token, sub)
  const renewed = await openid.refreshTokenGrant(config, tokens.refresh_token)
  const told = await openid.tokenIntrospection(config, renewed.access_token)
  await openid.tokenRevocation(config, renewed.refresh_token)
  const after = await openid.tokenIntrospection(config, renewed.access_token)
  const keys = createRemoteJWKSet(new URL(config.serverMetadata().jwks_uri))
  const { protectedHeader } = await jwtVerify(tokens.id_token, keys, { issuer: config.serverMetadata().issuer })
  const end = openid.buildEndSessionUrl(config, { id_token_hint: tokens.id_token, post_logout_redirect_uri: logout, state: 's' })
  return { sub, user: user.sub, active: told.active, after: after.active, signed: protectedHeader.alg, end: end.href }
}

// The same, which asks by a request object that it signs (RFC 9101), and which takes nothing but an ID token.
async function jarKey() {
  kept.jar = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign', 'verify'])
  return await crypto.subtle.exportKey('jwk', kept.jar.publicKey)
}

async function jarBegins({ issuer, id, secret, callback, scope }) {
  const config = await openid.discovery(new URL(issuer), id, secret, openid.ClientSecretPost(secret), {
    execute: [openid.allowInsecureRequests],
  })
  const verifier = openid.randomPKCECodeVerifier()
  const expected = { pkceCodeVerifier: verifier, expectedState: openid.randomState(), expectedNonce: openid.randomNonce() }
  kept.openid = { config, expected }
  const asked = {
    redirect_uri: callback,
    scope,
    state: expected.expectedState,
    nonce: expected.expectedNonce,
    code_challenge: await openid.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
  }
  const url = await openid.buildAuthorizationUrlWithJAR(config, asked, kept.jar.privateKey)
  return { url: url.href, beside: [...url.searchParams.keys()].sort() }
}

async function jarEnds({ location }) {
  const { config, expected } = kept.openid
  const tokens = await openid.authorizationCodeGrant(config, new URL(location), { ...expected, idTokenExpected: true })
  return { sub: tokens.claims().sub }
}

async function implicitBegins({ issuer, id, callback }) {
  const config = await openid.discovery(new URL(issuer), id, undefined, openid.None(), { execute: [openid.allowInsecureRequests] })
  openid.useIdTokenResponseType(config)
  kept.implicit = { config, nonce: openid.randomNonce(), state: openid.randomState() }
  const { nonce, state } = kept.implicit
  return { url: openid.buildAuthorizationUrl(config, { redirect_uri: callback, scope: 'openid email', nonce, state }).href }
}

async function implicitEnds({ location }) {
  const { config, nonce, state } = kept.implicit
  const claims = await openid.implicitAuthentication(config, new URL(location), nonce, { expectedState: state })
  return { sub: claims.sub, email: claims.email }
}

async function openidByItself({ issuer, id, secret }) {
  const config = await openid.discovery(new URL(issuer), id, secret, openid.ClientSecretBasic(secret), {
    execute: [openid.allowInsecureRequests],
  })
  const bound = openid.getDPoPHandle(config, await openid.randomDPoPKeyPair())
  const plain = await openid.clientCredentialsGrant(config)
  const held = await openid.clientCredentialsGrant(config, undefined, { DPoP: bound })
  const resource = new URL('/v1/auth/verify', issuer)
  const answer = await openid.fetchProtectedResource(config, held.access_token, resource, 'GET', null, new Headers(), { DPoP: bound })
  return { plain: plain.token_type, held: held.token_type, status: answer.status }
}

async function deviceBegins({ issuer, id }) {
  const config = await openid.discovery(new URL(issuer), id, undefined, openid.None(), { execute: [openid.allowInsecureRequests] })
  kept.device = { config, begun: await openid.initiateDeviceAuthorization(config, { scope: 'read' }) }
  return { code: kept.device.begun.user_code }
}

async function deviceEnds() {
  const tokens = await openid.pollDeviceAuthorizationGrant(kept.device.config, { ...kept.device.begun, interval: 0.1 })
  return { token: tokens.access_token }
}

// oauth4webapi, the strictest reader of answers: a pushed request, tokens bound to a key.
async function strictBegins({ issuer, id, secret, callback, scope }) {
  const options = { [strict.allowInsecureRequests]: true }
  const url = new URL(issuer)
  const as = await strict.processDiscoveryResponse(url, await strict.discoveryRequest(url, options))
  const client = { client_id: id }
  const auth = strict.ClientSecretPost(secret)
  const DPoP = strict.DPoP(client, await strict.generateKeyPair('ES256'))
  const verifier = strict.generateRandomCodeVerifier()
  const [state, nonce] = [strict.generateRandomState(), strict.generateRandomNonce()]
  const parameters = new URLSearchParams({
    client_id: id,
    redirect_uri: callback,
    response_type: 'code',
    scope,
    state,
    nonce,
    code_challenge: await strict.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
  })
  const pushed = await strict.pushedAuthorizationRequest(as, client, auth, parameters, { ...options, DPoP })
  const { request_uri } = await strict.processPushedAuthorizationResponse(as, client, pushed)
  kept.strict = { as, client, auth, DPoP, verifier, state, nonce, callback, options }
  const to = new URL(as.authorization_endpoint)
  to.search = new URLSearchParams({ client_id: id, request_uri })
  return { url: to.href }
}

async function strictEnds({ location }) {
  const { as, client, auth, DPoP, verifier, state, nonce, callback, options } = kept.strict
  const parameters = strict.validateAuthResponse(as, client, new URL(location), state)
  const answer = await strict.authorizationCodeGrantRequest(as, client, auth, parameters, callback, verifier, { ...options, DPoP })
  const tokens = await strict.processAuthorizationCodeResponse(as, client, answer, { expectedNonce: nonce, requireIdToken: true })
  const { sub } = strict.getValidatedIdTokenClaims(tokens)
  const info = await strict.userInfoRequest(as, client, tokens.access_token, { ...options, DPoP })
  const user = await strict.processUserInfoResponse(as, client, sub, info)
  const again = await strict.refreshTokenGrantRequest(as, client, auth, tokens.refresh_token, { ...options, DPoP })
  const renewed = await strict.processRefreshTokenResponse(as, client, again)
  const revoked = await strict.revocationRequest(as, client, auth, renewed.refresh_token, options)
  await strict.processRevocationResponse(revoked)
  return { type: tokens.token_type, sub, user: user.sub, renewed: renewed.token_type }
}

// The same for itself: client credentials, and what the server says of the token.
async function strictByItself({ issuer, id, secret }) {
  const options = { [strict.allowInsecureRequests]: true }
  const url = new URL(issuer)
  const as = await strict.processDiscoveryResponse(url, await strict.discoveryRequest(url, options))
  const client = { client_id: id }
  const auth = strict.ClientSecretBasic(secret)
  const asked = await strict.clientCredentialsGrantRequest(as, client, auth, { scope: 'read' }, options)
  const tokens = await strict.processClientCredentialsResponse(as, client, asked)
  const told = () => strict.introspectionRequest(as, client, auth, tokens.access_token, options)
  const before = await strict.processIntrospectionResponse(as, client, await told())
  const revoked = await strict.revocationRequest(as, client, auth, tokens.access_token, options)
  await strict.processRevocationResponse(revoked)
  const after = await strict.processIntrospectionResponse(as, client, await told())
  return { scope: tokens.scope, whose: before.client_id, active: before.active, after: after.active }
}

async function strictDeviceBegins({ issuer, id }) {
  const options = { [strict.allowInsecureRequests]: true }
  const url = new URL(issuer)
  const as = await strict.processDiscoveryResponse(url, await strict.discoveryRequest(url, options))
  const client = { client_id: id }
  const asked = await strict.deviceAuthorizationRequest(as, client, strict.None(), { scope: 'read' }, options)
  const begun = await strict.processDeviceAuthorizationResponse(as, client, asked)
  kept.strictDevice = { as, client, options, code: begun.device_code }
  return { code: begun.user_code }
}

async function strictDeviceEnds() {
  const { as, client, options, code } = kept.strictDevice
  const asked = await strict.deviceCodeGrantRequest(as, client, strict.None(), code, options)
  return { token: (await strict.processDeviceCodeResponse(as, client, asked)).access_token }
}

// simple-oauth2, as most older applications on Node.js use it.
function simpleConfig({ issuer, id, secret }, paths) {
  const auth = { tokenHost: issuer, tokenPath: '/oauth/token', ...paths }
  // Its default wants JSON of every answer; that to a revocation has no body (RFC 7009, 2.2).
  return { client: { id, secret }, auth, http: { json: true } }
}

async function simpleBegins(given) {
  const paths = { authorizePath: '/oauth/authorize', revokePath: '/oauth/revoke' }
  kept.simple = new simple.AuthorizationCode(simpleConfig(given, paths))
  return { url: kept.simple.authorizeURL({ redirect_uri: given.callback, scope: 'read', state: 's' }) }
}

async function simpleEnds({ code, callback }) {
  const got = await kept.simple.getToken({ code, redirect_uri: callback })
  const renewed = await got.refresh()
  await renewed.revokeAll()
  return { first: got.token.access_token, renewed: renewed.token.access_token }
}

async function simpleByItself(given) {
  const got = await new simple.ClientCredentials(simpleConfig(given)).getToken({ scope: 'read' })
  return { token: got.token.access_token }
}

// passport-oauth2, which Express applications log in with: with a challenge, and a state that the session keeps.
function passportAsked(request) {
  return new Promise((resolve, reject) => {
    const strategy = Object.create(kept.passport)
    Object.assign(strategy, { redirect: (url) => resolve({ url }), success: resolve, error: reject })
    strategy.fail = (challenge) => reject(new Error(JSON.stringify(challenge)))
    strategy.authenticate(request)
  })
}

async function passportBegins({ issuer, id, secret, callback }) {
  const options = {
    authorizationURL: `${issuer}/oauth/authorize`,
    tokenURL: `${issuer}/oauth/token`,
    clientID: id,
    clientSecret: secret,
    callbackURL: callback,
    scope: ['openid', 'read'],
    state: true,
    pkce: true,
  }
  const verified = (access, refresh, params, profile, done) => done(null, { access, type: params.token_type })
  kept.passport = new PassportStrategy(options, verified)
  kept.session = {}
  return passportAsked({ query: {}, session: kept.session })
}

async function passportEnds({ location }) {
  return passportAsked({ query: Object.fromEntries(new URL(location).searchParams), session: kept.session })
}

// @auth/core, which Next.js, SvelteKit and others log in with: an OpenID provider that it knows nothing of but its issuer.
const site = 'https://app.example.com'

async function authAsked(path, form) {
  const cookie = Object.entries(kept.cookies).map((pair) => pair.join('=')).join('; ')
  const body = form && new URLSearchParams(form)
  const answer = await Auth(new Request(site + path, { method: form ? 'POST' : 'GET', headers: { cookie }, body }), kept.auth)
  for (const text of answer.headers.getSetCookie()) {
    const [name, value] = text.split(';')[0].split(/=(.*)/s)
    kept.cookies[name] = value
  }
  return answer
}

async function authBegins({ issuer, id, secret }) {
  const provider = {
    id: 'bonafides',
    name: 'Bonafides',
    type: 'oidc',
    issuer,
    clientId: id,
    clientSecret: secret,
    checks: ['pkce', 'state', 'nonce'],
    // The scopes profile and email are answered by userinfo (OpenID Connect Core §5.4); else it reads the ID token alone.
    idToken: false,
  }
  const logger = { error: (error) => (kept.wrong = error), warn: () => {}, debug: () => {} }
  kept.auth = { basePath: '/auth', secret: 'only for this test', trustHost: true, providers: [provider], logger }
  kept.cookies = {}
  const { csrfToken } = await (await authAsked('/auth/csrf')).json()
  const answer = await authAsked('/auth/signin/bonafides', { csrfToken, callbackUrl: site })
  if (kept.wrong) throw kept.wrong
  return { url: answer.headers.get('location') }
}

async function authEnds({ location }) {
  await authAsked(location.slice(site.length))
  if (kept.wrong) throw kept.wrong
  return (await authAsked('/auth/session')).json()
}

const steps = {
  openidBegins, openidEnds, openidByItself, deviceBegins, deviceEnds, strictBegins, strictEnds, strictByItself, strictDeviceBegins, strictDeviceEnds, simpleBegins, simpleEnds, simpleByItself,
  passportBegins, passportEnds, authBegins, authEnds, jarKey, jarBegins, jarEnds, implicitBegins, implicitEnds,
}

for await (const line of createInterface({ input: process.stdin })) {
  const { step, ...given } = JSON.parse(line)
  try {
    console.log(JSON.stringify(await steps[step](given)))
  } catch (error) {
    const cause = error.cause?.message ?? JSON.stringify(error.cause ?? error.data?.payload ?? null)
    console.log(JSON.stringify({ failed: `${step}: ${error.code ?? error.name}: ${error.message}: ${cause}` }))
  }
}
