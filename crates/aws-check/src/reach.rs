//! Whether each service answers: one cheap read each. A refusal is an answer.

use std::time::{Duration, Instant};

use config::aws::{Aws, Problem, problem};

/// One service that was tried.
pub(crate) struct Tried {
    pub(crate) service: &'static str,
    pub(crate) operation: &'static str,
    pub(crate) took: Duration,
    /// Whether the service answered, be it with a refusal.
    pub(crate) answered: bool,
    pub(crate) problem: Option<String>,
}

/// Tries Kinesis and IAM at the same time. STS has answered already: it said who the caller is.
pub(crate) async fn all(aws: &Aws) -> [Tried; 2] {
    let kinesis = async {
        let started = Instant::now();
        let client = aws_sdk_kinesis::Client::new(&aws.sdk);
        let answer = client.list_streams().limit(1).send().await;
        tried("Kinesis", "kinesis:ListStreams", started, answer.err().as_ref().map(problem))
    };
    let iam = async {
        let started = Instant::now();
        let client = aws_sdk_iam::Client::new(&aws.sdk);
        let answer = client.list_roles().max_items(1).send().await;
        tried("IAM", "iam:ListRoles", started, answer.err().as_ref().map(problem))
    };
    tokio::join!(kinesis, iam).into()
}

fn tried(
    service: &'static str,
    operation: &'static str,
    started: Instant,
    problem: Option<Problem>,
) -> Tried {
    Tried {
        service,
        operation,
        took: started.elapsed(),
        answered: problem.as_ref().is_none_or(|problem| problem.code.is_some()),
        problem: problem.map(|problem| problem.causes.join(": ")),
    }
}
