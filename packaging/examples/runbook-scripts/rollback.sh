#!/bin/sh -eu
# rollback.sh ENVIRONMENT PART REVISION makes another release of a part run, and touches no other part.
. "$(dirname "$0")/$1.env"
case $2 in
backend)
  git -C "$BACKEND" checkout -q --detach "$3"
  $RESTART
  ;;
frontend)
  [ -d "$FRONTEND/releases/$3" ] || { echo "there is no release $3 in $FRONTEND/releases" >&2; exit 1; }
  ln -sfn "releases/$3" "$FRONTEND/current.new"
  mv -T "$FRONTEND/current.new" "$FRONTEND/current"
  ;;
*) echo "no part $2" >&2; exit 2 ;;
esac
