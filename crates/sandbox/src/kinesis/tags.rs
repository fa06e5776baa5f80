//! Tags of streams and consumers, through both of the service's families of operations.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::error::ServiceError;

use super::consumer::consumer_by_arn;
use super::error::invalid_argument;
use super::input::Input;
use super::rule::{RESOURCE_ARN, TAG_KEY, TAG_VALUE};
use super::{Engine, Request, wire};

/// Tags of one resource, by the API reference.
const TAG_LIMIT: usize = 50;
/// Tags in one request, by the API's model; the quota of a resource is stricter.
const REQUEST_TAGS: usize = 200;
/// Tags on one page of `ListTagsForStream` unless told otherwise.
const DEFAULT_PAGE: i64 = 50;

type Tags = BTreeMap<String, String>;

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Tag {
    key: String,
    value: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Page {
    tags: Vec<Tag>,
    #[serde(skip_serializing_if = "Option::is_none")]
    has_more_tags: Option<bool>,
}

/// The `Tags` member of a request, once its keys and values are found to be in order.
pub(super) fn read(input: &mut Input) -> Result<Option<Tags>, ServiceError> {
    let Some(tags) = input.map("Tags")? else { return Ok(None) };
    let shown: Vec<String> = tags.iter().map(|(key, value)| format!("{key}={value}")).collect();
    let shown = format!("'{{{}}}'", shown.join(", "));
    if tags.is_empty() {
        input.violations().add("tags", &shown, "Member must have length greater than or equal to 1");
    }
    if tags.len() > REQUEST_TAGS {
        let constraint = format!("Member must have length less than or equal to {REQUEST_TAGS}");
        input.violations().add("tags", &shown, &constraint);
    }
    if tags.iter().any(|(key, _)| !TAG_KEY.admits(key)) {
        let constraint = format!("Map keys must satisfy constraint: [{}]", TAG_KEY.length_rule());
        input.violations().add("tags", &shown, &constraint);
    }
    if tags.iter().any(|(_, value)| !TAG_VALUE.admits(value)) {
        let constraint = format!("Map value must satisfy constraint: [{}]", TAG_VALUE.length_rule());
        input.violations().add("tags", &shown, &constraint);
    }
    Ok(Some(tags.into_iter().collect()))
}

fn read_keys(input: &mut Input) -> Result<Vec<String>, ServiceError> {
    let Some(keys) = input.list("TagKeys")? else {
        input.violations().missing("tagKeys");
        return Ok(Vec::new());
    };
    let shown = format!("'[{}]'", keys.join(", "));
    if keys.is_empty() {
        input.violations().add("tagKeys", &shown, "Member must have length greater than or equal to 1");
    }
    if keys.len() > TAG_LIMIT {
        let constraint = format!("Member must have length less than or equal to {TAG_LIMIT}");
        input.violations().add("tagKeys", &shown, &constraint);
    }
    if keys.iter().any(|key| !TAG_KEY.admits(key)) {
        let constraint = format!("Member must satisfy constraint: [{}]", TAG_KEY.length_rule());
        input.violations().add("tagKeys", &shown, &constraint);
    }
    Ok(keys)
}

/// The tags of a new resource, if they are not too many.
pub(super) fn first(tags: Option<Tags>) -> Result<Tags, ServiceError> {
    let mut first = Tags::new();
    add(&mut first, tags.unwrap_or_default())?;
    Ok(first)
}

fn add(tags: &mut Tags, more: Tags) -> Result<(), ServiceError> {
    let new = more.keys().filter(|key| !tags.contains_key(*key)).count();
    if tags.len() + new > TAG_LIMIT {
        return Err(invalid_argument(format!(
            "Failed to add tags: a resource has at most {TAG_LIMIT} tags, and this one would have {}.",
            tags.len() + new
        )));
    }
    tags.extend(more);
    Ok(())
}

fn entries(tags: &Tags) -> Vec<Tag> {
    tags.iter().map(|(key, value)| Tag { key: key.clone(), value: value.clone() }).collect()
}

impl Engine {
    pub(super) fn add_tags_to_stream(&self, request: &Request<'_>) -> Result<Vec<u8>, ServiceError> {
        let mut input = Input::parse(request.body)?;
        let tags = read(&mut input)?;
        let tags = input.required("Tags", tags);
        let name = self.stream_name(&mut input, request.caller)?;
        self.on_stream(&name, request.now_ms, |stream| add(&mut stream.tags, tags))?;
        Ok(wire::nothing())
    }

    pub(super) fn remove_tags_from_stream(&self, request: &Request<'_>) -> Result<Vec<u8>, ServiceError> {
        let mut input = Input::parse(request.body)?;
        let keys = read_keys(&mut input)?;
        let name = self.stream_name(&mut input, request.caller)?;
        self.on_stream(&name, request.now_ms, |stream| {
            stream.tags.retain(|key, _| !keys.contains(key));
            Ok(wire::nothing())
        })
    }

    pub(super) fn list_tags_for_stream(&self, request: &Request<'_>) -> Result<Vec<u8>, ServiceError> {
        let mut input = Input::parse(request.body)?;
        let after = input.text("ExclusiveStartTagKey", &TAG_KEY)?.unwrap_or_default();
        let limit = input.integer("Limit", 1..=DEFAULT_PAGE)?.unwrap_or(DEFAULT_PAGE);
        let name = self.stream_name(&mut input, request.caller)?;
        let page = self.on_stream(&name, request.now_ms, |stream| {
            let mut tags = entries(&stream.tags);
            tags.retain(|tag| tag.key > after);
            let limit = usize::try_from(limit).unwrap_or(usize::MAX);
            let has_more_tags = Some(tags.len() > limit);
            tags.truncate(limit);
            Ok(Page { tags, has_more_tags })
        })?;
        wire::body(&page)
    }

    pub(super) fn tag_resource(&self, request: &Request<'_>) -> Result<Vec<u8>, ServiceError> {
        let mut input = Input::parse(request.body)?;
        let arn = input.required_text("ResourceARN", &RESOURCE_ARN)?;
        let tags = read(&mut input)?;
        let tags = input.required("Tags", tags);
        input.check()?;
        self.on_tags(&arn, request, |present| add(present, tags))?;
        Ok(wire::nothing())
    }

    pub(super) fn untag_resource(&self, request: &Request<'_>) -> Result<Vec<u8>, ServiceError> {
        let mut input = Input::parse(request.body)?;
        let arn = input.required_text("ResourceARN", &RESOURCE_ARN)?;
        let keys = read_keys(&mut input)?;
        input.check()?;
        self.on_tags(&arn, request, |present| {
            present.retain(|key, _| !keys.contains(key));
            Ok(wire::nothing())
        })
    }

    pub(super) fn list_tags_for_resource(&self, request: &Request<'_>) -> Result<Vec<u8>, ServiceError> {
        let mut input = Input::parse(request.body)?;
        let arn = input.required_text("ResourceARN", &RESOURCE_ARN)?;
        input.check()?;
        let tags = self.on_tags(&arn, request, |present| Ok(entries(present)))?;
        wire::body(&Page { tags, has_more_tags: None })
    }

    /// Runs `act` on the tags of the stream or the consumer that an ARN names.
    fn on_tags<T>(
        &self,
        arn: &str,
        request: &Request<'_>,
        act: impl FnOnce(&mut Tags) -> Result<T, ServiceError>,
    ) -> Result<T, ServiceError> {
        let name = self.stream_of_arn(arn)?;
        self.on_stream(&name, request.now_ms, |stream| {
            if arn.contains("/consumer/") {
                act(&mut consumer_by_arn(stream, arn)?.tags)
            } else {
                act(&mut stream.tags)
            }
        })
    }
}
