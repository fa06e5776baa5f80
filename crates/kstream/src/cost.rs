//! What a stream costs: list prices, and an estimate for a given load. Pure.
//!
//! Prices are those of us-east-1 (AWS Big Data Blog, 2026-03-09, and the Kinesis Data Streams pricing page); other
//! regions differ by some per cent. Free of it: data out through shared reads on provisioned streams.

use config::member::Stream;
use serde::Serialize;

use crate::args::Cost;

/// On-demand, for the stream itself, US dollars an hour.
const ON_DEMAND_STREAM_HOUR: f64 = 0.04;
/// On-demand, US dollars per GB in; each record is rounded up to 1 KiB.
const ON_DEMAND_GB_IN: f64 = 0.08;
/// On-demand, US dollars per GB out.
const ON_DEMAND_GB_OUT: f64 = 0.04;
/// Provisioned, US dollars a shard and hour.
const SHARD_HOUR: f64 = 0.015;
/// Provisioned, US dollars per million PUT payload units.
const MILLION_PUT_UNITS: f64 = 0.014;
/// One PUT payload unit, bytes.
const PUT_UNIT_BYTES: u64 = 25 * 1024;
/// What on-demand rounds a record up to, bytes.
const ON_DEMAND_ROUND_BYTES: u64 = 1024;
/// One GB of the price list, bytes.
const GB: f64 = 1024.0 * 1024.0 * 1024.0;

const PRICES: &str =
    "list prices of us-east-1, 2026-03; yours: https://aws.amazon.com/kinesis/data-streams/pricing/";

/// The result of `kstream cost`. Money is US dollars.
#[derive(Debug, Serialize, PartialEq)]
pub(crate) struct Bill<'a> {
    stream: &'a str,
    region: &'a str,
    mode: &'a str,
    shards: Option<i32>,
    per_hour_usd: f64,
    per_day_usd: f64,
    per_gb_in_usd: Option<f64>,
    per_gb_out_usd: Option<f64>,
    per_million_put_units_usd: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    estimate: Option<Estimate>,
    prices: &'static str,
    delete_with: String,
}

/// What a load adds.
#[derive(Debug, Serialize, PartialEq)]
struct Estimate {
    records_per_second: u64,
    record_bytes: u64,
    billed_bytes_a_record: u64,
    data_per_hour_usd: f64,
    total_per_day_usd: f64,
}

/// The bill of a stream.
pub(crate) fn bill<'a>(stream: &'a Stream, args: &Cost, region: &'a str) -> Bill<'a> {
    let provisioned = is_provisioned(stream);
    let per_hour = per_hour(stream);
    let load = args.records_per_second.zip(args.record_bytes);
    let estimate = load.map(|(records_per_second, record_bytes)| {
        let unit = if provisioned { PUT_UNIT_BYTES } else { ON_DEMAND_ROUND_BYTES };
        let units_a_record = record_bytes.div_ceil(unit);
        // In floating point from the start: no rate that fits on the command line can overflow it.
        let units_an_hour = as_f64(records_per_second) * 3600.0 * as_f64(units_a_record);
        let data_per_hour_usd = if provisioned {
            units_an_hour / 1e6 * MILLION_PUT_UNITS
        } else {
            units_an_hour * as_f64(ON_DEMAND_ROUND_BYTES) / GB * ON_DEMAND_GB_IN
        };
        Estimate {
            records_per_second,
            record_bytes,
            billed_bytes_a_record: units_a_record * unit,
            data_per_hour_usd: cents(data_per_hour_usd),
            total_per_day_usd: cents((per_hour + data_per_hour_usd) * 24.0),
        }
    });
    Bill {
        stream: stream.name.as_str(),
        region,
        mode: stream.mode.as_deref().unwrap_or("ON_DEMAND"),
        shards: stream.open_shards,
        per_hour_usd: cents(per_hour),
        per_day_usd: cents(per_hour * 24.0),
        per_gb_in_usd: (!provisioned).then_some(ON_DEMAND_GB_IN),
        per_gb_out_usd: (!provisioned).then_some(ON_DEMAND_GB_OUT),
        per_million_put_units_usd: provisioned.then_some(MILLION_PUT_UNITS),
        estimate,
        prices: PRICES,
        delete_with: format!("kstream delete {} --yes", stream.name),
    }
}

/// The bill in a sentence, for stderr.
pub(crate) fn sentence(stream: &Stream) -> String {
    let per_hour = per_hour(stream);
    let data = if is_provisioned(stream) {
        format!("${MILLION_PUT_UNITS} per million puts of up to 25 KB")
    } else {
        format!("${ON_DEMAND_GB_IN} per GB in and ${ON_DEMAND_GB_OUT} per GB out")
    };
    format!("it costs about ${per_hour:.3} an hour while it exists, {data}")
}

/// The capacity mode for people.
pub(crate) fn mode_name(stream: &Stream) -> &'static str {
    if is_provisioned(stream) { "provisioned" } else { "on-demand" }
}

fn is_provisioned(stream: &Stream) -> bool {
    stream.mode.as_deref() == Some("PROVISIONED")
}

fn per_hour(stream: &Stream) -> f64 {
    if is_provisioned(stream) {
        f64::from(stream.open_shards.unwrap_or(1)) * SHARD_HOUR
    } else {
        ON_DEMAND_STREAM_HOUR
    }
}

/// Hundredths of a cent are as exact as a list price gets.
fn cents(dollars: f64) -> f64 {
    (dollars * 1e4).round() / 1e4
}

#[expect(clippy::cast_precision_loss, reason = "an estimate in money needs no more than 53 bits")]
fn as_f64(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use config::member::Stream;

    use super::{bill, sentence};
    use crate::args::Cost;

    fn stream(mode: &str, shards: i32) -> Stream {
        Stream {
            name: "s".parse().unwrap(),
            arn: "arn:aws:kinesis:eu-central-1:123456789012:stream/s".parse().unwrap(),
            status: Some("ACTIVE".into()),
            mode: Some(mode.into()),
            open_shards: Some(shards),
            max_record_size_kib: Some(1024),
            retention_hours: Some(24),
            kms_key: None,
        }
    }

    fn estimate(mode: &str) -> (u64, f64, f64) {
        let load = Cost { stream: None, records_per_second: Some(1000), record_bytes: Some(110) };
        let stream = stream(mode, 2);
        let estimate = bill(&stream, &load, "eu-central-1").estimate.unwrap();
        (estimate.billed_bytes_a_record, estimate.data_per_hour_usd, estimate.total_per_day_usd)
    }

    #[test]
    fn a_small_record_is_billed_as_one_kib_on_demand() {
        // 3.6 M records an hour, 1 KiB each: 3.433 GB at $0.08, and $0.04 for the stream.
        assert_eq!(estimate("ON_DEMAND"), (1024, 0.2747, 7.5518));
    }

    #[test]
    fn a_small_record_is_one_payload_unit_provisioned() {
        // 3.6 M units at $0.014 a million, and two shards at $0.015.
        assert_eq!(estimate("PROVISIONED"), (25_600, 0.0504, 1.9296));
    }

    #[test]
    fn the_sentence_names_the_price_of_forgetting_it() {
        assert_eq!(
            sentence(&stream("ON_DEMAND", 4)),
            "it costs about $0.040 an hour while it exists, $0.08 per GB in and $0.04 per GB out"
        );
        assert!(sentence(&stream("PROVISIONED", 2)).contains("$0.030 an hour"));
    }
}
