//! `list`: every stream of the region, one a line.

use std::io::Write;

use config::{Fault, OutError, Outcome, Output};
use serde::Serialize;

use crate::{Session, read_only};

/// One line. Adding a member is fine, changing one is not.
#[derive(Serialize)]
struct Line<'a> {
    name: &'a str,
    arn: &'a str,
    status: &'a str,
    mode: Option<&'a str>,
    created_at: Option<String>,
}

pub(crate) async fn run<W: Write>(session: &Session<'_>, output: &mut Output<W>) -> Result<Outcome, Fault> {
    let mut count = 0_u32;
    let mut token = None;
    loop {
        let answer = session.client.list_streams().set_next_token(token).send().await.map_err(|error| {
            session.aws.fault(format!("failed to list the streams of {}", session.aws.region), &error)
        })?;
        for summary in answer.stream_summaries() {
            count += 1;
            let created_at = summary.stream_creation_timestamp().and_then(|time| {
                time.fmt(aws_sdk_kinesis::primitives::DateTimeFormat::DateTimeWithOffset).ok()
            });
            let line = Line {
                name: summary.stream_name(),
                arn: summary.stream_arn(),
                status: summary.stream_status().as_str(),
                mode: summary.stream_mode_details().map(|details| details.stream_mode().as_str()),
                created_at,
            };
            match output.line(&line) {
                // A reader that has seen enough is content.
                Err(OutError::Closed) => return Ok(Outcome::Done),
                written => written?,
            }
        }
        token = answer.next_token().map(str::to_owned);
        if token.is_none() || !answer.has_more_streams() {
            break;
        }
    }
    let outcome = read_only(output.flush())?;
    if count == 0 {
        let region = &session.aws.region;
        session
            .world
            .notes
            .say(format!("no streams in {region}; create one with: kstream ensure sensor-readings"));
    }
    Ok(outcome)
}
