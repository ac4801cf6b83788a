#!/usr/bin/env python3
"""The demonstration shop with what the runbooks speak of besides: accounts in PostgreSQL, queues that drain, a cache in Redis.

It lies beside shop.py in the repository of its test. run/settings.json: database (the port of PostgreSQL), redis (its port).
release.json: as the shop's, and register_fails (nobody can sign up any more).
"""

import json
import re
import socket
import subprocess
import sys
import threading
import time

import shop

JOB_SECONDS = 0.5  # so long a job that was begun is worked at after its queue was paused
QUEUES = ("email", "invoices")


def connects(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
        return True
    except OSError:
        return False


def sql(port, text):
    """What a statement answers; raises where the database does not take it."""
    done = subprocess.run(["/usr/lib/postgresql/15/bin/psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", str(port), "-U", "shop",
                           "-d", "shop", "-c", text], capture_output=True, text=True, timeout=10, check=True)
    return done.stdout.strip()


class Queues:
    """Each has a job under way all the time, until it is paused; then the one under way is finished."""

    def __init__(self):
        self.lock = threading.Lock()
        self.paused_since = {name: None for name in QUEUES}

    def pause(self, name, yes):
        with self.lock:
            self.paused_since[name] = time.monotonic() if yes else None

    def counts(self):
        with self.lock:
            at_work = [since is None or time.monotonic() - since < JOB_SECONDS for since in self.paused_since.values()]
            return {"active": sum(at_work), "waiting": 3, "paused": [name for name, since in self.paused_since.items() if since is not None]}


class Cache:
    """Pages in Redis, in its own protocol."""

    def __init__(self, port):
        self.port, self.lock, self.connection = port, threading.Lock(), None

    def ask(self, *words):
        with self.lock:
            try:
                if self.connection is None:
                    self.connection = socket.create_connection(("127.0.0.1", self.port), timeout=2).makefile("rwb")
                self.connection.write((" ".join(words) + "\r\n").encode())
                self.connection.flush()
                answer = self.connection.readline()
                if answer.startswith(b"$") and not answer.startswith(b"$-1"):
                    return self.connection.readline()
                return None
            except OSError:
                self.connection = None
                return None

    def page(self, route):
        if self.ask("GET", f"page:{route}") is None:
            self.ask("SET", f"page:{route}", "kept")


class Handler(shop.Handler):
    settings = {}
    queues = Queues()
    cache = None

    def do_GET(self):
        path = self.path.split("?")[0]
        if path == "/api/health" and "database" in self.settings:
            well = connects(self.settings["database"])
            self.answer_json(200 if well else 503, {"status": "ok" if well else "down", "database": "connected" if well else "gone"})
        elif path == "/api/queues":
            self.answer_json(200, self.queues.counts())
        elif path == "/api/accounts":
            self.answer_json(200, {"accounts": int(sql(self.settings["database"], "SELECT count(*) FROM accounts"))})
        else:
            if self.cache and path in shop.PAGES:
                self.cache.page(shop.PAGES[path])
            super().do_GET()

    def do_POST(self):
        path = self.path.split("?")[0]
        queue = re.fullmatch(r"/api/queues/([a-z]+)/(pause|resume)", path)
        if queue:
            self.queues.pause(queue[1], queue[2] == "pause")
        elif "database" in self.settings and path in ("/api/auth/register", "/api/auth/login"):
            sent = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or "{}")
            self.sign(path, sent.get("email", ""), sent.get("password", ""))
            return
        super().do_POST()

    def sign(self, path, email, password):
        if not re.fullmatch(r"[\w.@-]+", email) or not re.fullmatch(r"[\w-]+", password):
            self.answer_json(400, {})
        elif self.server.release.get("register_fails") and path.endswith("register"):
            self.answer_json(500, {})
        else:
            try:
                if path.endswith("register"):
                    sql(self.settings["database"], f"INSERT INTO accounts (email, password) VALUES ('{email}', '{password}')")
                    self.answer_json(201, {})
                    return
                known = sql(self.settings["database"], f"SELECT count(*) FROM accounts WHERE email = '{email}' AND password = '{password}'") != "0"
                self.answer_json(200 if known else 401, {"token": "for " + email} if known else {})
            except subprocess.SubprocessError:
                self.answer_json(500, {})


if __name__ == "__main__":
    Handler.settings = shop.read_json(shop.FOLDER / "run" / "settings.json")
    if "redis" in Handler.settings:
        Handler.cache = Cache(Handler.settings["redis"])
    shop.Handler = Handler
    sys.exit(shop.main())
