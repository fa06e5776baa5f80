#!/usr/bin/env python3
"""boto3 against the sandbox: `kinbricks-sandbox -- python3 aws_clients.py`.

Every step checks what it gets. Exits 77 when boto3 is not installed.
"""

import json
import sys
import time

try:
    import boto3
    from botocore.exceptions import ClientError
except ImportError as missing:
    print(missing, file=sys.stderr)
    sys.exit(77)

MASTER = "arn:aws:iam::414351767826:role/unity-catalog-prod-UCMasterRole-14S5ZJVKOTYTL"


def trust(*principals):
    """A trust policy for these principals."""
    statement = {"Effect": "Allow", "Principal": {"AWS": list(principals)}, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def allow(resource, *actions):
    """A permission policy of one statement."""
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": resource}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def refused(code, call, **arguments):
    """The call has to fail with this code; gives the sentence."""
    try:
        call(**arguments)
    except ClientError as error:
        found = error.response["Error"]
        assert found["Code"] == code, found
        return found["Message"]
    raise AssertionError(f"{code} was expected")


def eventually(call, **arguments):
    """Repeats a call that fails until a change has spread."""
    for _ in range(500):
        try:
            return call(**arguments)
        except ClientError:
            time.sleep(0.01)
    return call(**arguments)


def main():
    iam, sts, kinesis = (boto3.client(name) for name in ("iam", "sts", "kinesis"))
    account = sts.get_caller_identity()["Account"]
    assert account == "123456789012"
    assert iam.get_user()["User"]["Arn"].endswith(":root")

    kinesis.create_stream(StreamName="orders", StreamModeDetails={"StreamMode": "ON_DEMAND"})
    kinesis.get_waiter("stream_exists").wait(StreamName="orders", WaiterConfig={"Delay": 1})
    stream = kinesis.describe_stream_summary(StreamName="orders")["StreamDescriptionSummary"]
    arn = stream["StreamARN"]
    assert stream["OpenShardCount"] == 4, stream
    put = kinesis.put_record(StreamName="orders", Data=b"hello", PartitionKey="a")

    created = iam.create_role(RoleName="reader", AssumeRolePolicyDocument=trust(MASTER), Tags=[{"Key": "a", "Value": "b"}])
    role = created["Role"]
    assert role["RoleId"].startswith("AROA") and role["Tags"] == [{"Key": "a", "Value": "b"}], role
    assert role["AssumeRolePolicyDocument"]["Statement"][0]["Principal"] == {"AWS": MASTER}, role
    iam.get_waiter("role_exists").wait(RoleName="reader")
    iam.create_user(UserName="bob")
    bob = f"arn:aws:iam::{account}:user/bob"
    eventually(iam.update_assume_role_policy, RoleName="reader", PolicyDocument=trust(MASTER, role["Arn"], bob))

    policy = iam.create_policy(PolicyName="read", PolicyDocument=allow(arn, "kinesis:Get*", "kinesis:ListShards"))
    policy_arn = policy["Policy"]["Arn"]
    iam.attach_role_policy(RoleName="reader", PolicyArn=policy_arn)
    version = iam.create_policy_version(
        PolicyArn=policy_arn, PolicyDocument=allow(arn, "kinesis:*Iterator", "kinesis:GetRecords"), SetAsDefault=True
    )
    assert version["PolicyVersion"]["VersionId"] == "v2", version
    document = iam.get_policy_version(PolicyArn=policy_arn, VersionId="v2")["PolicyVersion"]["Document"]
    assert sorted(document["Statement"][0]["Action"]) == ["kinesis:*Iterator", "kinesis:GetRecords"], document

    message = refused("AccessDenied", sts.assume_role, RoleArn=role["Arn"], RoleSessionName="test")
    assert message == "Roles may not be assumed by root accounts.", message
    key = iam.create_access_key(UserName="bob")["AccessKey"]
    as_bob = boto3.client(
        "sts", aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"]
    )
    session = eventually(as_bob.assume_role, RoleArn=role["Arn"], RoleSessionName="test")
    keys = session["Credentials"]
    assert session["AssumedRoleUser"]["Arn"].endswith(":assumed-role/reader/test"), session
    assert keys["Expiration"].timestamp() > time.time() + 3500, keys["Expiration"]

    reader = boto3.client(
        "kinesis",
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
    )
    iterator = eventually(
        reader.get_shard_iterator, StreamName="orders", ShardId=put["ShardId"], ShardIteratorType="TRIM_HORIZON"
    )["ShardIterator"]
    assert reader.get_records(ShardIterator=iterator)["Records"][0]["Data"] == b"hello"
    message = refused("AccessDeniedException", reader.put_record, StreamName="orders", Data=b"x", PartitionKey="a")
    assert "kinesis:PutRecord" in message and arn in message, message

    consumer = kinesis.register_stream_consumer(StreamARN=arn, ConsumerName="follower")["Consumer"]["ConsumerARN"]
    events = eventually(
        kinesis.subscribe_to_shard,
        ConsumerARN=consumer,
        ShardId=put["ShardId"],
        StartingPosition={"Type": "TRIM_HORIZON"},
    )["EventStream"]
    first = next(iter(events))["SubscribeToShardEvent"]
    assert first["Records"][0]["Data"] == b"hello", first
    events.close()

    refused("DeleteConflict", iam.delete_role, RoleName="reader")
    iam.detach_role_policy(RoleName="reader", PolicyArn=policy_arn)
    iam.delete_policy_version(PolicyArn=policy_arn, VersionId="v1")
    iam.delete_policy(PolicyArn=policy_arn)
    iam.delete_role(RoleName="reader")
    refused("NoSuchEntity", iam.get_role, RoleName="reader")
    iam.delete_access_key(UserName="bob", AccessKeyId=key["AccessKeyId"])
    iam.delete_user(UserName="bob")
    refused("InvalidClientTokenId", as_bob.get_caller_identity)

    names = [f"role-{index}" for index in range(7)]
    for name in names:
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust(MASTER))
    pages = iam.get_paginator("list_roles").paginate(PaginationConfig={"PageSize": 3})
    assert [role["RoleName"] for page in pages for role in page["Roles"]] == names
    print("all well")


if __name__ == "__main__":
    main()
