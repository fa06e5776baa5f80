#!/usr/bin/env bash
# Takes a connection down again, in reverse: the credential, the role with its policy, the stream with its records.
# Run it again at any time: what is gone already is no error. One that fails does not keep the others: a stream costs.
#
#   scripts/disconnect.sh [--check] [FILE]   FILE is what connect.sh wrote, connection.json unless you name one
#
#   --check   delete nothing; say what would be deleted
#   --help    this text
set -euo pipefail

check= file=
for word in "$@"; do
  case $word in
    --help | -h) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0" && exit ;;
    --check) check=1 ;;
    -*) echo "disconnect.sh: unknown option $word; see disconnect.sh --help" >&2 && exit 2 ;;
    *) file=$word ;;
  esac
done
file=${file:-connection.json}
if [[ ! -s $file ]]; then
  echo "disconnect.sh: there is no $file; name the file that connect.sh wrote" >&2
  exit 2
fi

code=0
for tool in dbx-cred:credential iam-role:role kstream:stream; do
  # What connect.sh did not get to make is not in the document, and nothing else may name it.
  grep -Eq "\"${tool#*:}\" *: *[{]" "$file" || continue
  if [[ -n $check ]]; then
    "${tool%:*}" show --doc "$file" >/dev/null && echo "disconnect.sh: ${tool%:*} would delete it" >&2 || code=$?
  else
    "${tool%:*}" delete --yes --doc "$file" >/dev/null || code=$?
  fi
done
[[ $code == 0 ]] || exit "$code"
[[ -n $check ]] || echo "disconnect.sh: all gone; $file is kept" >&2
