#!/usr/bin/env bash
# Installs the clients that the sandbox is tested with: the AWS CLI, boto3, the Databricks SDK for Python, and KPL's
# aggregation in Python. They go into target/clients, where `cargo xtask test` finds them; without them those tests skip.
#
#   scripts/clients.sh
set -euo pipefail
cd "$(dirname "$0")/.."

python3 -m venv target/clients
target/clients/bin/pip install --quiet --disable-pip-version-check \
  'boto3==1.43.11' 'awscli==1.45.11' 'databricks-sdk==0.156.0' 'aws_kinesis_agg==1.2.3'
