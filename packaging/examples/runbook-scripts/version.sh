#!/bin/sh -eu
# version.sh ENVIRONMENT PART prints what runs: the commit of the backend, the folder of the frontend's release.
. "$(dirname "$0")/$1.env"
case $2 in
backend) exec git -C "$BACKEND" rev-parse HEAD ;;
frontend) exec basename "$(readlink -f "$FRONTEND/current")" ;;
*) echo "no part $2" >&2; exit 2 ;;
esac
