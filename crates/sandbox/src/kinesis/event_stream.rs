//! Frames of `application/vnd.amazon.eventstream`, the only answer of Kinesis that is not one JSON document.

use aws_smithy_eventstream::frame::write_message_to;
use aws_smithy_types::event_stream::{Header, HeaderValue, Message};
use bytes::Bytes;

use crate::error::ServiceError;

use super::error::{INTERNAL_FAILURE, error};

/// The empty answer of the operation itself, which goes in front of its events.
pub(super) fn initial_response() -> Result<Bytes, ServiceError> {
    frame("event", ":event-type", "initial-response", "application/x-amz-json-1.1", Bytes::from_static(b"{}"))
}

/// An event of the type that `SubscribeToShard` sends.
pub(super) fn event(payload: Vec<u8>) -> Result<Bytes, ServiceError> {
    frame("event", ":event-type", "SubscribeToShardEvent", "application/json", payload.into())
}

/// An error that ends the stream.
pub(super) fn exception(refused: &ServiceError) -> Result<Bytes, ServiceError> {
    let payload = serde_json::json!({ "message": refused.message }).to_string();
    frame("exception", ":exception-type", &refused.code, "application/json", payload.into())
}

fn frame(
    message_type: &'static str,
    type_header: &'static str,
    type_name: &str,
    content_type: &'static str,
    payload: Bytes,
) -> Result<Bytes, ServiceError> {
    let text = |value: &str| HeaderValue::String(value.to_owned().into());
    let message = Message::new(payload)
        .add_header(Header::new(":message-type", text(message_type)))
        .add_header(Header::new(type_header, text(type_name)))
        .add_header(Header::new(":content-type", text(content_type)));
    let mut bytes = Vec::new();
    write_message_to(&message, &mut bytes)
        .map_err(|reason| error(INTERNAL_FAILURE, format!("could not write an event: {reason}")))?;
    Ok(bytes.into())
}

#[cfg(test)]
mod tests {
    use aws_smithy_eventstream::frame::read_message_from;

    use super::*;

    fn read_back(bytes: &Bytes) -> (Vec<(String, String)>, Bytes) {
        let message = read_message_from(&mut bytes.as_ref()).unwrap();
        let headers = message.headers().iter().map(|header| {
            (header.name().as_str().to_owned(), header.value().as_string().unwrap().as_str().to_owned())
        });
        (headers.collect(), message.payload().clone())
    }

    #[test]
    fn an_event_says_what_it_is() {
        let (headers, payload) = read_back(&event(b"{\"Records\":[]}".to_vec()).unwrap());
        assert!(headers.contains(&(":message-type".to_owned(), "event".to_owned())));
        assert!(headers.contains(&(":event-type".to_owned(), "SubscribeToShardEvent".to_owned())));
        assert_eq!(payload, "{\"Records\":[]}");
    }

    #[test]
    fn an_exception_carries_its_code_and_message() {
        let (headers, payload) =
            read_back(&exception(&error("ResourceInUseException", "taken over")).unwrap());
        assert!(headers.contains(&(":message-type".to_owned(), "exception".to_owned())));
        assert!(headers.contains(&(":exception-type".to_owned(), "ResourceInUseException".to_owned())));
        assert_eq!(payload, "{\"message\":\"taken over\"}");
    }
}
