// better-auth with its API key plugin, storing in the process: makes one key, prints it, and verifies what is presented.
import { createServer } from "node:http";
import { apiKey } from "@better-auth/api-key";
import { betterAuth } from "better-auth";
import { memoryAdapter } from "better-auth/adapters/memory";

const port = Number(process.argv[2]);
const tables = { user: [], session: [], account: [], verification: [], apikey: [], rateLimit: [] };
const auth = betterAuth({
  baseURL: `http://127.0.0.1:${port}`,
  secret: "a secret of the benchmark, of forty letters",
  database: memoryAdapter(tables),
  emailAndPassword: { enabled: true },
  logger: { disabled: true },
  telemetry: { enabled: false },
  plugins: [apiKey({ rateLimit: { enabled: true, timeWindow: 3_600_000, maxRequests: 1_000_000_000 } })],
});
const { user } = await auth.api.signUpEmail({
  body: { email: "bench@example.com", password: "correct horse battery", name: "bench" },
});
const { key } = await auth.api.createApiKey({ body: { name: "bench", userId: user.id } });

createServer(async (request, response) => {
  const presented = request.headers.authorization?.slice("Bearer ".length) ?? "";
  const said = await auth.api.verifyApiKey({ body: { key: presented } });
  response.writeHead(said.valid ? 200 : 401, { "content-type": "application/json" });
  response.end(JSON.stringify(said));
}).listen(port, "127.0.0.1", () => console.log(key));
