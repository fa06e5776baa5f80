//! Signature Version 4, verified for real: the signature is computed again from the request and the secret.

use std::fmt::Write as _;
use std::time::{Duration, SystemTime};

use hmac::{Hmac, KeyInit as _, Mac as _};
use http::HeaderMap;
use http::request::Parts;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use sha2::{Digest as _, Sha256};

/// How far the caller's clock may be off, by the documentation of the signature.
const MAX_SKEW: Duration = Duration::from_mins(15);

const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// What RFC 3986 leaves as it is, and so does a canonical request.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// The `Authorization` header of a signed request, taken apart but not yet believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Authorization {
    pub(crate) access_key_id: String,
    pub(crate) date: String,
    pub(crate) region: String,
    pub(crate) service: String,
    signed_headers: Vec<String>,
    signature: Vec<u8>,
}

/// Why a request is not authenticated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Rejection {
    /// There is no `Authorization` header.
    Missing,
    /// There is one, and a part of it is missing or malformed.
    Incomplete(String),
    /// Nobody has this access key, or its session token is another one.
    UnknownKey,
    /// The keys were a session's, and the session is over.
    Expired,
    /// The secret or the request is not the one that was signed.
    WrongSignature,
    /// Signed for another time, service or region; the sentence says which.
    Refused(String),
}

impl Authorization {
    /// Takes the header apart.
    pub(crate) fn parse(headers: &HeaderMap) -> Result<Self, Rejection> {
        let value = headers
            .get(http::header::AUTHORIZATION)
            .ok_or(Rejection::Missing)?
            .to_str()
            .map_err(|_| incomplete("the Authorization header is not text"))?;
        let rest = value
            .strip_prefix(ALGORITHM)
            .ok_or_else(|| incomplete(format!("Unsupported AWS 'algorithm': '{value}'")))?;
        let part = |name: &str| {
            rest.split(',')
                .filter_map(|field| field.trim().split_once('='))
                .find_map(|(key, value)| (key == name).then_some(value))
                .ok_or_else(|| incomplete(format!("Authorization header requires '{name}' parameter.")))
        };
        let credential = part("Credential")?;
        let mut scope = credential.rsplitn(5, '/');
        let (Some("aws4_request"), Some(service), Some(region), Some(date), Some(key)) =
            (scope.next(), scope.next(), scope.next(), scope.next(), scope.next())
        else {
            return Err(incomplete(format!(
                "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '{credential}'"
            )));
        };
        Ok(Self {
            access_key_id: key.to_owned(),
            date: date.to_owned(),
            region: region.to_owned(),
            service: service.to_owned(),
            signed_headers: part("SignedHeaders")?.split(';').map(str::to_owned).collect(),
            signature: unhex(part("Signature")?).ok_or(Rejection::WrongSignature)?,
        })
    }

    /// Computes the signature again and compares.
    pub(crate) fn verify(
        &self,
        parts: &Parts,
        body: &[u8],
        secret: &str,
        now: SystemTime,
    ) -> Result<(), Rejection> {
        let stamp =
            parts.headers.get("x-amz-date").and_then(|value| value.to_str().ok()).ok_or_else(|| {
                incomplete(
                    "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.",
                )
            })?;
        let signed_at = parse_stamp(stamp)
            .ok_or_else(|| incomplete(format!("Date must be in ISO-8601 'basic format', got '{stamp}'")))?;
        if !stamp.starts_with(&self.date) || !self.signed_headers.iter().any(|name| name == "host") {
            return Err(Rejection::WrongSignature);
        }
        check_skew(signed_at, now, stamp)?;

        let scope = format!("{}/{}/{}/aws4_request", self.date, self.region, self.service);
        let request = self.canonical_request(parts, body).ok_or(Rejection::WrongSignature)?;
        let text = format!("{ALGORITHM}\n{stamp}\n{scope}\n{}", hex(&Sha256::digest(request)));
        let mut key = hmac(format!("AWS4{secret}").as_bytes(), self.date.as_bytes());
        for step in [self.region.as_str(), &self.service, "aws4_request"] {
            key = hmac(&key, step.as_bytes());
        }
        mac(&key)
            .chain_update(text.as_bytes())
            .verify_slice(&self.signature)
            .map_err(|_| Rejection::WrongSignature)
    }

    /// The request in the one spelling that both sides sign. The body is hashed here, so a header that
    /// claims another hash, or none, does not help. None: a signed header is not there.
    fn canonical_request(&self, parts: &Parts, body: &[u8]) -> Option<String> {
        let mut headers = String::new();
        for name in &self.signed_headers {
            let values: Vec<String> = parts
                .headers
                .get_all(name)
                .iter()
                .map(|value| Some(value.to_str().ok()?.split_whitespace().collect::<Vec<_>>().join(" ")))
                .collect::<Option<_>>()?;
            if values.is_empty() {
                return None;
            }
            writeln!(headers, "{name}:{}", values.join(",")).ok()?;
        }
        Some(format!(
            "{}\n{}\n{}\n{headers}\n{}\n{}",
            parts.method,
            canonical_path(parts.uri.path()),
            canonical_query(parts.uri.query().unwrap_or_default()),
            self.signed_headers.join(";"),
            hex(&Sha256::digest(body)),
        ))
    }
}

fn incomplete(message: impl Into<String>) -> Rejection {
    Rejection::Incomplete(message.into())
}

fn check_skew(signed_at: SystemTime, now: SystemTime, stamp: &str) -> Result<(), Rejection> {
    let show = |time: SystemTime| {
        jiff::Timestamp::try_from(time)
            .map(|time| time.strftime("%Y%m%dT%H%M%SZ").to_string())
            .unwrap_or_default()
    };
    if now.duration_since(signed_at).is_ok_and(|late| late > MAX_SKEW) {
        let earliest = show(now - MAX_SKEW);
        return Err(Rejection::Refused(format!(
            "Signature expired: {stamp} is now earlier than {earliest} ({} - 15 min.)",
            show(now)
        )));
    }
    if signed_at.duration_since(now).is_ok_and(|early| early > MAX_SKEW) {
        let latest = show(now + MAX_SKEW);
        return Err(Rejection::Refused(format!(
            "Signature not yet current: {stamp} is still later than {latest} ({} + 15 min.)",
            show(now)
        )));
    }
    Ok(())
}

fn parse_stamp(stamp: &str) -> Option<SystemTime> {
    let civil = jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ", stamp).ok()?;
    SystemTime::try_from(jiff::tz::TimeZone::UTC.to_timestamp(civil).ok()?).ok()
}

/// Every segment is encoded once more, as all services but S3 want it.
fn canonical_path(path: &str) -> String {
    path.split('/')
        .map(|segment| utf8_percent_encode(segment, UNRESERVED).to_string())
        .collect::<Vec<_>>()
        .join("/")
}

fn canonical_query(query: &str) -> String {
    let encode = |text: &str| {
        let plain = percent_decode_str(text).decode_utf8_lossy();
        utf8_percent_encode(&plain, UNRESERVED).to_string()
    };
    let mut pairs: Vec<(String, String)> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (encode(name), encode(value))
        })
        .collect();
    pairs.sort();
    pairs.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
}

#[expect(clippy::expect_used, reason = "an HMAC accepts a key of any length")]
fn mac(key: &[u8]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).expect("an HMAC accepts a key of any length")
}

fn hmac(key: &[u8], text: &[u8]) -> Vec<u8> {
    mac(key).chain_update(text).finalize().into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        for digit in [byte >> 4, byte & 15] {
            text.extend(char::from_digit(digit.into(), 16));
        }
    }
    text
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> =
        text.chars().map(|digit| digit.to_digit(16).and_then(|value| u8::try_from(value).ok())).collect();
    let digits = digits?;
    digits
        .len()
        .is_multiple_of(2)
        .then(|| digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// AWS's own published vector `get-vanilla-query-order-key-case` of its signature test suite.
    fn vector() -> (Parts, SystemTime) {
        let request = http::Request::get("http://example.amazonaws.com/?Param2=value2&Param1=value1")
            .header("host", "example.amazonaws.com")
            .header("x-amz-date", "20150830T123600Z")
            .header(
                "authorization",
                "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, \
                 SignedHeaders=host;x-amz-date, \
                 Signature=b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
            )
            .body(())
            .unwrap();
        let (parts, ()) = request.into_parts();
        (parts, parse_stamp("20150830T123600Z").unwrap())
    }

    const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

    #[test]
    fn the_published_vector_verifies() {
        let (parts, now) = vector();
        let authorization = Authorization::parse(&parts.headers).unwrap();
        assert_eq!(authorization.access_key_id, "AKIDEXAMPLE");
        assert_eq!(authorization.verify(&parts, b"", SECRET, now), Ok(()));
    }

    #[test]
    fn another_secret_body_or_query_does_not() {
        let (mut parts, now) = vector();
        let authorization = Authorization::parse(&parts.headers).unwrap();
        let wrong = Err(Rejection::WrongSignature);
        assert_eq!(authorization.verify(&parts, b"", "other", now), wrong);
        assert_eq!(authorization.verify(&parts, b"x", SECRET, now), wrong);
        parts.uri = "http://example.amazonaws.com/?Param1=value1".parse().unwrap();
        assert_eq!(authorization.verify(&parts, b"", SECRET, now), wrong);
    }

    #[test]
    fn a_clock_may_be_off_by_a_quarter_of_an_hour() {
        let (parts, now) = vector();
        let authorization = Authorization::parse(&parts.headers).unwrap();
        assert_eq!(authorization.verify(&parts, b"", SECRET, now + MAX_SKEW), Ok(()));
        let late = authorization.verify(&parts, b"", SECRET, now + MAX_SKEW + Duration::from_secs(1));
        assert!(
            matches!(late, Err(Rejection::Refused(message)) if message.starts_with("Signature expired: 20150830T123600Z"))
        );
        let early = authorization.verify(&parts, b"", SECRET, now - MAX_SKEW - Duration::from_secs(1));
        assert!(
            matches!(early, Err(Rejection::Refused(message)) if message.starts_with("Signature not yet current"))
        );
    }

    #[test]
    fn a_header_that_is_not_whole_says_what_is_missing() {
        let mut headers = HeaderMap::new();
        assert_eq!(Authorization::parse(&headers), Err(Rejection::Missing));
        headers.insert("authorization", "AWS4-HMAC-SHA256 Credential=A/1/r/s/aws4_request".parse().unwrap());
        assert_eq!(
            Authorization::parse(&headers),
            Err(incomplete("Authorization header requires 'SignedHeaders' parameter."))
        );
        headers.insert("authorization", "Bearer abc".parse().unwrap());
        assert!(matches!(Authorization::parse(&headers), Err(Rejection::Incomplete(_))));
    }
}
