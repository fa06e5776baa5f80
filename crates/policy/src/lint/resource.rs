//! Whether a resource pattern of a policy can mean a resource of some kind.

use crate::arn::Arn;
use crate::catalog::ResourceType;

/// Whether some ARN of kind `kind` matches `pattern`, the text of a `Resource`. A variable may stand for anything.
pub(super) fn may_mean(pattern: &str, kind: &ResourceType) -> bool {
    let Some(arn) = Arn::split(pattern) else {
        // Fewer than six parts: only wildcards can make up for the rest.
        return pattern.contains(['*', '$']);
    };
    overlap(&glob(arn.service), &glob(kind.service)) && overlap(&glob(arn.resource), &path(kind.path))
}

/// One step of a pattern of which only the overlap with another matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Letter(char),
    /// Any one character.
    One,
    /// Any characters, or none.
    Many,
    /// One character that is not a slash.
    InName,
    /// Characters that are not slashes, or none.
    ManyInName,
}

fn glob(text: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        let Some((_, after)) = after.split_once('}') else { break };
        steps.extend(before.chars().map(wildcard));
        steps.push(Step::Many);
        rest = after;
    }
    steps.extend(rest.chars().map(wildcard));
    steps
}

fn wildcard(letter: char) -> Step {
    match letter {
        '*' => Step::Many,
        '?' => Step::One,
        other => Step::Letter(other),
    }
}

/// The path of a resource type, in which `+` is a name.
fn path(text: &str) -> Vec<Step> {
    text.chars()
        .flat_map(|letter| match letter {
            '+' => vec![Step::InName, Step::ManyInName],
            other => vec![wildcard(other)],
        })
        .collect()
}

/// Whether some text matches both patterns.
fn overlap(left: &[Step], right: &[Step]) -> bool {
    // reachable[j]: the first i steps of `left` and the first j steps of `right` can have consumed the same text.
    let mut reachable = vec![false; right.len() + 1];
    for i in 0..=left.len() {
        let mut next = vec![false; right.len() + 1];
        for j in 0..=right.len() {
            let above = i > 0 && reachable.get(j) == Some(&true);
            let before = j > 0 && next.get(j - 1) == Some(&true);
            let diagonal = i > 0 && j > 0 && reachable.get(j - 1) == Some(&true);
            let (mine, theirs) = (step(left, i), step(right, j));
            let reached = (i == 0 && j == 0)
                // A star may stand for nothing, or for what the other side's step stands for.
                || (above && (is_star(mine) || (is_star(theirs) && agree(mine, theirs))))
                || (before && (is_star(theirs) || (is_star(mine) && agree(mine, theirs))))
                || (diagonal && agree(mine, theirs));
            if let Some(cell) = next.get_mut(j) {
                *cell = reached;
            }
        }
        reachable = next;
    }
    reachable.last() == Some(&true)
}

fn step(steps: &[Step], count: usize) -> Option<Step> {
    count.checked_sub(1).and_then(|at| steps.get(at)).copied()
}

fn is_star(step: Option<Step>) -> bool {
    matches!(step, Some(Step::Many | Step::ManyInName))
}

/// Whether one character can match both steps.
fn agree(left: Option<Step>, right: Option<Step>) -> bool {
    let (Some(left), Some(right)) = (left, right) else { return false };
    let in_name = |step| matches!(step, Step::InName | Step::ManyInName);
    match (left, right) {
        (Step::Letter(left), Step::Letter(right)) => left == right,
        (Step::Letter('/'), other) | (other, Step::Letter('/')) => !in_name(other),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::catalog;
    use crate::pattern::Pattern;

    fn check(pattern: &str, action: &str, expected: bool) {
        let kinds = catalog::matching(action).first().unwrap().resources;
        assert_eq!(kinds.iter().any(|kind| may_mean(pattern, kind)), expected, "`{pattern}` for {action}");
    }

    #[test]
    fn patterns_and_kinds() {
        let stream = "arn:aws:kinesis:eu-central-1:123456789012:stream/s";
        check(stream, "kinesis:GetRecords", true);
        check(stream, "kinesis:SubscribeToShard", false);
        check(&format!("{stream}/consumer/*"), "kinesis:SubscribeToShard", true);
        check(&format!("{stream}/consumer/c:17"), "kinesis:SubscribeToShard", true);
        check(&format!("{stream}/consumer/*"), "kinesis:GetRecords", false);
        check(&format!("{stream}*"), "kinesis:GetRecords", true);
        check(&format!("{stream}*"), "kinesis:SubscribeToShard", true);
        check(&format!("{stream}/*"), "kinesis:GetRecords", false);
        check("*", "kinesis:GetRecords", true);
        check("arn:aws:kinesis:*", "kinesis:GetRecords", true);
        check("arn:aws:kinesis:*:123456789012:*", "kinesis:SubscribeToShard", true);
        check("arn:aws:kinesis:*:123456789012:MyStream", "kinesis:GetRecords", false);
        check("arn:aws:kinesis:*:123456789012:stream/", "kinesis:GetRecords", false);
        check("arn:aws:kinesis:*:123456789012:stream/${aws:username}", "kinesis:GetRecords", true);
        check("arn:aws:s3:::bucket", "kinesis:GetRecords", false);
        check("arn:aws:iam::123456789012:role/a/b", "sts:AssumeRole", true);
        check("arn:aws:iam::123456789012:user/a", "sts:AssumeRole", false);
        check("arn:aws:kms:eu-central-1:123456789012:alias/k", "kms:Decrypt", false);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn a_common_text_is_an_overlap(left in "[ab/*?]{0,5}", right in "[ab/*?]{0,5}", text in "[ab/]{0,4}") {
            if Pattern::new(&left).matches(&text) && Pattern::new(&right).matches(&text) {
                prop_assert!(overlap(&glob(&left), &glob(&right)));
            }
        }

        #[test]
        fn an_overlap_has_a_common_text(left in "[ab/?]{0,4}", right in "[ab/?]{0,2}[*]?[ab/?]{0,2}") {
            // Without stars on the left a common text has its length, and letters the right one can take.
            let right = Pattern::new(&right);
            let found = texts(&left).iter().any(|text| right.matches(text));
            prop_assert_eq!(overlap(&glob(&left), &glob(&right.literal())), found);
        }
    }

    /// Every text that a pattern without stars matches, in an alphabet of four.
    fn texts(pattern: &str) -> Vec<String> {
        let mut texts = vec![String::new()];
        for letter in pattern.chars() {
            let choices = if letter == '?' { vec!['a', 'b', '/', 'c'] } else { vec![letter] };
            texts = texts
                .iter()
                .flat_map(|text| choices.iter().map(move |choice| format!("{text}{choice}")))
                .collect();
        }
        texts
    }
}
