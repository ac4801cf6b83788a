// PORT: a Fastify application with fastify-metrics, set up as its documentation shows.
const fastify = require("fastify")();
const metrics = require("fastify-metrics");

async function main() {
  await fastify.register(metrics.default ?? metrics, { endpoint: "/metrics" });
  for (const path of ["/ok", "/health"]) fastify.get(path, async () => "ok\n");
  fastify.get("/bad", async (_, reply) => reply.code(500).send("bad\n"));
  fastify.get("/slow", async () => new Promise((done) => setTimeout(() => done("slow\n"), 700)));
  await fastify.listen({ port: Number(process.argv[2]), host: "127.0.0.1" });
}
main();
