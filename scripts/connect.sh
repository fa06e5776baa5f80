#!/usr/bin/env bash
# Connects a Kinesis stream to Databricks, step by step as the guide does. Each step adds what it made to FILE, so that
# disconnect.sh can take down whatever there is. Run it again at any time: it changes only what differs.
# Sign in first: aws login, databricks auth login.
#
#   scripts/connect.sh [--check | --credential-first] [FILE]      FILE is connection.json unless you name one
#
#   --check              change nothing; exit 0 when everything is there, in sync and valid
#   --credential-first   no placeholder: the credential first, then the role with its final trust
#   --help               this text
#
# STREAM, ROLE and CREDENTIAL name the three things; AWS_PROFILE, AWS_REGION and DATABRICKS_CONFIG_PROFILE say where.
set -euo pipefail

stream=${STREAM:-sensor-readings} role=${ROLE:-databricks-kinesis-role} credential=${CREDENTIAL:-kinesis-sensor-credential}
order=guide file=
for word in "$@"; do
  case $word in
    --help | -h) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0" && exit ;;
    --check) order=check ;;
    --credential-first) order=credential ;;
    -*) echo "connect.sh: unknown option $word; see connect.sh --help" >&2 && exit 2 ;;
    *) file=$word ;;
  esac
done
file=${file:-connection.json}

if [[ $order == check ]]; then
  # One after the other, so that the first thing that is missing is the last thing said.
  document=$(kstream show "$stream" </dev/null)
  document=$(iam-role show "$role" <<<"$document")
  document=$(dbx-cred show "$credential" <<<"$document")
  document=$(trust-sync --check <<<"$document")
  dbx-cred validate --once <<<"$document" >/dev/null
  echo "connect.sh: $stream, $role and $credential are connected" >&2
  exit
fi

# The document goes in and comes out with one more member. A step that fails leaves what was made before it in FILE.
step() {
  "$@" --doc "$file" >"$file.new" && mv -- "$file.new" "$file" && return
  local code=$?
  rm -f -- "$file.new"
  echo "connect.sh: stopped at $1; run it again, or take down what there is: scripts/disconnect.sh $file" >&2
  exit "$code"
}
[[ -s $file ]] || echo '{}' >"$file"

step kstream ensure "$stream"
if [[ $order == credential ]]; then
  step dbx-cred ensure "$credential" --role "$role"
  step iam-policy-gen trust --form arn-like --role "$role"
else
  step iam-policy-gen trust
fi
step iam-policy-gen permissions --role "$role"
step iam-role ensure "$role"
[[ $order == credential ]] || step dbx-cred ensure "$credential"
step trust-sync "$role"
step dbx-cred validate "$credential"
echo "connect.sh: connected; the connection document is $file, scripts/disconnect.sh $file takes it down" >&2
