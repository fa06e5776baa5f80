#!/usr/bin/env bash
# Connects a Kinesis stream to Databricks, step by step as the guide does, and writes what it made to a file.
# Run it again at any time: it changes only what differs. Sign in first: aws login, databricks auth login.
#
#   scripts/connect.sh [--check] [FILE]     FILE is connection.json unless you name one
#   scripts/connect.sh --credential-first   no placeholder: the credential first, then the role with its final trust
#
#   --check   change nothing; exit 0 when everything is there, in sync and valid
#   --help    this text
#
# STREAM, ROLE and CREDENTIAL name the three things; AWS_PROFILE, AWS_REGION and DATABRICKS_CONFIG_PROFILE say where.
set -euo pipefail

stream=${STREAM:-sensor-readings} role=${ROLE:-databricks-kinesis-role} credential=${CREDENTIAL:-kinesis-sensor-credential}
order=guide
case "${1-}" in
  --help | -h) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0" && exit ;;
  --check) order=check && shift ;;
  --credential-first) order=credential && shift ;;
  -*) echo "connect.sh: unknown option $1; see connect.sh --help" >&2 && exit 2 ;;
esac
file=${1:-connection.json}

case $order in
  check)
    # One after the other, so that the first thing that is missing is the last thing said.
    document=$(kstream show "$stream" </dev/null)
    document=$(iam-role show "$role" <<<"$document")
    document=$(dbx-cred show "$credential" <<<"$document")
    document=$(trust-sync --check <<<"$document")
    dbx-cred validate --once <<<"$document" >/dev/null
    echo "connect.sh: $stream, $role and $credential are connected" >&2
    exit
    ;;
  guide)
    kstream ensure "$stream" </dev/null | iam-policy-gen trust | iam-policy-gen permissions --role "$role" |
      iam-role ensure "$role" | dbx-cred ensure "$credential" | trust-sync | dbx-cred validate >"$file.new"
    ;;
  credential)
    kstream ensure "$stream" </dev/null | ROLE="$role" dbx-cred ensure "$credential" --role "$role" |
      iam-policy-gen trust --form arn-like --role "$role" | iam-policy-gen permissions --role "$role" |
      iam-role ensure "$role" | trust-sync --form arn-like | dbx-cred validate >"$file.new"
    ;;
esac
mv "$file.new" "$file"
echo "connect.sh: connected; the connection document is $file, scripts/disconnect.sh $file takes it down" >&2
