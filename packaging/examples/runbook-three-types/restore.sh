#!/bin/sh -eu
# Run in the checkout. Takes the database back to the backup that belongs to the revision which is gone to: all of it or nothing.
. ./.env
[ -r "${ROLLBACKD_BACKUP-}" ] || { echo "no backup to restore: '${ROLLBACKD_BACKUP-}'" >&2; exit 1; }
sql=$(mktemp)
trap 'rm -f "$sql"' EXIT
pg_restore --no-owner --file="$sql" "$ROLLBACKD_BACKUP"
# Tables that came after the backup go, too.
psql -Xq1 -v ON_ERROR_STOP=1 -d "$DATABASE_URL" -c 'DROP SCHEMA public CASCADE; CREATE SCHEMA public' -f "$sql"
echo "restored $ROLLBACKD_BACKUP"
