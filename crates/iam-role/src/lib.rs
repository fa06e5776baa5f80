//! Creates, shows and deletes the IAM role and its policy.
