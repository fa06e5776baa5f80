//! Settings of a stream that exists: retention, capacity mode, record size, distribution, encryption.

use serde::Serialize;

use crate::error::ServiceError;

use super::describe::WarmThroughput;
use super::error::{in_use, invalid_argument, validation};
use super::input::Input;
use super::rule::{KEY_ID, STREAM_ARN};
use super::stream::{DEFAULT_RETENTION_HOURS, DISTRIBUTIONS, Distribution, MODES, Mode, Stream};
use super::{Engine, Request, wire};

/// The longest retention, 365 days (API reference).
const LONGEST_RETENTION_HOURS: i64 = 8_760;

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Warmed {
    stream_name: String,
    #[serde(rename = "StreamARN")]
    stream_arn: String,
    warm_throughput: WarmThroughput,
}

impl Engine {
    pub(super) fn increase_retention(&self, request: &Request<'_>) -> Result<Vec<u8>, ServiceError> {
        self.set_retention(request, |stream, hours| {
            let present = i64::from(stream.retention_hours);
            (hours < present).then(|| {
                format!(
                    "Requested retention period ({hours} hours) for stream {} can not be shorter than \
                     existing retention period ({present} hours). Use DecreaseRetentionPeriod API.",
                    stream.name
                )
            })
        })
    }

    pub(super) fn decrease_retention(&self, request: &Request<'_>) -> Result<Vec<u8>, ServiceError> {
        self.set_retention(request, |stream, hours| {
            let present = i64::from(stream.retention_hours);
            (hours > present).then(|| {
                format!(
                    "Requested retention period ({hours} hours) for stream {} can not be longer than \
                     existing retention period ({present} hours). Use IncreaseRetentionPeriod API.",
                    stream.name
                )
            })
        })
    }

    /// `objection` says why the stream's present retention rules the new one out.
    fn set_retention(
        &self,
        request: &Request<'_>,
        objection: impl FnOnce(&Stream, i64) -> Option<String>,
    ) -> Result<Vec<u8>, ServiceError> {
        let mut input = Input::parse(request.body)?;
        let hours = input.required_integer("RetentionPeriodHours", i64::MIN..=i64::MAX)?;
        let name = self.stream_name(&mut input, request.caller)?;
        if hours < i64::from(DEFAULT_RETENTION_HOURS) {
            return Err(invalid_argument(format!(
                "Minimum allowed retention period is {DEFAULT_RETENTION_HOURS} hours. \
                 Requested retention period ({hours} hours) is too short."
            )));
        }
        if hours > LONGEST_RETENTION_HOURS {
            return Err(invalid_argument(format!(
                "Maximum allowed retention period is {LONGEST_RETENTION_HOURS} hours. \
                 Requested retention period ({hours} hours) is too long."
            )));
        }
        self.update(&name, request, |stream| match objection(stream, hours) {
            Some(reason) => Err(invalid_argument(reason)),
            None => {
                stream.retention_hours = u32::try_from(hours).unwrap_or(DEFAULT_RETENTION_HOURS);
                Ok(())
            }
        })
    }

    pub(super) fn update_stream_mode(&self, request: &Request<'_>) -> Result<Vec<u8>, ServiceError> {
        let mut input = Input::parse(request.body)?;
        let arn = input.required_text("StreamARN", &STREAM_ARN)?;
        let mode =
            input.structure("StreamModeDetails", |details| details.required_choice("StreamMode", &MODES))?;
        let mode = mode.flatten();
        if mode.is_none() {
            input.violations().missing("streamModeDetails");
        }
        let warm = input.count("WarmThroughputMiBps", 0)?;
        input.check()?;
        let name = self.stream_of_arn(&arn)?;
        self.update(&name, request, |stream| {
            let mode = mode.unwrap_or(stream.mode);
            if mode == Mode::Provisioned && stream.distribution == Distribution::Auto {
                return Err(validation(
                    "A stream whose record distribution strategy is AUTO must stay in On-Demand mode.",
                ));
            }
            stream.mode = mode;
            stream.warm_mibps = warm.unwrap_or(stream.warm_mibps);
            Ok(())
        })
    }

    pub(super) fn update_max_record_size(&self, request: &Request<'_>) -> Result<Vec<u8>, ServiceError> {
        let mut input = Input::parse(request.body)?;
        let kib = input.required_integer("MaxRecordSizeInKiB", 1_024..=10_240)?;
        let name = self.stream_name(&mut input, request.caller)?;
        self.update(&name, request, |stream| {
            stream.max_record_kib = u32::try_from(kib).unwrap_or(stream.max_record_kib);
            Ok(())
        })
    }

    pub(super) fn update_stream_warm_throughput(
        &self,
        request: &Request<'_>,
    ) -> Result<Vec<u8>, ServiceError> {
        let mut input = Input::parse(request.body)?;
        let warm = input.count("WarmThroughputMiBps", 0)?;
        let target = input.required("WarmThroughputMiBps", warm);
        let name = self.stream_name(&mut input, request.caller)?;
        self.update(&name, request, |stream| {
            on_demand_only(stream)?;
            stream.warm_mibps = target;
            Ok(())
        })?;
        wire::body(&Warmed {
            stream_arn: self.options().stream_arn(&name),
            stream_name: name,
            warm_throughput: WarmThroughput { target, current: target },
        })
    }

    /// Unlike the other settings this one takes effect at once.
    pub(super) fn update_distribution(&self, request: &Request<'_>) -> Result<Vec<u8>, ServiceError> {
        let mut input = Input::parse(request.body)?;
        let arn = input.required_text("StreamARN", &STREAM_ARN)?;
        let distribution = input.required_choice("RecordDistributionStrategy", &DISTRIBUTIONS)?;
        input.check()?;
        let name = self.stream_of_arn(&arn)?;
        self.on_stream(&name, request.now_ms, |stream| {
            stream.must_be_active()?;
            on_demand_only(stream)?;
            stream.distribution = distribution.unwrap_or(stream.distribution);
            Ok(wire::nothing())
        })
    }

    pub(super) fn start_encryption(&self, request: &Request<'_>) -> Result<Vec<u8>, ServiceError> {
        self.set_encryption(request, |stream, key| {
            if stream.key_id.as_deref() == Some(key) {
                return Err(in_use(format!(
                    "Stream {} under account {} is already encrypted under {key}.",
                    stream.name, stream.account
                )));
            }
            stream.key_id = Some(key.to_owned());
            Ok(())
        })
    }

    pub(super) fn stop_encryption(&self, request: &Request<'_>) -> Result<Vec<u8>, ServiceError> {
        self.set_encryption(request, |stream, _| {
            stream.key_id = None;
            Ok(())
        })
    }

    fn set_encryption(
        &self,
        request: &Request<'_>,
        set: impl FnOnce(&mut Stream, &str) -> Result<(), ServiceError>,
    ) -> Result<Vec<u8>, ServiceError> {
        let mut input = Input::parse(request.body)?;
        let kms = input.required_choice("EncryptionType", &[("NONE", false), ("KMS", true)])?;
        let key = input.required_text("KeyId", &KEY_ID)?;
        let name = self.stream_name(&mut input, request.caller)?;
        if kms == Some(false) {
            return Err(invalid_argument(
                "Encryption type KMS is the only one that can be started or stopped.",
            ));
        }
        self.update(&name, request, |stream| set(stream, &key))
    }

    /// Changes an active stream, which is then `UPDATING` for a while.
    fn update(
        &self,
        name: &str,
        request: &Request<'_>,
        set: impl FnOnce(&mut Stream) -> Result<(), ServiceError>,
    ) -> Result<Vec<u8>, ServiceError> {
        self.on_stream(name, request.now_ms, |stream| {
            stream.must_be_active()?;
            set(stream)?;
            stream.begin_update(Vec::new(), self.update_ready_ms(request));
            Ok(wire::nothing())
        })
    }
}

fn on_demand_only(stream: &Stream) -> Result<(), ServiceError> {
    match stream.mode {
        Mode::OnDemand => Ok(()),
        Mode::Provisioned => Err(validation(format!(
            "Request is invalid. Stream {} under account {} is in Provisioned mode.",
            stream.name, stream.account
        ))),
    }
}
