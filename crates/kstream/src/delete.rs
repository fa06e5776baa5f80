//! `delete`: the stream and every record in it. A stream that is gone already is no error.

use std::time::Duration;

use aws_sdk_kinesis::error::ProvideErrorMetadata;
use aws_sdk_kinesis::types::StreamStatus;
use config::Fault;
use config::names::StreamRef;

use crate::args::Delete;
use crate::live::{by_name_or_arn, has_status};
use crate::{Session, wait};

pub(crate) async fn run(
    session: &Session<'_>,
    stream: &StreamRef,
    args: &Delete,
    timeout: Option<Duration>,
) -> Result<(), Fault> {
    if !args.yes {
        return Err(Fault::usage(format!("deleting stream `{stream}` deletes every record in it"))
            .with_hint(format!("kstream delete {stream} --yes")));
    }
    let limit = session.world.settings.timeout(timeout, wait::LIMIT)?;
    let notes = &session.world.notes;
    let Some(live) = session.look(stream).await? else {
        notes.say(format!("stream `{stream}` is gone already"));
        return Ok(());
    };
    if !has_status(&live, &StreamStatus::Deleting) {
        let request = by_name_or_arn!(session.client.delete_stream(), stream);
        // AWS takes `false` for "refuse while consumers are registered".
        match request.enforce_consumer_deletion(args.enforce_consumer_deletion).send().await {
            Ok(_) => {}
            Err(error) if error.code() == Some("ResourceNotFoundException") => {}
            Err(error) => {
                let fault = session.aws.fault(format!("failed to delete stream `{stream}`"), &error);
                let has_consumers =
                    error.code() == Some("ResourceInUseException") && !args.enforce_consumer_deletion;
                return Err(if has_consumers {
                    fault.with_hint(format!("kstream delete {stream} --yes --enforce-consumer-deletion"))
                } else {
                    fault
                });
            }
        }
    }
    if args.no_wait {
        notes.say(format!("deleting stream `{stream}`; see it gone with: kstream wait {stream} --gone"));
        return Ok(());
    }
    wait::until_gone(session, stream, limit).await?;
    notes.say(format!("deleted stream `{stream}`: it costs nothing any more"));
    Ok(())
}
