#!/bin/sh -eu
# Run in the checkout. migrate.sh current: the number of the newest migration that was done; migrate.sh down: undoes that one;
# migrate.sh up: does all that are not done yet. Each is a pair of files: migrations/0008_prices.up.sql and .down.sql.
. ./.env
ask() { psql -XAtq -v ON_ERROR_STOP=1 -d "$DATABASE_URL" "$@"; }
current() { ask -c 'SELECT coalesce(max(number), 0) FROM migrations'; }

# The SQL of a file and its note in the table, both or neither.
apply() { ask -1 -f "$1" -c "$2"; }

case ${1-} in
current) current ;;
down)
  at=$(current)
  for file in migrations/"$(printf %04d "$at")"_*.down.sql; do
    [ -f "$file" ] || { echo "migration $at has no down file in this checkout" >&2; exit 1; }
    apply "$file" "DELETE FROM migrations WHERE number = $at"
    echo "undone: $file"
  done
  ;;
up)
  at=$(current)
  for file in migrations/*.up.sql; do
    number=$(basename "$file" | sed 's/^0*\([0-9]*\)_.*/\1/')
    [ "$number" -gt "$at" ] || continue
    apply "$file" "INSERT INTO migrations (number) VALUES ($number)"
    echo "done: $file"
  done
  ;;
*)
  echo "usage: migrate.sh current|down|up" >&2
  exit 2
  ;;
esac
