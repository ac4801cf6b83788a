// PORT METRICS_PORT: an application of node:http alone, measured by OpenTelemetry as its documentation shows.
const { MeterProvider } = require("@opentelemetry/sdk-metrics");
const { PrometheusExporter } = require("@opentelemetry/exporter-prometheus");
const { registerInstrumentations } = require("@opentelemetry/instrumentation");
const { HttpInstrumentation } = require("@opentelemetry/instrumentation-http");

const [, , port, metricsPort] = process.argv;
const meterProvider = new MeterProvider({ readers: [new PrometheusExporter({ host: "127.0.0.1", port: Number(metricsPort) })] });
registerInstrumentations({ meterProvider, instrumentations: [new HttpInstrumentation()] });

require("http").createServer((request, response) => {
  response.statusCode = request.url === "/bad" ? 500 : 200;
  setTimeout(() => response.end("ok\n"), request.url === "/slow" ? 700 : 0);
}).listen(Number(port), "127.0.0.1");
