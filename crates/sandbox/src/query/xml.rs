//! A small writer for the XML that IAM and STS answer with.

use std::borrow::Cow;
use std::fmt::Display;

/// XML under construction. Names are ours and need no escaping; text is escaped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Xml {
    text: String,
    /// Operations that answer with nothing but an acknowledgement have no result element, not even an empty one.
    is_result: bool,
}

impl Xml {
    /// A result, empty so far.
    pub(crate) fn new() -> Self {
        Self::begin(String::new())
    }

    /// The answer of an operation that has no result.
    pub(crate) fn acknowledgement() -> Self {
        Self { text: String::new(), is_result: false }
    }

    fn begin(text: String) -> Self {
        Self { text, is_result: true }
    }

    /// `<name>value</name>`
    pub(crate) fn text(&mut self, name: &str, value: impl Display) -> &mut Self {
        self.open(name);
        self.text.push_str(&escape(&value.to_string()));
        self.close(name)
    }

    /// `<name>value</name>`, or nothing at all.
    pub(crate) fn optional(&mut self, name: &str, value: Option<impl Display>) -> &mut Self {
        match value {
            Some(value) => self.text(name, value),
            None => self,
        }
    }

    /// An element with children.
    pub(crate) fn element(&mut self, name: &str, children: impl FnOnce(&mut Self)) -> &mut Self {
        self.open(name);
        children(self);
        self.close(name)
    }

    /// `<name><member>…</member>…</name>`
    pub(crate) fn members<T>(
        &mut self,
        name: &str,
        items: impl IntoIterator<Item = T>,
        mut each: impl FnMut(&mut Self, T),
    ) -> &mut Self {
        self.element(name, |list| {
            for item in items {
                list.element("member", |member| each(member, item));
            }
        })
    }

    /// Text directly inside the current element.
    pub(crate) fn raw_text(&mut self, value: &str) -> &mut Self {
        self.text.push_str(&escape(value));
        self
    }

    /// The answer to `operation`, ready to send.
    pub(crate) fn response(&self, operation: &str, namespace: &str, request_id: &str) -> String {
        let mut whole = Self::begin(format!("<{operation}Response xmlns=\"{namespace}\">"));
        if self.is_result {
            let name = format!("{operation}Result");
            whole.open(&name).text.push_str(&self.text);
            whole.close(&name);
        }
        whole.element("ResponseMetadata", |metadata| {
            metadata.text("RequestId", request_id);
        });
        whole.close(&format!("{operation}Response"));
        whole.text
    }

    /// The error document that IAM and STS share.
    pub(crate) fn error(status: u16, code: &str, message: &str, namespace: &str, request_id: &str) -> String {
        let blame = if status < 500 { "Sender" } else { "Receiver" };
        let mut whole = Self::begin(format!("<ErrorResponse xmlns=\"{namespace}\">"));
        whole.element("Error", |error| {
            error.text("Type", blame).text("Code", code).text("Message", message);
        });
        whole.text("RequestId", request_id).close("ErrorResponse");
        whole.text
    }

    fn open(&mut self, name: &str) -> &mut Self {
        self.text.push('<');
        self.text.push_str(name);
        self.text.push('>');
        self
    }

    fn close(&mut self, name: &str) -> &mut Self {
        self.text.push_str("</");
        self.text.push_str(name);
        self.text.push('>');
        self
    }
}

/// Escapes text. A carriage return would be lost by a parser's line-end rule, so it is written as a reference;
/// other control characters cannot stand in XML 1.0 and become a question mark.
fn escape(text: &str) -> Cow<'_, str> {
    let plain = |letter: char| !matches!(letter, '&' | '<' | '>' | '"') && !letter.is_control();
    if text.chars().all(plain) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\r' => escaped.push_str("&#xD;"),
            '\t' | '\n' => escaped.push(letter),
            control if control < ' ' => escaped.push('?'),
            letter => escaped.push(letter),
        }
    }
    Cow::Owned(escaped)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_escaped() {
        let mut xml = Xml::new();
        xml.text("Message", "a < b & \"c\"\r\n\u{1}");
        assert_eq!(xml.text, "<Message>a &lt; b &amp; &quot;c&quot;&#xD;\n?</Message>");
    }

    #[test]
    fn an_acknowledgement_has_no_result_element() {
        let updated = Xml::new().response("UpdateRole", "urn:n", "id");
        assert!(updated.contains("<UpdateRoleResult></UpdateRoleResult>"), "{updated}");
        assert_eq!(
            Xml::acknowledgement().response("DeleteRole", "urn:n", "id"),
            "<DeleteRoleResponse xmlns=\"urn:n\"><ResponseMetadata><RequestId>id</RequestId></ResponseMetadata></DeleteRoleResponse>"
        );
    }

    #[test]
    fn an_error_says_whose_fault_it_is() {
        let sender = Xml::error(404, "NoSuchEntity", "gone", "urn:n", "id");
        assert!(sender.contains("<Type>Sender</Type><Code>NoSuchEntity</Code>"), "{sender}");
        let receiver = Xml::error(500, "ServiceFailure", "oh", "urn:n", "id");
        assert!(receiver.contains("<Type>Receiver</Type>"), "{receiver}");
    }
}
