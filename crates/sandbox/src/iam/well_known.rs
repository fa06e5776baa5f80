//! What exists without anybody's doing: Databricks' account with its master role, and AWS's managed policies.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use fastrand::Rng;
use policy::Document;
use serde_json::json;

use super::entity::{Account, Grants, Inline, ManagedPolicy, Role, Version};
use super::identifier::{self, Kind};
use super::store::AWS;
use super::tag::Tags;
use super::visibility::Delayed;
use crate::sts::{Caller, Identity};

/// The account of Databricks in the commercial partition.
pub const DATABRICKS_ACCOUNT: &str = "414351767826";

/// The role by which Unity Catalog reaches its customers' roles.
pub const UNITY_CATALOG_MASTER_ROLE: &str =
    "arn:aws:iam::414351767826:role/unity-catalog-prod-UCMasterRole-14S5ZJVKOTYTL";

/// The seed of the ids here: they are the same in every sandbox, as they are in every customer's view of AWS.
const SEED: u64 = 414_351_767_826;

/// The name that sessions of the master role carry.
const MASTER_SESSION: &str = "unity-catalog";

/// The accounts at the start.
pub(crate) fn accounts(now: SystemTime) -> BTreeMap<String, Account> {
    let mut random = Rng::with_seed(SEED);
    let mut databricks = Account::default();
    let role = master_role(&mut random, now);
    databricks.roles.insert(role.name.to_lowercase(), role);
    let mut aws = Account::default();
    for (name, actions) in [
        ("AdministratorAccess", json!("*")),
        ("AmazonKinesisFullAccess", json!("kinesis:*")),
        ("AmazonKinesisReadOnlyAccess", json!(["kinesis:Get*", "kinesis:List*", "kinesis:Describe*"])),
    ] {
        aws.policies.insert(name.to_lowercase(), aws_policy(name, &actions, &mut random, now));
    }
    BTreeMap::from([(DATABRICKS_ACCOUNT.to_owned(), databricks), (AWS.to_owned(), aws)])
}

/// A session of the master role.
pub(crate) fn master_caller(accounts: &BTreeMap<String, Account>) -> Caller {
    let role = accounts
        .get(DATABRICKS_ACCOUNT)
        .and_then(|account| account.roles.values().find(|role| role.arn == UNITY_CATALOG_MASTER_ROLE));
    Caller {
        account: DATABRICKS_ACCOUNT.to_owned(),
        identity: Identity::Session {
            role_arn: UNITY_CATALOG_MASTER_ROLE.to_owned(),
            role_name: role.map(|role| role.name.clone()).unwrap_or_default(),
            role_id: role.map(|role| role.id.clone()).unwrap_or_default(),
            session_name: MASTER_SESSION.to_owned(),
        },
    }
}

fn master_role(random: &mut Rng, now: SystemTime) -> Role {
    let trust = document(&json!({ "Version": "2012-10-17", "Statement": [{
        "Effect": "Allow",
        "Principal": { "Service": "ec2.amazonaws.com" },
        "Action": "sts:AssumeRole",
    }] }));
    let may_assume = document(&json!({ "Version": "2012-10-17", "Statement": [{
        "Effect": "Allow",
        "Action": "sts:AssumeRole",
        "Resource": "*",
    }] }));
    let grants = Grants {
        inline: BTreeMap::from([(
            "assume-customer-roles".to_owned(),
            Inline { length: may_assume.to_string().len(), document: may_assume },
        )]),
        ..Grants::default()
    };
    let name = UNITY_CATALOG_MASTER_ROLE.rsplit('/').next().unwrap_or_default();
    Role {
        name: name.to_owned(),
        path: "/".to_owned(),
        id: identifier::unique_id(Kind::Role, random),
        arn: UNITY_CATALOG_MASTER_ROLE.to_owned(),
        created: now,
        visible_from: now,
        description: None,
        max_session: Duration::from_hours(1),
        tags: Tags::default(),
        trust: Delayed::new(trust, now, Duration::ZERO),
        grants: Delayed::new(grants, now, Duration::ZERO),
    }
}

fn aws_policy(name: &str, actions: &serde_json::Value, random: &mut Rng, now: SystemTime) -> ManagedPolicy {
    let document = document(&json!({ "Version": "2012-10-17", "Statement": [{
        "Effect": "Allow",
        "Action": actions,
        "Resource": "*",
    }] }));
    ManagedPolicy {
        name: name.to_owned(),
        path: "/".to_owned(),
        id: identifier::unique_id(Kind::Policy, random),
        arn: format!("arn:aws:iam::aws:policy/{name}"),
        description: None,
        created: now,
        updated: now,
        versions: BTreeMap::from([(1, Version { document: document.clone(), created: now })]),
        next_version: 2,
        default_version: Delayed::new((1, document), now, Duration::ZERO),
        tags: Tags::default(),
    }
}

#[expect(clippy::expect_used, reason = "the documents are constants of this file, and a test reads them all")]
fn document(value: &serde_json::Value) -> Arc<Document> {
    Arc::new(Document::from_value(value.clone()).expect("a well-formed policy"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_master_role_exists_from_the_start() {
        let accounts = accounts(SystemTime::UNIX_EPOCH);
        let caller = master_caller(&accounts);
        assert_eq!(
            caller.arn(),
            "arn:aws:sts::414351767826:assumed-role/unity-catalog-prod-UCMasterRole-14S5ZJVKOTYTL/unity-catalog"
        );
        assert!(caller.user_id().starts_with("AROA"), "{}", caller.user_id());
        assert_eq!(accounts[AWS].policies.len(), 3);
    }
}
