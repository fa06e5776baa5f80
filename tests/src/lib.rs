//! Whole pipelines, run as shell scripts inside the sandbox.
