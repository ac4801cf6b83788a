// PORT: a Hono application with its prometheus middleware, set up as its documentation shows.
const { Hono } = require("hono");
const { serve } = require("@hono/node-server");
const { prometheus } = require("@hono/prometheus");

const app = new Hono();
const { printMetrics, registerMetrics } = prometheus();
app.use("*", registerMetrics);
app.get("/metrics", printMetrics);
for (const path of ["/ok", "/health"]) app.get(path, (c) => c.text("ok\n"));
app.get("/bad", (c) => c.text("bad\n", 500));
app.get("/slow", async (c) => {
  await new Promise((done) => setTimeout(done, 700));
  return c.text("slow\n");
});
serve({ fetch: app.fetch, port: Number(process.argv[2]), hostname: "127.0.0.1" });
