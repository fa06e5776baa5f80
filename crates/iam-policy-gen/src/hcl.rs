//! Terraform's language, laid out as `terraform fmt` leaves it alone.

/// A value in a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    /// A string, quoted and escaped.
    Text(String),
    /// An expression, such as `aws_iam_role.reader.arn`.
    Expression(String),
    /// A list of values.
    List(Vec<Self>),
    /// `true` or `false`.
    Flag(bool),
}

/// A block: a type with labels, arguments, and blocks inside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Block {
    head: String,
    arguments: Vec<(&'static str, Value)>,
    blocks: Vec<Self>,
}

/// Lists that would make a line longer are written one item a line.
const LINE_CHARS: usize = 100;

impl Block {
    /// A block without labels.
    pub(crate) fn new(kind: &str) -> Self {
        Self { head: kind.to_owned(), arguments: Vec::new(), blocks: Vec::new() }
    }

    /// A block with two labels, as resources and data sources have.
    pub(crate) fn labelled(kind: &str, of: &str, name: &str) -> Self {
        Self::new(&format!("{kind} \"{of}\" \"{name}\""))
    }

    /// With one more argument.
    #[must_use]
    pub(crate) fn with(mut self, name: &'static str, value: Value) -> Self {
        self.arguments.push((name, value));
        self
    }

    /// With one more block inside.
    #[must_use]
    pub(crate) fn with_block(mut self, block: Self) -> Self {
        self.blocks.push(block);
        self
    }

    /// The block as text, with a line break at its end.
    pub(crate) fn to_text(&self) -> String {
        let mut text = String::new();
        self.write(&mut text, 0);
        text
    }

    fn write(&self, text: &mut String, depth: usize) {
        let margin = "  ".repeat(depth);
        text.push_str(&format_line(&margin, &format!("{} {{", self.head)));
        let inner = "  ".repeat(depth + 1);
        // One-line arguments are aligned with their neighbours; the others stand apart, after them.
        let (short, long): (Vec<_>, Vec<_>) =
            self.arguments.iter().partition(|(name, value)| !value.is_long(inner.len() + name.len() + 3));
        let width = short.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
        for (name, value) in short {
            text.push_str(&format_line(&inner, &format!("{name:width$} = {}", value.to_text())));
        }
        let mut is_first =
            self.arguments.iter().all(|(name, value)| value.is_long(inner.len() + name.len() + 3));
        for (name, value) in long {
            if !is_first {
                text.push('\n');
            }
            is_first = false;
            value.write_long(text, name, &inner);
        }
        for block in &self.blocks {
            if !is_first || !self.arguments.is_empty() {
                text.push('\n');
            }
            is_first = false;
            block.write(text, depth + 1);
        }
        text.push_str(&format_line(&margin, "}"));
    }
}

impl Value {
    /// A list of strings.
    pub(crate) fn texts<'a>(items: impl IntoIterator<Item = &'a str>) -> Self {
        Self::List(items.into_iter().map(|item| Self::Text(item.to_owned())).collect())
    }

    fn is_long(&self, indent: usize) -> bool {
        matches!(self, Self::List(items) if items.len() > 1 && indent + self.to_text().len() > LINE_CHARS)
    }

    fn to_text(&self) -> String {
        match self {
            Self::Text(text) => quoted(text),
            Self::Expression(expression) => expression.clone(),
            Self::Flag(flag) => flag.to_string(),
            Self::List(items) => {
                format!("[{}]", items.iter().map(Self::to_text).collect::<Vec<_>>().join(", "))
            }
        }
    }

    fn write_long(&self, text: &mut String, name: &str, margin: &str) {
        if let Self::List(items) = self {
            text.push_str(&format_line(margin, &format!("{name} = [")));
            for item in items {
                text.push_str(&format_line(margin, &format!("  {},", item.to_text())));
            }
            text.push_str(&format_line(margin, "]"));
        }
    }
}

fn format_line(margin: &str, content: &str) -> String {
    format!("{margin}{content}\n")
}

/// A quoted string. `${` and `%{` begin a template in Terraform, so they are doubled.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            '\r' => quoted.push_str("\\r"),
            '$' | '%' if characters.peek() == Some(&'{') => {
                quoted.push(character);
                quoted.push(character);
            }
            other if other.is_control() => {
                let code = format!("\\u{:04x}", u32::from(other));
                quoted.push_str(&code);
            }
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}

/// A name as Terraform takes it for a label: letters, digits, `_` and `-`, not a digit first.
pub(crate) fn label(name: &str) -> String {
    let mut label: String = name
        .chars()
        .map(|character| if character.is_ascii_alphanumeric() { character.to_ascii_lowercase() } else { '_' })
        .collect();
    if label.starts_with(|first: char| first.is_ascii_digit()) {
        label.insert(0, '_');
    }
    label
}

#[cfg(test)]
mod tests {
    use super::{Block, Value, label, quoted};

    #[test]
    fn templates_and_quotes_are_escaped() {
        assert_eq!(quoted(r#"a"b\c"#), r#""a\"b\\c""#);
        assert_eq!(quoted("${aws:userid} 5% %{x} $5"), r#""$${aws:userid} 5% %%{x} $5""#);
    }

    #[test]
    fn arguments_are_aligned_and_long_lists_stand_apart() {
        let long = Value::texts(["x".repeat(60).as_str(), "y".repeat(60).as_str()]);
        let block = Block::labelled("data", "aws_iam_policy_document", "d")
            .with("effect", Value::Text("Allow".to_owned()))
            .with("resources", long)
            .with("sid", Value::Text("A".to_owned()))
            .with_block(Block::new("condition").with("values", Value::texts(["1", "2"])));
        let expected = format!(
            "data \"aws_iam_policy_document\" \"d\" {{\n  effect = \"Allow\"\n  sid    = \"A\"\n\n  resources = [\n    \"{}\",\n    \"{}\",\n  ]\n\n  condition {{\n    values = [\"1\", \"2\"]\n  }}\n}}\n",
            "x".repeat(60),
            "y".repeat(60)
        );
        assert_eq!(block.to_text(), expected);
    }

    #[test]
    fn labels_are_what_terraform_takes() {
        assert_eq!(label("databricks-kinesis-role"), "databricks_kinesis_role");
        assert_eq!(label("2nd.role@x"), "_2nd_role_x");
    }
}
