#!/bin/sh -eu
# restore-database.sh ENVIRONMENT takes the database back to the backup that the deploy script has named: all of it or nothing. What is there
# now is kept beside that backup.
. "$(dirname "$0")/$1.env"
[ -r "${ROLLBACKD_BACKUP-}" ] || { echo "no backup to restore: '${ROLLBACKD_BACKUP-}'" >&2; exit 1; }
pg_dump --format=custom --file="$(dirname "$ROLLBACKD_BACKUP")/before-restore-$ROLLBACKD_INCIDENT.dump" "$DATABASE_URL"
sql=$(mktemp)
trap 'rm -f "$sql"' EXIT
pg_restore --no-owner --file="$sql" "$ROLLBACKD_BACKUP"
psql -Xq1 -v ON_ERROR_STOP=1 -d "$DATABASE_URL" -c 'DROP SCHEMA public CASCADE; CREATE SCHEMA public' -f "$sql"
echo "restored $ROLLBACKD_BACKUP"
