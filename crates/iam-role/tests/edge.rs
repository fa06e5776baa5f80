//! What is really sent to IAM and read from it: order of calls, parameters, retries, error codes.
#![expect(clippy::unwrap_used, reason = "a helper that fails must fail its test")]

use clap::Parser;
use config::{Document, Fault, Kind, Outcome, Output};
use live_role::script::{Played, Script, attached, inline_names, policy, role};
use serde_json::{Value, json};

const ROLE: &str = "arn:aws:iam::123456789012:role/databricks-kinesis-role";
const POLICY: &str = "arn:aws:iam::123456789012:policy/databricks-kinesis-policy";
const MASTER: &str = "arn:aws:iam::414351767826:role/unity-catalog-prod-UCMasterRole-14S5ZJVKOTYTL";
const STREAM: &str = "arn:aws:kinesis:eu-central-1:123456789012:stream/sensor-readings";

fn trust() -> Value {
    json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": MASTER},
        "Action": "sts:AssumeRole", "Condition": {"StringEquals": {"sts:ExternalId": "0000"}}}]})
}

fn permissions(stream: &str) -> Value {
    json!({"Version": "2012-10-17", "Statement": [
        {"Sid": "ReadStream", "Effect": "Allow", "Action": ["kinesis:ListShards", "kinesis:GetRecords"], "Resource": stream},
        {"Sid": "SelfAssume", "Effect": "Allow", "Action": "sts:AssumeRole", "Resource": ROLE}]})
}

fn document() -> Value {
    json!({"kinbricks": 1, "policies": {"trust": trust(), "permissions": permissions(STREAM)}})
}

/// The script begins with a role that is there.
fn with_role() -> Script {
    Script::new().answer(
        "GetRole",
        &[("RoleName", "databricks-kinesis-role")],
        &role(ROLE, "AROAEXAMPLE", &trust().to_string()),
    )
}

/// Runs `iam-role ARGS` with `document` on stdin; the outcome with stdout.
async fn run(played: &Played, args: &[&str], document: &Value) -> (Result<Outcome, Fault>, String) {
    let args = iam_role::Args::try_parse_from([&["iam-role"], args].concat()).unwrap();
    let document = Document::parse(&document.to_string()).unwrap();
    let mut stdout = Vec::new();
    let mut output = Output::new(&mut stdout, false);
    let ended = iam_role::run(&args, document, &played.iam, &played.world, &mut output).await;
    drop(output);
    (ended, String::from_utf8(stdout).unwrap())
}

/// Runs to a good end, with the whole script played.
async fn done(played: &Played, args: &[&str], document: &Value) -> Value {
    let (ended, stdout) = run(played, args, document).await;
    assert_eq!(ended, Ok(Outcome::Done), "{}", played.said());
    assert_eq!(played.left(), Vec::<String>::new());
    serde_json::from_str(&stdout).unwrap()
}

#[tokio::test]
async fn a_second_run_writes_nothing() {
    // The same permissions, with their lists in another order and as IAM shortens them.
    let live = json!({"Version": "2012-10-17", "Statement": [
        {"Sid": "SelfAssume", "Effect": "Allow", "Action": ["sts:AssumeRole"], "Resource": [ROLE]},
        {"Sid": "ReadStream", "Effect": "Allow", "Action": ["kinesis:GetRecords", "kinesis:ListShards"], "Resource": [STREAM]}]});
    let played = with_role()
        .answer("ListAttachedRolePolicies", &[], &attached(&[POLICY]))
        .reads_policy(POLICY, "v3", &live.to_string())
        .play();
    let printed = done(&played, &["ensure"], &document()).await;
    assert_eq!(
        printed["role"],
        json!({"name": "databricks-kinesis-role", "arn": ROLE, "id": "AROAEXAMPLE", "policy_arn": POLICY, "policy_version": "v3"})
    );
    assert_eq!(
        played.said(),
        "tool: unchanged role `databricks-kinesis-role`\ntool: unchanged policy `databricks-kinesis-policy` (v3)\n"
    );
}

#[tokio::test]
async fn the_role_is_made_before_its_policy_and_retried_while_it_is_only_early() {
    let attach = [("RoleName", "databricks-kinesis-role"), ("PolicyArn", POLICY)];
    let played = Script::new()
        .missing("GetRole")
        .refuse("CreateRole", 409, "ConcurrentModification", "Somebody else is writing.")
        .refuse("CreateRole", 400, "MalformedPolicyDocument", "Invalid principal in policy: \"AWS\":\"x\"")
        .answer(
            "CreateRole",
            &[("AssumeRolePolicyDocument", &trust().to_string()), ("Tags.member.1.Key", "team")],
            &role(ROLE, "AROAEXAMPLE", &trust().to_string()),
        )
        .answer("ListAttachedRolePolicies", &[], &attached(&[]))
        .missing("GetPolicy")
        .answer(
            "CreatePolicy",
            &[
                ("PolicyName", "databricks-kinesis-policy"),
                ("PolicyDocument", &permissions(STREAM).to_string()),
            ],
            &policy(POLICY, "v1"),
        )
        .refuse("AttachRolePolicy", 404, "NoSuchEntity", "The role cannot be found.")
        .answer("AttachRolePolicy", &attach, "")
        .play();
    let printed = done(&played, &["ensure", "--tag", "team=sensors"], &document()).await;
    assert_eq!(printed["role"]["policy_version"], "v1");
    let said = played.said();
    for line in ["created role", "created policy", "attached policy", "waited"] {
        assert!(said.contains(line), "{said}");
    }
}

#[tokio::test]
async fn a_trust_policy_that_is_really_wrong_is_not_tried_again() {
    let played = Script::new()
        .missing("GetRole")
        .refuse("CreateRole", 400, "MalformedPolicyDocument", "Has prohibited field Resource")
        .play();
    let (ended, _) = run(&played, &["ensure"], &document()).await;
    let fault = ended.unwrap_err();
    assert_eq!((fault.kind(), fault.code()), (Kind::Usage, Some("MalformedPolicyDocument")));
    assert!(fault.to_text("t").contains("Has prohibited field Resource"));
    assert_eq!(played.actions(), ["GetRole", "CreateRole"]);
}

#[tokio::test]
async fn somebody_who_was_quicker_is_no_error() {
    let played = Script::new()
        .missing("GetRole")
        .refuse("CreateRole", 409, "EntityAlreadyExists", "Role exists.")
        .answer("GetRole", &[], &role(ROLE, "AROAEXAMPLE", &trust().to_string()))
        .answer("ListAttachedRolePolicies", &[], &attached(&[]))
        .missing("GetPolicy")
        .refuse("CreatePolicy", 409, "EntityAlreadyExists", "Policy exists.")
        .reads_policy(POLICY, "v1", &permissions(STREAM).to_string())
        .answer("AttachRolePolicy", &[], "")
        .play();
    done(&played, &["ensure"], &document()).await;
}

#[tokio::test]
async fn an_id_in_place_of_the_arn_is_not_believed() {
    let played = Script::new()
        .answer("GetRole", &[], &role("AROAEXAMPLE", "AROAEXAMPLE", &trust().to_string()))
        .answer("GetRole", &[], &role(ROLE, "AROAEXAMPLE", &trust().to_string()))
        .answer("ListAttachedRolePolicies", &[], &attached(&[POLICY]))
        .reads_policy(POLICY, "v1", &permissions(STREAM).to_string())
        .play();
    done(&played, &["ensure"], &document()).await;
}

#[tokio::test]
async fn the_oldest_version_makes_room() {
    let versions = ["v12", "v9", "v10", "v11", "v2"]
        .map(|version| {
            format!(
                "<member><VersionId>{version}</VersionId><IsDefaultVersion>false</IsDefaultVersion></member>"
            )
        })
        .concat();
    let versions = format!("<Versions>{versions}</Versions><IsTruncated>false</IsTruncated>");
    let played = with_role()
        .answer("ListAttachedRolePolicies", &[], &attached(&[POLICY]))
        // The default one is the oldest: it cannot be dropped.
        .reads_policy(POLICY, "v2", &permissions(&format!("{STREAM}-old")).to_string())
        .answer("ListPolicyVersions", &[("PolicyArn", POLICY)], &versions)
        .answer("DeletePolicyVersion", &[("VersionId", "v9")], "")
        .answer(
            "CreatePolicyVersion",
            &[("SetAsDefault", "true"), ("PolicyDocument", &permissions(STREAM).to_string())],
            "<PolicyVersion><VersionId>v13</VersionId></PolicyVersion>",
        )
        .play();
    let printed = done(&played, &["ensure"], &document()).await;
    assert_eq!(printed["role"]["policy_version"], "v13");
    assert!(played.said().contains("dropped version v9"), "{}", played.said());
}

#[tokio::test]
async fn a_policy_that_somebody_attached_by_hand_is_taken_over() {
    let by_hand = "arn:aws:iam::123456789012:policy/team/kinesis-by-hand";
    let played = with_role()
        .answer(
            "ListAttachedRolePolicies",
            &[],
            &attached(&[by_hand, "arn:aws:iam::aws:policy/ReadOnlyAccess"]),
        )
        .missing("GetPolicy")
        .reads_policy(by_hand, "v2", &permissions(STREAM).to_string())
        .play();
    let printed = done(&played, &["ensure"], &document()).await;
    assert_eq!(printed["role"]["policy_arn"], by_hand);
    assert!(played.said().contains("taking over policy `kinesis-by-hand`"), "{}", played.said());
}

#[tokio::test]
async fn long_lists_are_read_to_their_end() {
    let page = "<AttachedPolicies><member><PolicyName>a</PolicyName><PolicyArn>arn:aws:iam::aws:policy/a</PolicyArn></member></AttachedPolicies>\
        <IsTruncated>true</IsTruncated><Marker>more</Marker>";
    let played = with_role()
        .answer("ListAttachedRolePolicies", &[], page)
        .answer("ListAttachedRolePolicies", &[("Marker", "more")], &attached(&[POLICY]))
        .reads_policy(POLICY, "v1", &permissions(STREAM).to_string())
        .play();
    done(&played, &["ensure"], &document()).await;
}

#[tokio::test]
async fn check_writes_nothing_and_says_what_it_would() {
    let played = with_role()
        .answer("ListAttachedRolePolicies", &[], &attached(&[]))
        .reads_policy(
            POLICY,
            "v1",
            &permissions("arn:aws:kinesis:eu-central-1:123456789012:stream/other").to_string(),
        )
        .play();
    let (ended, _) = run(&played, &["ensure", "--check", "--tag", "team=sensors"], &document()).await;
    assert_eq!(ended, Ok(Outcome::Incomplete));
    let said = played.said();
    for line in ["would set the tags team=sensors", "would update policy", "would attach policy"] {
        assert!(said.contains(line), "{said}");
    }
    assert!(played.actions().iter().all(|action| action.starts_with("Get") || action.starts_with("List")));
}

#[tokio::test]
async fn a_broken_live_trust_policy_is_named_but_not_touched() {
    let open = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": MASTER}, "Action": "sts:AssumeRole"}]});
    let played = Script::new()
        .answer("GetRole", &[], &role(ROLE, "AROAEXAMPLE", &open.to_string()))
        .answer("ListAttachedRolePolicies", &[], &attached(&[POLICY]))
        .reads_policy(POLICY, "v1", &permissions(STREAM).to_string())
        .play();
    done(&played, &["ensure"], &document()).await;
    let said = played.said();
    assert!(said.contains("left the trust policy of role `databricks-kinesis-role` as it is"), "{said}");
}

#[tokio::test]
async fn throttled_for_ever_is_transient_and_denied_is_refused() {
    let played = Script::new()
        .refuse("GetRole", 403, "AccessDenied", "User: u is not authorized to perform: iam:GetRole")
        .play();
    let (ended, stdout) = run(&played, &["ensure"], &document()).await;
    let fault = ended.unwrap_err();
    assert_eq!((fault.kind(), stdout.as_str()), (Kind::Refused, ""));
    assert!(fault.to_text("t").contains("iam:GetRole") && fault.hint().unwrap().contains("aws-check"));

    let throttled = Script::new().refuse("GetRole", 400, "Throttling", "Rate exceeded");
    let throttled = throttled.refuse("GetRole", 400, "Throttling", "Rate exceeded").refuse(
        "GetRole",
        400,
        "Throttling",
        "Rate exceeded",
    );
    let (ended, _) = run(&throttled.play(), &["ensure"], &document()).await;
    assert_eq!(ended.unwrap_err().kind(), Kind::Transient);
}

fn no_instance_profiles(script: Script) -> Script {
    script.answer("ListInstanceProfilesForRole", &[], "<InstanceProfiles/><IsTruncated>false</IsTruncated>")
}

fn used_by(roles: &[&str]) -> String {
    let roles =
        roles.iter().map(|name| format!("<member><RoleName>{name}</RoleName></member>")).collect::<Vec<_>>();
    format!("<PolicyRoles>{}</PolicyRoles><IsTruncated>false</IsTruncated>", roles.concat())
}

#[tokio::test]
async fn delete_undoes_everything_in_the_order_that_iam_accepts() {
    let versions = "<Versions><member><VersionId>v2</VersionId></member><member><VersionId>v1</VersionId></member></Versions><IsTruncated>false</IsTruncated>";
    let script = with_role().answer("ListAttachedRolePolicies", &[], &attached(&[POLICY]));
    let played = no_instance_profiles(script)
        .answer("DetachRolePolicy", &[("PolicyArn", POLICY)], "")
        .answer("ListEntitiesForPolicy", &[("PolicyArn", POLICY)], &used_by(&["databricks-kinesis-role"]))
        .answer("ListPolicyVersions", &[], versions)
        .reads_policy(POLICY, "v2", &permissions(STREAM).to_string())
        .answer("DeletePolicyVersion", &[("VersionId", "v1")], "")
        .refuse("DeletePolicy", 409, "DeleteConflict", "Cannot delete a policy attached to entities.")
        .answer("DeletePolicy", &[("PolicyArn", POLICY)], "")
        .answer("ListRolePolicies", &[], &inline_names(&["by-hand"]))
        .answer("DeleteRolePolicy", &[("PolicyName", "by-hand")], "")
        .refuse("DeleteRole", 409, "DeleteConflict", "Cannot delete entity, must detach all policies first.")
        .answer("DeleteRole", &[("RoleName", "databricks-kinesis-role")], "")
        .play();
    let connection = json!({"kinbricks": 1, "extra": 1.50, "role": {"name": "databricks-kinesis-role", "arn": ROLE, "policy_arn": POLICY}});
    let printed = done(&played, &["delete", "--yes"], &connection).await;
    assert_eq!(printed, json!({"kinbricks": 1, "extra": 1.50}));
}

#[tokio::test]
async fn what_is_gone_already_is_said_and_passed_over() {
    let script = with_role().answer("ListAttachedRolePolicies", &[], &attached(&[POLICY]));
    let played = no_instance_profiles(script)
        .missing("DetachRolePolicy")
        .missing("ListEntitiesForPolicy")
        .missing("ListPolicyVersions")
        .missing("GetPolicy")
        .missing("DeletePolicy")
        .missing("ListRolePolicies")
        .missing("DeleteRole")
        .play();
    done(&played, &["delete", "databricks-kinesis-role", "--yes"], &json!({})).await;
    let said = played.said();
    assert_eq!(said.matches("already").count(), 3, "{said}");
}

#[tokio::test]
async fn a_policy_that_another_role_uses_is_kept() {
    let script = with_role().answer("ListAttachedRolePolicies", &[], &attached(&[POLICY]));
    let played = no_instance_profiles(script)
        .answer("DetachRolePolicy", &[], "")
        .answer("ListEntitiesForPolicy", &[], &used_by(&["databricks-kinesis-role", "other"]))
        .answer("ListRolePolicies", &[], &inline_names(&[]))
        .answer("DeleteRole", &[], "")
        .play();
    done(&played, &["delete", "databricks-kinesis-role", "--yes"], &json!({})).await;
    assert!(played.said().contains("kept policy `databricks-kinesis-policy`: role `other` uses it too"));
}

#[tokio::test]
async fn foreign_policies_and_instance_profiles_stop_a_delete_before_it_changes_anything() {
    let foreign = "arn:aws:iam::aws:policy/ReadOnlyAccess";
    let played = with_role().answer("ListAttachedRolePolicies", &[], &attached(&[POLICY, foreign])).play();
    let (ended, _) = run(&played, &["delete", "databricks-kinesis-role", "--yes"], &json!({})).await;
    let fault = ended.unwrap_err();
    assert!(
        fault.message().contains("`ReadOnlyAccess`")
            && fault.hint().unwrap().ends_with("--yes --detach-foreign")
    );

    let profile = "<InstanceProfiles><member><Path>/</Path><InstanceProfileName>machines</InstanceProfileName><InstanceProfileId>AIPAEXAMPLE</InstanceProfileId>\
        <Arn>arn:aws:iam::123456789012:instance-profile/machines</Arn><CreateDate>2024-01-15T10:00:00Z</CreateDate><Roles/></member></InstanceProfiles><IsTruncated>false</IsTruncated>";
    let played = with_role()
        .answer("ListAttachedRolePolicies", &[], &attached(&[POLICY]))
        .answer("ListInstanceProfilesForRole", &[], profile)
        .play();
    let (ended, _) = run(&played, &["delete", "databricks-kinesis-role", "--yes"], &json!({})).await;
    assert!(
        ended
            .unwrap_err()
            .hint()
            .unwrap()
            .contains("remove-role-from-instance-profile --instance-profile-name machines")
    );
    assert!(played.actions().iter().all(|action| action.starts_with("Get") || action.starts_with("List")));
}

#[tokio::test]
async fn show_finds_everything_that_decides() {
    let boundary = "arn:aws:iam::123456789012:policy/boundary";
    let members = live_role::script::role_members(ROLE, "AROAEXAMPLE", &trust().to_string());
    let shown = format!(
        "<Role>{members}<PermissionsBoundary><PermissionsBoundaryType>Policy</PermissionsBoundaryType><PermissionsBoundaryArn>{boundary}</PermissionsBoundaryArn></PermissionsBoundary>\
         <Tags><member><Key>team</Key><Value>sensors</Value></member></Tags></Role>"
    );
    let deny = json!({"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": "kinesis:*", "Resource": "*"}});
    let played = Script::new()
        .answer("GetRole", &[], &shown)
        .answer("ListAttachedRolePolicies", &[], &attached(&[POLICY]))
        .reads_policy(POLICY, "v1", &permissions(STREAM).to_string())
        .answer("ListRolePolicies", &[], &inline_names(&["no-kinesis"]))
        .answer(
            "GetRolePolicy",
            &[("PolicyName", "no-kinesis")],
            &format!("<RoleName>r</RoleName><PolicyName>no-kinesis</PolicyName><PolicyDocument>{}</PolicyDocument>", live_role::script::encoded(&deny.to_string())),
        )
        .reads_policy(boundary, "v1", &json!({"Version": "2012-10-17", "Statement": []}).to_string())
        .play();
    let printed = done(&played, &["show", "databricks-kinesis-role"], &json!({})).await;
    let role = &printed["role"];
    assert_eq!((&role["policy_arn"], &role["tags"]["team"]), (&json!(POLICY), &json!("sensors")));
    assert_eq!(role["permissions_boundary"]["name"], "boundary");
    assert_eq!(role["denies"][0]["policy"], "no-kinesis");
    assert_eq!(role["denies"][0]["pointer"], "/Statement");
    let said = played.said();
    assert!(
        said.contains("permissions boundary `boundary`") && said.contains("policy `no-kinesis` refuses"),
        "{said}"
    );
}
