// An API on Node.js that verifies tokens by itself: it keeps the key set for as long as it is not told that this has run out.
// A line on standard input is a token, or empty: fetch the key set again. Each is answered by a line: "ok", or what went wrong.
import { createInterface } from 'node:readline'
import { createRemoteJWKSet, decodeJwt, jwtVerify } from 'jose'

const [keySet, issuer] = process.argv.slice(2)
const keys = createRemoteJWKSet(new URL(keySet), { cacheMaxAge: Infinity, cooldownDuration: Infinity })

for await (const line of createInterface({ input: process.stdin })) {
  try {
    if (line === '') {
      await keys.reload()
    } else {
      // The clock of the server is not that of this machine.
      const currentDate = new Date(decodeJwt(line).iat * 1000)
      await jwtVerify(line, keys, { issuer, audience: issuer, algorithms: ['EdDSA'], currentDate })
    }
    console.log('ok')
  } catch (error) {
    console.log(`${error.code ?? error.name}: ${error.message}`)
  }
}
