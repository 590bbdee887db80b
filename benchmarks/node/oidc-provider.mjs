// node-oidc-provider in memory: hands out one opaque token by client credentials, and answers introspection of it.
import { createServer } from "node:http";
import { Provider } from "oidc-provider";

const port = Number(process.argv[2]);
const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [
    {
      client_id: "bench",
      client_secret: "bench-secret",
      grant_types: ["client_credentials"],
      redirect_uris: [],
      response_types: [],
    },
  ],
  scopes: ["read", "write"],
  features: {
    clientCredentials: { enabled: true },
    introspection: { enabled: true },
    devInteractions: { enabled: false },
  },
  ttl: { ClientCredentials: 86_400 },
});
createServer(provider.callback()).listen(port, "127.0.0.1");
