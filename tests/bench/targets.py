#!/usr/bin/env python3
"""targets.py PORT SERIES: answers GET /health and GET /metrics/N on PORT, kept alive or not, in one epoll loop.

/metrics is a page of SERIES series of which two are counters that grow with time, one request in a hundred an error. What it
costs is measured apart from who asks.
"""

import select
import socket
import sys
import time

HEALTH = b"HTTP/1.1 200 OK\r\nContent-Length: 15\r\nContent-Type: application/json\r\n\r\n" + b'{"status":"ok"}'


def filler(series):
    """Gauges and counters as an application has them, beside the two that rules look at."""
    lines = ["# TYPE app_pool_size gauge"]
    lines += [f'app_pool_size{{pool="pool-{i % 50}",shard="{i}",zone="eu-west-{i % 3}"}} {i * 1.5}' for i in range(max(0, series - 2))]
    return ("\n".join(lines) + "\n").encode()


def page(rest, began):
    requests = int((time.monotonic() - began) * 100)
    counters = (f'# TYPE http_requests_total counter\nhttp_requests_total{{code="200"}} {requests}\n'
                f'http_requests_total{{code="500"}} {requests // 100}\n')
    body = counters.encode() + rest
    return b"HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\nContent-Length: %d\r\n\r\n" % len(body) + body


def serve(port, series):
    rest, began = filler(series), time.monotonic()
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen(4096)
    poller = select.epoll()
    poller.register(listener, select.EPOLLIN)
    clients = {}
    print("serving", flush=True)
    while True:
        for number, event in poller.poll():
            if number == listener.fileno():
                client, _ = listener.accept()
                clients[client.fileno()] = client
                poller.register(client, select.EPOLLIN)
                continue
            client = clients[number]
            try:
                asked = client.recv(65536)
                if asked:
                    answer = page(rest, began) if asked.startswith(b"GET /metrics") else HEALTH
                    client.settimeout(5)
                    client.sendall(answer)
                if asked and b"Connection: close" not in asked and b"HTTP/1.0" not in asked:
                    continue
            except OSError:
                pass
            poller.unregister(client)
            clients.pop(number).close()


if __name__ == "__main__":
    serve(int(sys.argv[1]), int(sys.argv[2]))
