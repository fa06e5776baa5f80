#!/usr/bin/env python3
"""Drives the sandbox's Databricks workspace with the official SDK for Python.

Usage: databricks_client.py ROLE_ARN

Reads DATABRICKS_HOST and DATABRICKS_TOKEN, as the SDK does. ROLE_ARN must not let Databricks in yet: once the
credential is there its external id is printed, and a line on stdin says that the role's trust policy now has it.
Exits 0 when every step went as it does at Databricks, 77 when the SDK is not installed, 1 otherwise.
"""

import json
import os
import sys
import urllib.parse
import urllib.request

try:
    from databricks.sdk import WorkspaceClient
    from databricks.sdk.core import Config
    from databricks.sdk.errors import BadRequest, NotFound, PermissionDenied, ResourceConflict, Unauthenticated
    from databricks.sdk.service import catalog
except ImportError:
    print("databricks-sdk is not installed", file=sys.stderr)
    sys.exit(77)

NAME = "sdk-credential"


def client(**settings):
    # The SDK refuses two ways to log in at once, so the environment's must not be there.
    return WorkspaceClient(config=Config(host=HOST, **settings))


def expect(error, call, text=""):
    try:
        call()
    except error as refused:
        assert text in str(refused), f"`{text}` is not in `{refused}`"
        assert refused.get_error_details().request_info.request_id, "the error names no request"
        return
    raise AssertionError(f"{error.__name__} was expected")


def sandbox(path, body=None):
    request = urllib.request.Request(
        f"{HOST}/_sandbox/databricks/{path}",
        data=json.dumps(body).encode() if body else None,
        headers={"Authorization": f"Bearer {TOKEN}"},
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


def life_of_a_credential(w, role_arn):
    role = catalog.AwsIamRole(role_arn=role_arn)
    service = catalog.CredentialPurpose.SERVICE
    create = lambda: w.credentials.create_credential(NAME, aws_iam_role=role, purpose=service, skip_validation=True)
    created = create()
    assert created.aws_iam_role.external_id and created.aws_iam_role.unity_catalog_iam_arn, created
    assert created.purpose == service and created.isolation_mode == catalog.IsolationMode.ISOLATION_MODE_OPEN
    expect(ResourceConflict, create, "already exists")
    assert w.credentials.get_credential(NAME.upper()) == created
    assert NAME in [c.name for c in w.credentials.list_credentials(purpose=service, max_results=0)]
    changed = w.credentials.update_credential(NAME, comment="from the SDK")
    assert changed.comment == "from the SDK" and changed.aws_iam_role == created.aws_iam_role
    expect(BadRequest, lambda: w.credentials.update_credential(NAME, aws_iam_role=created.aws_iam_role), "external_id")
    return created.aws_iam_role.external_id


def trust(w, external_id):
    service = catalog.CredentialPurpose.SERVICE
    results = lambda: [
        check.result.value
        for check in w.credentials.validate_credential(credential_name=NAME, purpose=service).results
    ]
    vend = lambda: w.credentials.generate_temporary_service_credential(NAME)
    assert results()[0] == "FAIL", results()
    expect(BadRequest, vend, "not configured correctly")
    print(external_id, flush=True)
    assert sys.stdin.readline(), "nobody repaired the trust policy"
    assert results() == ["PASS", "PASS", "PASS"], results()
    keys = vend()
    assert keys.aws_temp_credentials.access_key_id.startswith("ASIA"), "no session keys"
    assert keys.expiration_time > 1_000_000_000_000, "not in milliseconds"


def other_people(w):
    made = sandbox("principals", {"service_principal": "sdk-robot"})
    robot = client(client_id=made["client_id"], client_secret=made["client_secret"])
    assert robot.current_user.me().user_name == made["name"]
    vend = lambda: robot.credentials.generate_temporary_service_credential(NAME)
    expect(PermissionDenied, vend, "does not have any privilege")
    access = catalog.PermissionsChange(principal=made["name"], add=[catalog.Privilege.ACCESS])
    granted = w.grants.update("credential", NAME, changes=[access])
    assert granted.privilege_assignments[0].principal == made["name"], granted
    assert robot.credentials.get_credential(NAME).name == NAME
    expect(PermissionDenied, lambda: robot.credentials.delete_credential(NAME))
    expect(Unauthenticated, lambda: client(token="dapi0").credentials.get_credential(NAME))


def workload_identity():
    subject = "repo:acme/sdk"
    made = sandbox("principals", {"service_principal": "sdk-ci", "federated_subject": subject})
    path = f"identity-token?subject={urllib.parse.quote(subject)}"
    audience = urllib.parse.quote(f"{HOST}/oidc/v1/token")
    os.environ["DATABRICKS_OIDC_TOKEN"] = sandbox(f"{path}&audience={audience}")["value"]
    os.environ["ACTIONS_ID_TOKEN_REQUEST_URL"] = f"{HOST}/_sandbox/databricks/{path}"
    os.environ["ACTIONS_ID_TOKEN_REQUEST_TOKEN"] = TOKEN
    for auth_type in ["env-oidc", "github-oidc"]:
        ci = client(client_id=made["client_id"], auth_type=auth_type)
        assert ci.current_user.me().user_name == made["name"], auth_type


def isolation(w):
    binding = catalog.WorkspaceBinding(workspace_id=w.get_workspace_id())
    w.workspace_bindings.update_bindings("credential", NAME, add=[binding])
    isolated = catalog.IsolationMode.ISOLATION_MODE_ISOLATED
    assert w.credentials.update_credential(NAME, isolation_mode=isolated).isolation_mode == isolated
    bound = list(w.workspace_bindings.get_bindings("credential", NAME))
    assert [b.workspace_id for b in bound] == [w.get_workspace_id()], bound
    assert w.metastores.current().workspace_id == w.get_workspace_id()
    assert w.metastores.summary().region


def retries(w):
    sandbox("faults", {"operation": "GetCredential", "status": 429, "retry_after": 0})
    assert w.credentials.get_credential(NAME).name == NAME, "the SDK retries what is throttled"


def main():
    w = client(token=TOKEN)
    assert w.current_user.me().user_name
    external_id = life_of_a_credential(w, sys.argv[1])
    trust(w, external_id)
    other_people(w)
    workload_identity()
    isolation(w)
    retries(w)
    w.credentials.delete_credential(NAME)
    expect(NotFound, lambda: w.credentials.get_credential(NAME), "does not exist")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    HOST, TOKEN = os.environ.pop("DATABRICKS_HOST"), os.environ.pop("DATABRICKS_TOKEN")
    main()
