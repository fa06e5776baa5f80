//! IAM policy documents: a lossless model, comparison by meaning, evaluation and lint.
