//! Names, paths and lengths that IAM accepts, and its sentence for those it does not.

use crate::error::ServiceError;

/// Which alphabet a path is written in: a policy's is narrower than a role's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PathOf {
    Role,
    Policy,
}

/// Checks a name's alphabet and length.
pub(crate) fn check_name(member: &str, name: &str, longest: usize) -> Result<(), ServiceError> {
    check_length(member, name, 1, longest)?;
    if name.chars().all(is_name_letter) {
        return Ok(());
    }
    // IAM uses this shorter sentence for names, unlike for every other pattern.
    Err(ServiceError::validation(format!(
        "The specified value for {member} is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-"
    )))
}

/// `\w` and `+=,.@-`, in ASCII.
pub(crate) fn is_name_letter(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || "_+=,.@-".contains(letter)
}

/// Checks how long a value is, in characters.
pub(crate) fn check_length(
    member: &str,
    value: &str,
    shortest: usize,
    longest: usize,
) -> Result<(), ServiceError> {
    let length = value.chars().count();
    if length > longest {
        return Err(constraint(
            member,
            value,
            &format!("Member must have length less than or equal to {longest}"),
        ));
    }
    if length < shortest {
        return Err(constraint(
            member,
            value,
            &format!("Member must have length greater than or equal to {shortest}"),
        ));
    }
    Ok(())
}

/// Checks a path: `/`, or something between two slashes.
pub(crate) fn check_path(path: &str, of: PathOf) -> Result<(), ServiceError> {
    check_length("path", path, 1, 512)?;
    let framed = path.starts_with('/') && path.ends_with('/');
    let letters = path.chars().all(|letter| match of {
        PathOf::Role => ('\u{21}'..='\u{7f}').contains(&letter),
        PathOf::Policy => letter == '/' || is_name_letter(letter),
    });
    let whole = of == PathOf::Role || !path.contains("//");
    if framed && letters && whole {
        return Ok(());
    }
    Err(ServiceError::validation(
        "The specified value for path is invalid. It must begin and end with / and contain only alphanumeric characters and/or / characters.",
    ))
}

/// IAM's sentence for a value that breaks a rule.
pub(crate) fn constraint(member: &str, value: &str, rule: &str) -> ServiceError {
    ServiceError::validation(format!(
        "1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: {rule}"
    ))
}

/// The rule of a pattern, in AWS's words.
pub(crate) fn pattern_rule(pattern: &str) -> String {
    format!("Member must satisfy regular expression pattern: {pattern}")
}

/// A name that belongs to a pattern of its own, such as a session's.
pub(crate) fn check_session_name(name: &str) -> Result<(), ServiceError> {
    check_length("roleSessionName", name, 2, 64)?;
    if name.chars().all(is_name_letter) {
        return Ok(());
    }
    Err(constraint("roleSessionName", name, &pattern_rule(r"[\w+=,.@-]*")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_an_alphabet_and_a_length() {
        assert_eq!(check_name("roleName", "a+b=c,d.e@f-g_h", 64), Ok(()));
        let error = check_name("roleName", "no spaces", 64).unwrap_err();
        assert!(error.message.starts_with("The specified value for roleName is invalid."), "{error}");
        let error = check_name("roleName", &"x".repeat(65), 64).unwrap_err();
        assert!(error.message.ends_with("Member must have length less than or equal to 64"), "{error}");
        assert!(check_name("roleName", "", 64).is_err());
        assert!(check_name("roleName", "größe", 64).is_err());
    }

    #[test]
    fn a_policys_path_is_narrower_than_a_roles() {
        for path in ["/", "/a/", "/a/b_c/"] {
            assert_eq!(check_path(path, PathOf::Role), Ok(()), "{path}");
            assert_eq!(check_path(path, PathOf::Policy), Ok(()), "{path}");
        }
        assert_eq!(check_path("/a!/", PathOf::Role), Ok(()));
        assert!(check_path("/a!/", PathOf::Policy).is_err());
        for path in ["", "a", "/a", "a/", "/ü/"] {
            assert!(check_path(path, PathOf::Role).is_err(), "{path}");
        }
    }
}
