//! Texts with wildcards and policy variables, and how they match.

use std::iter;

/// One step of a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Token {
    /// This character.
    Char(char),
    /// `?`: any one character.
    One,
    /// `*`: any characters, or none.
    Many,
}

/// A text in which `*` and `?` stand for others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pattern {
    tokens: Vec<Token>,
}

/// The name of a policy variable that the request gives no value for, and that has no default.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unresolved(pub(crate) String);

impl Pattern {
    /// A pattern without variables, in lower case: how actions are compared.
    pub(crate) fn ignoring_case(text: &str) -> Self {
        Self { tokens: text.chars().map(|letter| wildcard(letter.to_ascii_lowercase())).collect() }
    }

    /// A pattern without variables.
    pub(crate) fn new(text: &str) -> Self {
        Self { tokens: text.chars().map(wildcard).collect() }
    }

    /// A pattern whose variables (`${aws:username}`, `${aws:username, 'nobody'}`) are replaced by `lookup`.
    ///
    /// A variable's value is literal: a `*` in it stands for itself, as do `${*}`, `${?}` and `${$}`.
    pub(crate) fn expanded(text: &str, lookup: impl Fn(&str) -> Option<String>) -> Result<Self, Unresolved> {
        let mut tokens = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            // An opening without an end is text like any other.
            let Some((body, after)) = after.split_once('}') else { break };
            tokens.extend(before.chars().map(wildcard));
            let value = match body {
                "*" | "?" | "$" => body.to_owned(),
                variable => resolve(variable, &lookup)?,
            };
            tokens.extend(value.chars().map(Token::Char));
            rest = after;
        }
        tokens.extend(rest.chars().map(wildcard));
        Ok(Self { tokens })
    }

    /// Whether the whole of `text` matches.
    pub(crate) fn matches(&self, text: &str) -> bool {
        matches(&self.tokens, &text.chars().collect::<Vec<_>>())
    }

    /// Whether `text` matches as ARNs do: part by part, so that a wildcard cannot reach over a colon into the next part.
    pub(crate) fn matches_arn(&self, text: &str) -> bool {
        /// An ARN has six parts; the last one keeps its colons.
        const PARTS: usize = 6;
        if self.tokens == [Token::Many] {
            return true;
        }
        let mine: Vec<_> = self.tokens.splitn(PARTS, |token| *token == Token::Char(':')).collect();
        let theirs: Vec<_> = text.splitn(PARTS, ':').collect();
        mine.len() == PARTS
            && theirs.len() == PARTS
            && iter::zip(mine, theirs)
                .all(|(tokens, part)| matches(tokens, &part.chars().collect::<Vec<_>>()))
    }

    /// Whether everything that `other` matches is sure to match here too. May say no where the answer is yes.
    pub(crate) fn covers(&self, other: &Self) -> bool {
        covers(&self.tokens, &other.tokens)
    }

    /// The text with wildcards taken literally.
    pub(crate) fn literal(&self) -> String {
        self.tokens
            .iter()
            .map(|token| match token {
                Token::Char(letter) => *letter,
                Token::One => '?',
                Token::Many => '*',
            })
            .collect()
    }
}

fn wildcard(letter: char) -> Token {
    match letter {
        '*' => Token::Many,
        '?' => Token::One,
        other => Token::Char(other),
    }
}

fn resolve(variable: &str, lookup: &impl Fn(&str) -> Option<String>) -> Result<String, Unresolved> {
    let (name, default) = match variable.split_once(',') {
        Some((name, default)) => (name.trim(), Some(default.trim())),
        None => (variable.trim(), None),
    };
    let quoted = default.and_then(|text| text.strip_prefix('\'')?.strip_suffix('\''));
    lookup(name).or_else(|| quoted.map(str::to_owned)).ok_or_else(|| Unresolved(name.to_owned()))
}

fn matches(pattern: &[Token], text: &[char]) -> bool {
    greedy(pattern, text, |token, found| match token {
        Token::Char(wanted) => wanted == found,
        Token::One => true,
        Token::Many => false,
    })
}

/// As `matches`, with the other pattern's `?` as a letter that only wildcards match and its `*` as one that only `*` does.
fn covers(pattern: &[Token], other: &[Token]) -> bool {
    greedy(pattern, other, |token, found| match token {
        Token::Char(_) => token == found,
        Token::One => found != Token::Many,
        Token::Many => false,
    })
}

/// Matches from the left and remembers only the last `*`: quadratic at worst, never exponential.
fn greedy<T: Copy>(pattern: &[Token], text: &[T], one: impl Fn(Token, T) -> bool) -> bool {
    let (mut at, mut position) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while let Some(&found) = text.get(position) {
        match pattern.get(at) {
            Some(Token::Many) => {
                retry = Some((at + 1, position));
                at += 1;
            }
            Some(&token) if one(token, found) => {
                at += 1;
                position += 1;
            }
            _ => {
                let Some((after_star, from)) = retry else { return false };
                retry = Some((after_star, from + 1));
                at = after_star;
                position = from + 1;
            }
        }
    }
    pattern.iter().skip(at).all(|token| *token == Token::Many)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(pattern: &str, text: &str, expected: bool) {
        assert_eq!(Pattern::new(pattern).matches(text), expected, "`{pattern}` on `{text}`");
    }

    #[test]
    fn wildcards() {
        check("", "", true);
        check("*", "", true);
        check("?", "", false);
        check("a*c", "abbbc", true);
        check("a*c", "abbbd", false);
        check("a?c", "abc", true);
        check("a?c", "ac", false);
        check("*a*b*", "xxaxxbxx", true);
        check("*ab", "aab", true);
        check("stream/*/consumer/*:*", "stream/s/consumer/c:17", true);
        check("ü?*", "üöä", true);
        check("Abc", "abc", false);
    }

    #[test]
    fn a_wildcard_stays_in_its_part_of_an_arn() {
        let role = "arn:aws:iam::123456789012:role/reader";
        for (pattern, expected) in [
            ("arn:aws:iam::123456789012:role/*", true),
            ("arn:*:iam::*:role/reader", true),
            ("arn:aws:*/reader", false),
            ("arn:aws:*", false),
            ("*", true),
            ("arn:aws:iam::123456789012:role/Reader", false),
        ] {
            assert_eq!(Pattern::new(pattern).matches_arn(role), expected, "{pattern}");
        }
    }

    #[test]
    fn variables_are_replaced_literally() {
        let lookup = |name: &str| (name == "aws:username").then(|| "an*na".to_owned());
        let expand = |text: &str| Pattern::expanded(text, lookup);
        assert!(expand("home/${aws:username}/*").unwrap().matches("home/an*na/x"));
        assert!(!expand("home/${aws:username}/*").unwrap().matches("home/anXna/x"));
        assert!(expand("a${*}b").unwrap().matches("a*b") && !expand("a${*}b").unwrap().matches("axb"));
        assert!(expand("${aws:team, 'none'}").unwrap().matches("none"));
        assert_eq!(expand("${aws:team}"), Err(Unresolved("aws:team".to_owned())));
        assert!(expand("${open").unwrap().matches("${open"));
    }

    #[test]
    fn coverage() {
        for (wide, narrow, expected) in [
            ("*", "kinesis:*", true),
            ("kinesis:get*", "kinesis:getrecords", true),
            ("kinesis:get*", "kinesis:*", false),
            ("kinesis:?et*", "kinesis:get*", true),
            ("a?c", "a*c", false),
            ("a*", "a?*", true),
        ] {
            assert_eq!(Pattern::new(wide).covers(&Pattern::new(narrow)), expected, "{wide} {narrow}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn what_covers_matches_at_least_as_much(wide in "[ab*?]{0,5}", narrow in "[ab*?]{0,5}", text in "[ab]{0,5}") {
            let (wide, narrow) = (Pattern::new(&wide), Pattern::new(&narrow));
            if wide.covers(&narrow) && narrow.matches(&text) {
                prop_assert!(wide.matches(&text), "{:?} {:?}", wide, narrow);
            }
        }
    }
}
