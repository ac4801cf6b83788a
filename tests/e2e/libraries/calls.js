// PORT: a gRPC server with nice-grpc-prometheus, set up as its documentation shows, behind a front that turns /CODE into a call.
const http = require("http");
const { createChannel, createClient, createServer, ServerError, Status } = require("nice-grpc");
const { prometheusServerMiddleware, registry } = require("nice-grpc-prometheus");

const same = (bytes) => bytes;
const definition = {
  get: {
    path: "/shop.Shop/Get", requestStream: false, responseStream: false, requestSerialize: same, requestDeserialize: same,
    responseSerialize: same, responseDeserialize: same, options: {},
  },
};
const shop = {
  async get(request) {
    const path = Buffer.from(request).toString().slice(1);
    if (path === "slow") await new Promise((done) => setTimeout(done, 700));
    const code = path === "bad" ? Status.INTERNAL : Status[path.toUpperCase()];
    if (code !== undefined && code !== Status.OK) throw new ServerError(code, "as asked");
    return Buffer.alloc(0);
  },
};

async function main() {
  const server = createServer().use(prometheusServerMiddleware());
  server.add(definition, shop);
  const client = createClient(definition, createChannel(`127.0.0.1:${await server.listen("127.0.0.1:0")}`));
  http.createServer(async (request, response) => {
    if (request.url === "/metrics") return response.end(await registry.metrics());
    if (request.url !== "/health") await client.get(Buffer.from(request.url)).catch(() => (response.statusCode = 500));
    return response.end("ok\n");
  }).listen(Number(process.argv[2]), "127.0.0.1");
}
main();
