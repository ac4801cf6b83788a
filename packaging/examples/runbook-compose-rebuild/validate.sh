#!/bin/sh -eu
# validate.sh BACKEND FRONTEND is run after the switch: exit code 0 when the release that runs now is one to stay on.
get() { curl -fsS --max-time 10 "$1"; }

get "$1/api/health" | grep -q '"database": *"connected"' || { echo "the backend does not reach its database" >&2; exit 1; }
get "$2/" | grep -q '<h1>' || { echo "the frontend has no heading" >&2; exit 1; }
get "$1/api/accounts" | grep -q '"accounts": *[1-9]' || { echo "there are no accounts" >&2; exit 1; }
echo "valid"
