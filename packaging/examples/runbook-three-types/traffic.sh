#!/bin/sh -eu
# traffic.sh SHARE: so many of a hundred visitors are let in, the others see the maintenance page. At once, and over a restart of HAProxy.
share=$1
map=/etc/haproxy/traffic.map
admin() { echo "$1" | socat -t 5 - UNIX-CONNECT:/run/haproxy/admin.sock; }

echo "share $share" >"$map.new"
mv "$map.new" "$map"
admin "set map $map share $share"
admin "show map $map" | grep -q " share $share\$" || { echo "HAProxy did not take it" >&2; exit 1; }
