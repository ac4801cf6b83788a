// PORT LIBRARY: an Express application, measured by one of the libraries as its documentation shows.
const express = require("express");
const [, , port, library] = process.argv;
const app = express();

const measured = {
  "express-prom-bundle": () => app.use(require("express-prom-bundle")({ includeMethod: true, includePath: true })),
  "swagger-stats": () => {
    const measures = require("swagger-stats");
    app.use(measures.getMiddleware());
    app.get("/metrics", async (_, response) => response.type("text/plain").send(await measures.getPromStats()));
  },
  "express-prometheus-middleware": () => app.use(require("express-prometheus-middleware")({ metricsPath: "/metrics" })),
  "prometheus-api-metrics": () => app.use(require("prometheus-api-metrics")()),
  "prom-client": () => {
    const client = require("prom-client");
    const labelNames = ["method", "route", "status_code"];
    const requests = new client.Counter({ name: "http_requests_total", help: "Requests answered.", labelNames });
    const duration = new client.Histogram({ name: "http_request_duration_seconds", help: "How long.", labelNames });
    app.use((request, response, next) => {
      const end = duration.startTimer();
      response.on("finish", () => {
        const labels = { method: request.method, route: request.path, status_code: response.statusCode };
        requests.inc(labels);
        end(labels);
      });
      next();
    });
    app.get("/metrics", async (_, response) => response.type(client.register.contentType).send(await client.register.metrics()));
  },
};

measured[library]();
for (const path of ["/ok", "/health"]) app.get(path, (_, response) => response.send("ok\n"));
app.get("/bad", (_, response) => response.status(500).send("bad\n"));
app.get("/slow", (_, response) => setTimeout(() => response.send("slow\n"), 700));
app.listen(Number(port), "127.0.0.1");
