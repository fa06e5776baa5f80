//! The condition operators of the policy language.

/// A condition operator, taken apart: `ForAnyValue:StringLikeIfExists` is a quantifier, a test and a flag.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Operator {
    /// How many of the request's values must pass; `None` for keys with one value.
    pub quantifier: Option<Quantifier>,
    /// The test on one value.
    pub test: Test,
    /// Whether the test also passes when the request lacks the key.
    pub if_exists: bool,
}

/// How a set of values in the request is tested.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Quantifier {
    /// `ForAllValues:` every value passes; an absent key passes too.
    All,
    /// `ForAnyValue:` at least one value passes.
    Any,
}

macro_rules! tests {
    ($($name:ident)+) => {
        /// The test that an operator makes on one value. The names are IAM's.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[expect(missing_docs, reason = "the names are the documentation")]
        pub enum Test { $($name),+ }

        impl Test {
            /// Every test there is.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// The name in a document.
            pub fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name)),+ }
            }
        }
    };
}

tests! {
    StringEquals StringNotEquals StringEqualsIgnoreCase StringNotEqualsIgnoreCase StringLike StringNotLike
    NumericEquals NumericNotEquals NumericLessThan NumericLessThanEquals NumericGreaterThan NumericGreaterThanEquals
    DateEquals DateNotEquals DateLessThan DateLessThanEquals DateGreaterThan DateGreaterThanEquals
    Bool BinaryEquals IpAddress NotIpAddress
    ArnEquals ArnLike ArnNotEquals ArnNotLike Null
}

impl Operator {
    /// Reads an operator, ignoring case. `None` for what IAM does not know.
    pub fn parse(text: &str) -> Option<Self> {
        let lower = text.to_ascii_lowercase();
        let (quantifier, rest) = match lower.split_once(':') {
            Some(("forallvalues", rest)) => (Some(Quantifier::All), rest),
            Some(("foranyvalue", rest)) => (Some(Quantifier::Any), rest),
            Some(_) => return None,
            None => (None, lower.as_str()),
        };
        let (name, if_exists) = rest.strip_suffix("ifexists").map_or((rest, false), |name| (name, true));
        let test = *Test::ALL.iter().find(|test| test.name().eq_ignore_ascii_case(name))?;
        // `Null` is the test for existence itself.
        (!(if_exists && test == Test::Null)).then_some(Self { quantifier, test, if_exists })
    }
}

impl std::fmt::Display for Operator {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self.quantifier {
            Some(Quantifier::All) => "ForAllValues:",
            Some(Quantifier::Any) => "ForAnyValue:",
            None => "",
        })?;
        formatter.write_str(self.test.name())?;
        formatter.write_str(if self.if_exists { "IfExists" } else { "" })
    }
}

impl Test {
    /// Whether the test asks for values *not* to match, so that it passes when the request lacks the key.
    pub fn is_negated(self) -> bool {
        matches!(
            self,
            Self::StringNotEquals
                | Self::StringNotEqualsIgnoreCase
                | Self::StringNotLike
                | Self::NumericNotEquals
                | Self::DateNotEquals
                | Self::NotIpAddress
                | Self::ArnNotEquals
                | Self::ArnNotLike
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operator_reads_back() {
        for &test in Test::ALL {
            for quantifier in [None, Some(Quantifier::All), Some(Quantifier::Any)] {
                for if_exists in [false, true] {
                    let operator = Operator { quantifier, test, if_exists };
                    let expected = (!(if_exists && test == Test::Null)).then_some(operator);
                    assert_eq!(Operator::parse(&operator.to_string()), expected);
                    assert_eq!(Operator::parse(&operator.to_string().to_lowercase()), expected);
                }
            }
        }
    }

    #[test]
    fn unknown_ones_are_refused() {
        for text in ["", "StringEqual", "ForSomeValues:StringEquals", "IfExists", "NullIfExists"] {
            assert_eq!(Operator::parse(text), None, "{text}");
        }
    }
}
