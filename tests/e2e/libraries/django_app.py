#!/usr/bin/env python3
"""PORT: a Django application with django-prometheus, set up as its documentation shows."""

import socketserver
import sys
import time
import wsgiref.simple_server

import django
from django.conf import settings

settings.configure(
    ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"], SECRET_KEY="of a test", INSTALLED_APPS=["django_prometheus"],
    MIDDLEWARE=["django_prometheus.middleware.PrometheusBeforeMiddleware", "django_prometheus.middleware.PrometheusAfterMiddleware"])
django.setup()

from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.http import HttpResponse  # noqa: E402
from django.urls import include, path  # noqa: E402


def page(status=200, seconds=0.0):
    def view(_):
        time.sleep(seconds)
        return HttpResponse("ok\n", status=status)
    return view


urlpatterns = [path("ok", page(), name="ok"), path("health", page(), name="health"), path("bad", page(500), name="bad"),
               path("slow", page(seconds=0.7), name="slow"), path("", include("django_prometheus.urls"))]


class Server(socketserver.ThreadingMixIn, wsgiref.simple_server.WSGIServer):
    daemon_threads = True


class Quiet(wsgiref.simple_server.WSGIRequestHandler):
    def log_message(self, *_):
        pass


wsgiref.simple_server.make_server("127.0.0.1", int(sys.argv[1]), get_wsgi_application(), Server, Quiet).serve_forever()
