//! Users and their keys: enough to try what somebody other than root may do.

use super::super::entity::{AccessKey, Grants, User};
use super::super::identifier::{self, Kind};
use super::super::name::{PathOf, check_name, check_path};
use super::super::page;
use super::super::quota;
use super::super::store::{Call, delete_conflict, no_such_entity};
use super::super::visibility::Delayed;
use super::{nothing, time};
use crate::error::ServiceError;
use crate::query::Xml;
use crate::sts::{Caller, Identity, Key};

/// Keys of one user, by the quotas page.
const KEYS_PER_USER: usize = 2;

pub(super) fn create(call: &mut Call<'_>) -> Result<Xml, ServiceError> {
    let name = call.parameters.required("UserName")?;
    check_name("userName", name, 64)?;
    let path = call.parameters.optional("Path").unwrap_or("/");
    check_path(path, PathOf::Role)?;
    if call.account().users.contains_key(&name.to_lowercase()) {
        return Err(ServiceError::new(
            409,
            "EntityAlreadyExists",
            format!("User with name {name} already exists."),
        ));
    }
    let (now, delay) = (call.now, call.state.settings.delay);
    let user = User {
        name: name.to_owned(),
        path: path.to_owned(),
        id: call.unique_id(Kind::User),
        arn: format!("arn:aws:iam::{}:user{path}{name}", call.caller.account),
        created: now,
        visible_from: now + delay,
        access_keys: Vec::new(),
        grants: Delayed::new(Grants::default(), now, delay),
    };
    let xml = answer(&user);
    call.account().users.insert(name.to_lowercase(), user);
    Ok(xml)
}

/// Without a name it is about the caller; root is a user too, without a name.
pub(super) fn get(call: &mut Call<'_>) -> Result<Xml, ServiceError> {
    if call.parameters.optional("UserName").is_some() {
        return Ok(answer(call.user()?));
    }
    match &call.caller.identity {
        Identity::User { id, .. } => {
            let id = id.clone();
            let user = call.account().users.values().find(|user| user.id == id);
            user.map(answer).ok_or_else(|| no_such_entity("The user cannot be found.".to_owned()))
        }
        Identity::Root => {
            let mut xml = Xml::new();
            xml.element("User", |xml| {
                xml.text("UserId", &call.caller.account)
                    .text("Arn", call.caller.arn())
                    .text("CreateDate", time(call.now));
            });
            Ok(xml)
        }
        Identity::Session { .. } => {
            Err(ServiceError::validation("Must specify userName when calling with non-User credentials"))
        }
    }
}

pub(super) fn list(call: &mut Call<'_>) -> Result<Xml, ServiceError> {
    let prefix = call.parameters.optional("PathPrefix").unwrap_or("/");
    let parameters = call.parameters;
    let users = call.account().users.values().filter(|user| user.path.starts_with(prefix));
    let page = page::cut(users, parameters)?;
    let mut xml = Xml::new();
    xml.members("Users", &page.items, |member, user| write(member, user));
    page.write_end(&mut xml);
    Ok(xml)
}

pub(super) fn delete(call: &mut Call<'_>) -> Result<Xml, ServiceError> {
    let user = call.user()?;
    let grants = user.grants.latest();
    if !user.access_keys.is_empty() {
        return Err(delete_conflict("Cannot delete entity, must delete access keys first."));
    }
    if !grants.attached.is_empty() {
        return Err(delete_conflict("Cannot delete entity, must detach all policies first."));
    }
    if !grants.inline.is_empty() {
        return Err(delete_conflict("Cannot delete entity, must delete policies first."));
    }
    let key = user.name.to_lowercase();
    call.account().users.remove(&key);
    Ok(nothing())
}

pub(super) fn create_key(call: &mut Call<'_>) -> Result<Xml, ServiceError> {
    let now = call.now;
    let (keys, account) = (call.keys, call.caller.account.clone());
    let user = call.user()?;
    quota::check("AccessKeysPerUser", user.access_keys.len() + 1, KEYS_PER_USER)?;
    let (id, secret) = (identifier::access_key_id(), identifier::secret());
    user.access_keys.push(AccessKey { id: id.clone(), created: now });
    let caller = Caller { account, identity: Identity::User { arn: user.arn.clone(), id: user.id.clone() } };
    let mut xml = Xml::new();
    xml.element("AccessKey", |xml| {
        xml.text("UserName", &user.name)
            .text("AccessKeyId", &id)
            .text("Status", "Active")
            .text("SecretAccessKey", &secret)
            .text("CreateDate", time(now));
    });
    keys.insert(id, Key { secret, caller, session: None });
    Ok(xml)
}

pub(super) fn list_keys(call: &mut Call<'_>) -> Result<Xml, ServiceError> {
    let user = call.user()?.clone();
    let page = page::cut(&user.access_keys, call.parameters)?;
    let mut xml = Xml::new();
    xml.members("AccessKeyMetadata", &page.items, |member, key| {
        member
            .text("UserName", &user.name)
            .text("AccessKeyId", &key.id)
            .text("Status", "Active")
            .text("CreateDate", time(key.created));
    });
    page.write_end(&mut xml);
    Ok(xml)
}

pub(super) fn delete_key(call: &mut Call<'_>) -> Result<Xml, ServiceError> {
    let id = call.parameters.required("AccessKeyId")?;
    let keys = call.keys;
    let user = call.user()?;
    let before = user.access_keys.len();
    user.access_keys.retain(|key| key.id != id);
    if user.access_keys.len() == before {
        return Err(no_such_entity(format!("The Access Key with id {id} cannot be found.")));
    }
    keys.remove(id);
    Ok(nothing())
}

fn answer(user: &User) -> Xml {
    let mut xml = Xml::new();
    xml.element("User", |xml| write(xml, user));
    xml
}

fn write(xml: &mut Xml, user: &User) {
    xml.text("Path", &user.path)
        .text("UserName", &user.name)
        .text("UserId", &user.id)
        .text("Arn", &user.arn)
        .text("CreateDate", time(user.created));
}
