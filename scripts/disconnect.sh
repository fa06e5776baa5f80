#!/usr/bin/env bash
# Takes a connection down again, in reverse: the credential, the role with its policy, the stream with its records.
# Run it again at any time: what is gone already is no error.
#
#   scripts/disconnect.sh [--check] [FILE]   FILE is what connect.sh wrote, connection.json unless you name one
#
#   --check   delete nothing; say what would be deleted
#   --help    this text
set -euo pipefail

check=
case "${1-}" in
  --help | -h) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0" && exit ;;
  --check) check=1 && shift ;;
  -*) echo "disconnect.sh: unknown option $1; see disconnect.sh --help" >&2 && exit 2 ;;
esac
file=${1:-connection.json}
if [[ ! -f $file ]]; then
  echo "disconnect.sh: there is no $file; name the file that connect.sh wrote" >&2
  exit 2
fi

if [[ -n $check ]]; then
  # Each tool says what it finds, or that there is nothing; a document that is not taken down is not changed.
  for tool in dbx-cred iam-role kstream; do
    "$tool" show --doc "$file" >/dev/null && echo "disconnect.sh: $tool would delete it" >&2 || true
  done
  exit
fi
dbx-cred delete --yes <"$file" | iam-role delete --yes | kstream delete --yes >/dev/null
echo "disconnect.sh: all gone; $file is kept" >&2
