#!/bin/sh -eu
# maintenance.sh ENVIRONMENT on|off: the web server answers with the maintenance page while this file is there.
. "$(dirname "$0")/$1.env"
case $2 in
on) touch "$MAINTENANCE" ;;
off) rm -f "$MAINTENANCE" ;;
*) echo "usage: maintenance.sh ENVIRONMENT on|off" >&2; exit 2 ;;
esac
