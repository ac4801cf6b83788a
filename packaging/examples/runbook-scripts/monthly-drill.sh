#!/bin/sh -u
# monthly-drill.sh ENVIRONMENT shows for each part what a rollback would do now, and changes nothing. Exit code 1 where one could not be done.
# In /etc/cron.d/rollback-drill:   0 10 1 * * root /usr/local/lib/shop/monthly-drill.sh production
. "$(dirname "$0")/$1.env"
failed=0
for service in $SERVICES; do
  echo "== $service"
  plan=$(rollbackd rollback "$service" --plan) || failed=1
  echo "$plan"
  if echo "$plan" | grep -q '^not ready'; then failed=1; fi
done
exit $failed
