//! JSON, read so that no two readers can see two different documents in the same bytes.
//!
//! A name that stands twice in one object is refused at every level: parsers differ over which of the two counts, and
//! serde_json takes the last without a word ([RFC 8259 §4]). Depth is bounded long before any parser's own limit.
//!
//! Answers a document made to be read in two ways, or to exhaust the stack.
//!
//! [RFC 8259 §4]: https://www.rfc-editor.org/rfc/rfc8259#section-4

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use std::cell::Cell;
use std::fmt::{self, Display};

/// Objects and arrays around the innermost value. A token has five or six of them.
pub(crate) const MAX_DEPTH: usize = 16;

/// An object, and nothing but white space around it.
pub(crate) fn object(text: &[u8]) -> Result<Map<String, Value>, JsonFault> {
    match document(text)? {
        Value::Object(object) => Ok(object),
        _ => Err(JsonFault::NotAnObject),
    }
}

fn document(text: &[u8]) -> Result<Value, JsonFault> {
    let fault = Cell::new(JsonFault::Syntax);
    let mut reader = serde_json::Deserializer::from_slice(text);
    let strict = Strict {
        left: MAX_DEPTH,
        fault: &fault,
    };
    let value = strict.deserialize(&mut reader).map_err(|_| fault.get())?;
    reader.end().map_err(|_| JsonFault::Syntax)?;
    Ok(value)
}

/// Why a text is not taken as JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum JsonFault {
    /// Not JSON at all.
    Syntax,
    /// A name stands twice in one object.
    Duplicate,
    /// Deeper than is allowed.
    Depth,
    /// Not an object.
    NotAnObject,
}

/// Reads a value in which so many levels may be opened. What serde's errors cannot carry is left in `fault`.
#[derive(Clone, Copy)]
struct Strict<'a> {
    left: usize,
    fault: &'a Cell<JsonFault>,
}

impl Strict<'_> {
    fn inside<E: Error>(self) -> Result<Self, E> {
        match self.left.checked_sub(1) {
            Some(left) => Ok(Strict { left, ..self }),
            None => Err(self.refuse(JsonFault::Depth)),
        }
    }

    fn refuse<E: Error>(self, fault: JsonFault) -> E {
        self.fault.set(fault);
        E::custom(fault)
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let inside = self.inside()?;
        let mut array = Vec::new();
        while let Some(item) = items.next_element_seed(inside)? {
            array.push(item);
        }
        Ok(array.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let inside = self.inside()?;
        let mut object = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            if object.contains_key(&name) {
                return Err(self.refuse(JsonFault::Duplicate));
            }
            object.insert(name, members.next_value_seed(inside)?);
        }
        Ok(object.into())
    }
}

impl Display for JsonFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Syntax => "not JSON",
            Self::Duplicate => "a name stands twice in one object",
            Self::Depth => "nested too deeply",
            Self::NotAnObject => "not an object",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_kind_of_value_is_read() {
        let text =
            br#" {"a": [null, true, -1, 18446744073709551615, 1.5, "\u00e9"], "b": {"a": {}}} "#;
        let read = json!({"a": [null, true, -1, u64::MAX, 1.5, "é"], "b": {"a": {}}});
        assert_eq!(Value::Object(object(text).unwrap()), read);
    }

    #[test]
    fn a_name_that_stands_twice_is_refused() {
        for text in [
            r#"{"a": 1, "a": 1}"#,
            r#"{"a": 1, "\u0061": 2}"#,
            r#"{"a": {"b": [{"c": 1, "d": 2, "c": 3}]}}"#,
        ] {
            assert_eq!(object(text.as_bytes()), Err(JsonFault::Duplicate), "{text}");
        }
    }

    #[test]
    fn depth_is_taken_up_to_the_limit() {
        assert!(object(&nested(MAX_DEPTH)).is_ok());
    }

    #[test]
    fn a_deeper_document_is_refused() {
        assert_eq!(object(&nested(MAX_DEPTH + 1)), Err(JsonFault::Depth));
        // Far beyond serde_json's own limit, and never closed.
        assert_eq!(object(&b"{\"a\":".repeat(10_000)), Err(JsonFault::Depth));
        let arrays = [&b"{\"a\":"[..], &b"[".repeat(60_000)].concat();
        assert_eq!(object(&arrays), Err(JsonFault::Depth));
    }

    fn nested(depth: usize) -> Vec<u8> {
        let inner = depth - 1;
        let text = format!("{{\"a\":{}{}}}", "[".repeat(inner), "]".repeat(inner));
        text.into_bytes()
    }

    #[test]
    fn what_is_not_json_is_refused() {
        for text in [
            &b""[..],
            b"{",
            b"{}x",
            b"{} {}",
            b"{\"a\":1,}",
            b"{'a':1}",
            b"{\"a\":01}",
            b"{\"a\":NaN}",
            b"{\"a\":1e999}",
            b"{\"a\":\"\\ud800\"}",
            b"{\"a\":\"\xff\"}",
            b"\xef\xbb\xbf{}",
            b"{/**/}",
        ] {
            let shown = String::from_utf8_lossy(text);
            assert_eq!(object(text), Err(JsonFault::Syntax), "{shown}");
        }
    }

    #[test]
    fn another_value_than_an_object_is_refused() {
        for text in ["null", "[]", "\"{}\"", "1"] {
            assert_eq!(
                object(text.as_bytes()),
                Err(JsonFault::NotAnObject),
                "{text}"
            );
        }
    }
}
