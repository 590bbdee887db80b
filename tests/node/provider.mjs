// node-oidc-provider (certified) in memory, set up as the server that it stands beside.
// The first line on standard input is JSON: the clients. Each other line names what is wanted, as "code app": made, and answered by a line of JSON.
import { createServer } from 'node:http'
import { createInterface } from 'node:readline'
import { Provider } from 'oidc-provider'

const port = Number(process.argv[2])
const scope = 'openid offline_access read'
// It says on the console how much of its set-up is for development alone; nobody reads that here.
console.info = console.warn = () => {}

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()
const next = async () => (await lines.next()).value
const { clients, redirect, challenge } = JSON.parse(await next())

const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients,
  scopes: ['openid', 'offline_access', 'read', 'write'],
  clientAuthMethods: ['client_secret_basic', 'client_secret_post', 'none'],
  pkce: { required: () => true },
  clientBasedCORS: () => true,
  enableHttpPostMethods: true,
  cookies: { long: { sameSite: 'none' } },
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
  features: {
    clientCredentials: { enabled: true },
    claimsParameter: { enabled: true },
    deviceFlow: { enabled: true },
    devInteractions: { enabled: false },
    introspection: { enabled: true },
    registration: { enabled: true, initialAccessToken: false },
    registrationManagement: { enabled: true, rotateRegistrationAccessToken: false },
    revocation: { enabled: true },
  },
  interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
})

async function made(what, client) {
  const common = { accountId: 'person', clientId: client }
  const grant = new provider.Grant(common)
  grant.addOIDCScope(scope)
  const grantId = await grant.save()
  const known = { ...common, client: await provider.Client.find(client), grantId, scope, authTime: Math.floor(Date.now() / 1000), claims: {}, gty: 'authorization_code' }
  if (what === 'code') {
    return new provider.AuthorizationCode({ ...known, redirectUri: redirect, codeChallenge: challenge, codeChallengeMethod: 'S256', nonce: 'n' }).save()
  }
  if (what === 'refresh') return new provider.RefreshToken(known).save()
  return new provider.AccessToken(known).save()
}

createServer(provider.callback()).listen(port, '127.0.0.1')
console.log('ready')
for (let line = await next(); line !== undefined; line = await next()) console.log(JSON.stringify(await made(...line.split(' '))))
process.exit()
