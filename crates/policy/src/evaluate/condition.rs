//! Whether one condition of a statement holds for a request.

use std::cmp::Ordering;

use super::context::Context;
use super::quantity;
use crate::operator::{Operator, Quantifier, Test};
use crate::pattern::Pattern;
use crate::statement::{Condition, Effect};

/// Whether `condition` holds in `context`. Variables are replaced when the document's version knows them.
///
/// What cannot be judged (an operator nobody knows, a variable without a value) leaves a grant without force and a refusal in
/// force: the answer errs towards refusing.
pub(super) fn holds(condition: &Condition<'_>, context: &Context, variables: bool, effect: Effect) -> bool {
    let unjudged = effect == Effect::Deny;
    let Some(operator) = Operator::parse(condition.operator) else { return unjudged };
    let found = context.get(condition.key);
    if operator.test == Test::Null {
        return condition.values.iter().any(|wanted| {
            (wanted.eq_ignore_ascii_case("true") && found.is_empty())
                || (wanted.eq_ignore_ascii_case("false") && !found.is_empty())
        });
    }
    if found.is_empty() {
        return operator.if_exists
            || match operator.quantifier {
                Some(Quantifier::All) => true,
                Some(Quantifier::Any) => false,
                None => operator.test.is_negated(),
            };
    }
    let Some(tests) = values(operator.test, condition, context, variables) else { return unjudged };
    let equal = |value: &String| tests.iter().any(|test| test.matches(operator.test, value));
    let passes = |value: &String| equal(value) != operator.test.is_negated();
    match operator.quantifier {
        Some(Quantifier::All) => found.iter().all(passes),
        Some(Quantifier::Any) => found.iter().any(passes),
        // Without a quantifier IAM expects one value. With several, a refusal of a value must hold for all of them.
        None if operator.test.is_negated() => found.iter().all(passes),
        None => found.iter().any(passes),
    }
}

/// A value that a condition asks for.
struct Wanted {
    pattern: Pattern,
    literal: String,
}

fn values(test: Test, condition: &Condition<'_>, context: &Context, variables: bool) -> Option<Vec<Wanted>> {
    let expandable = variables && takes_variables(test);
    let wanted = condition.values.iter().map(|value| {
        let pattern = if expandable {
            let lookup = |name: &str| match context.get(name) {
                [single] => Some(single.clone()),
                _ => None,
            };
            Pattern::expanded(value, lookup).ok()?
        } else {
            Pattern::new(value)
        };
        Some(Wanted { literal: pattern.literal(), pattern })
    });
    wanted.collect()
}

/// IAM replaces variables in strings and ARNs only.
fn takes_variables(test: Test) -> bool {
    match test {
        Test::StringEquals
        | Test::StringNotEquals
        | Test::StringEqualsIgnoreCase
        | Test::StringNotEqualsIgnoreCase
        | Test::StringLike
        | Test::StringNotLike
        | Test::ArnEquals
        | Test::ArnLike
        | Test::ArnNotEquals
        | Test::ArnNotLike => true,
        Test::NumericEquals
        | Test::NumericNotEquals
        | Test::NumericLessThan
        | Test::NumericLessThanEquals
        | Test::NumericGreaterThan
        | Test::NumericGreaterThanEquals
        | Test::DateEquals
        | Test::DateNotEquals
        | Test::DateLessThan
        | Test::DateLessThanEquals
        | Test::DateGreaterThan
        | Test::DateGreaterThanEquals
        | Test::Bool
        | Test::BinaryEquals
        | Test::IpAddress
        | Test::NotIpAddress
        | Test::Null => false,
    }
}

impl Wanted {
    /// The positive form of `test` on one value of the request; negated tests are turned round by the caller.
    fn matches(&self, test: Test, value: &str) -> bool {
        let number = || quantity::compare_numbers(value, &self.literal);
        let time = || quantity::compare_times(value, &self.literal);
        match test {
            Test::StringEquals | Test::StringNotEquals | Test::BinaryEquals => value == self.literal,
            Test::StringEqualsIgnoreCase | Test::StringNotEqualsIgnoreCase => {
                value.to_lowercase() == self.literal.to_lowercase()
            }
            Test::Bool => value.eq_ignore_ascii_case(&self.literal),
            Test::StringLike | Test::StringNotLike => self.pattern.matches(value),
            // The two behave the same: IAM takes wildcards in both.
            Test::ArnEquals | Test::ArnLike | Test::ArnNotEquals | Test::ArnNotLike => {
                self.pattern.matches_arn(value)
            }
            Test::NumericEquals | Test::NumericNotEquals => number() == Some(Ordering::Equal),
            Test::NumericLessThan => number() == Some(Ordering::Less),
            Test::NumericLessThanEquals => number().is_some_and(Ordering::is_le),
            Test::NumericGreaterThan => number() == Some(Ordering::Greater),
            Test::NumericGreaterThanEquals => number().is_some_and(Ordering::is_ge),
            Test::DateEquals | Test::DateNotEquals => time() == Some(Ordering::Equal),
            Test::DateLessThan => time() == Some(Ordering::Less),
            Test::DateLessThanEquals => time().is_some_and(Ordering::is_le),
            Test::DateGreaterThan => time() == Some(Ordering::Greater),
            Test::DateGreaterThanEquals => time().is_some_and(Ordering::is_ge),
            Test::IpAddress | Test::NotIpAddress => quantity::in_range(&self.literal, value),
            // Decided by the caller: it asks whether the key is there, not for its value.
            Test::Null => false,
        }
    }
}
