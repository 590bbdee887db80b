// node-oidc-provider in memory: hands out tokens by client credentials, opaque ones, of which it answers introspection, and,
// for the resource that asks for it, JWTs that are signed with ES256.
import { generateKeyPairSync } from "node:crypto";
import { createServer } from "node:http";
import { Provider } from "oidc-provider";

const port = Number(process.argv[2]);
const key = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({ format: "jwk" });
const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [
    {
      client_id: "bench",
      client_secret: "bench-secret",
      grant_types: ["client_credentials"],
      redirect_uris: [],
      response_types: [],
      id_token_signed_response_alg: "ES256",
    },
  ],
  scopes: ["read", "write"],
  jwks: { keys: [{ ...key, use: "sig", alg: "ES256" }] },
  features: {
    clientCredentials: { enabled: true },
    introspection: { enabled: true },
    devInteractions: { enabled: false },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: () => ({ scope: "read write", accessTokenFormat: "jwt", jwt: { sign: { alg: "ES256" } } }),
    },
  },
  ttl: { ClientCredentials: 86_400 },
});
createServer(provider.callback()).listen(port, "127.0.0.1");
