//! What is known about actions: how much they let somebody do, and to which kinds of resource.

mod table;

use crate::pattern::Pattern;

/// One action of one service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Action {
    /// The prefix, such as `kinesis`.
    pub service: &'static str,
    /// The name after the prefix.
    pub name: &'static str,
    /// What it does to a resource; some do two things.
    pub levels: &'static [Level],
    /// The kinds of resource it acts on; none for actions that know only `*`.
    pub resources: &'static [ResourceType],
}

/// How much an action lets somebody do, in the words of the AWS Service Authorization Reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Sees that resources exist.
    List,
    /// Sees what is in them.
    Read,
    /// Changes tags.
    Tagging,
    /// Changes resources.
    Write,
    /// Changes who may do what.
    Permissions,
}

/// A kind of resource, and what its ARNs look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResourceType {
    /// The name in the AWS Service Authorization Reference.
    pub name: &'static str,
    /// The third part of its ARNs.
    pub service: &'static str,
    /// The sixth part of its ARNs: `+` stands for a name without slashes, `*` for anything.
    pub path: &'static str,
}

/// The only service whose actions are all known. An unknown action of another one may well exist.
const COMPLETE: &str = "kinesis";

/// All actions that a pattern such as `kinesis:Get*` means, ignoring case, as far as they are known.
pub fn matching(pattern: &str) -> Vec<Action> {
    let pattern = Pattern::ignoring_case(pattern);
    table::ACTIONS
        .iter()
        .filter(|action| pattern.matches(&action.full_name().to_ascii_lowercase()))
        .copied()
        .collect()
}

/// Whether every action of the service with this prefix is known, so that another name must be a mistake.
pub fn is_complete(service: &str) -> bool {
    service.eq_ignore_ascii_case(COMPLETE)
}

/// The known action whose name is nearest to a misspelled one, if no more than `edits` letters differ.
pub fn nearest(misspelled: &str, edits: usize) -> Option<Action> {
    let wanted = misspelled.to_ascii_lowercase();
    let distance = |action: &Action| distance(&wanted, &action.full_name().to_ascii_lowercase());
    table::ACTIONS.iter().copied().min_by_key(distance).filter(|action| distance(action) <= edits)
}

/// Whether STS or Kinesis has this condition key; `None` for the keys of other services.
pub fn has_condition_key(key: &str) -> Option<bool> {
    let key = key.to_ascii_lowercase();
    let (service, _) = key.split_once(':')?;
    let known = |known: &&str| **known == key || (known.ends_with('/') && key.starts_with(*known));
    matches!(service, "sts" | "kinesis").then(|| table::CONDITION_KEYS.iter().any(known))
}

impl Action {
    /// The name as policies write it, such as `kinesis:GetRecords`.
    pub fn full_name(&self) -> String {
        format!("{}:{}", self.service, self.name)
    }
}

/// How many letters must be added, dropped or changed to turn one text into the other.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (at, letter) in left.chars().enumerate() {
        let mut diagonal = at;
        let mut before = at + 1;
        if let Some(first) = row.first_mut() {
            *first = before;
        }
        for (cell, other) in row.iter_mut().skip(1).zip(&right) {
            let changed = diagonal + usize::from(letter != *other);
            diagonal = *cell;
            before = changed.min(diagonal + 1).min(before + 1);
            *cell = before;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_patterns() {
        let names = |pattern: &str| matching(pattern).iter().map(Action::full_name).collect::<Vec<_>>();
        assert_eq!(names("KINESIS:getrecords"), ["kinesis:GetRecords"]);
        assert_eq!(
            names("kinesis:Put*"),
            ["kinesis:PutRecord", "kinesis:PutRecords", "kinesis:PutResourcePolicy"]
        );
        assert_eq!(names("kinesis:*").len(), 47);
        assert!(names("kinesis:GetRecord").is_empty());
        assert!(is_complete("Kinesis") && !is_complete("sts"));
    }

    #[test]
    fn a_misspelled_name_has_a_neighbour() {
        assert_eq!(nearest("kinesis:GetRecord", 3).map(|action| action.name), Some("GetRecords"));
        assert_eq!(nearest("sts:AsumeRole", 1).map(|action| action.name), Some("AssumeRole"));
        assert_eq!(nearest("kms:Encrypt", 1), None);
        assert_eq!(nearest("kinesis:Frobnicate", 3), None);
        for (left, right, expected) in
            [("", "abc", 3), ("abc", "abc", 0), ("kitten", "sitting", 3), ("ab", "ba", 2)]
        {
            assert_eq!(distance(left, right), expected, "{left} {right}");
        }
    }

    #[test]
    fn condition_keys() {
        assert_eq!(has_condition_key("STS:externalid"), Some(true));
        assert_eq!(has_condition_key("sts:RequestContext/team"), Some(true));
        assert_eq!(has_condition_key("sts:ExternalIds"), Some(false));
        assert_eq!(has_condition_key("aws:PrincipalArn"), None);
        assert_eq!(has_condition_key("nonsense"), None);
    }
}
