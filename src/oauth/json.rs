//! JSON in responses: parsed within limits, and found in other text.

use std::fmt;

use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::codes::{as_in_protocol, is_protocol_code};
use super::words::is_heading;
use crate::clean::clean;
use crate::secret::wipe;

/// Maximum number of JSON values in a response. The largest known metadata document has a tenth of this.
pub(super) const VALUE_LIMIT: usize = 10_000;
/// An object counts as this many values, because even the smallest takes as much memory as ten.
pub(super) const OBJECT_VALUES: usize = 10;
/// Maximum nesting depth of a response. Responses of known services have five levels.
pub(super) const DEPTH_LIMIT: usize = 32;

/// Decodes JSON in UTF-16, which some servers on Windows send.
pub(super) fn of_utf_16(bytes: &[u8]) -> Option<String> {
    let is_little = match *bytes {
        [0xff, 0xfe, ..] | [b'{', 0, ..] => true,
        [0xfe, 0xff, ..] | [0, b'{', ..] => false,
        _ => return None,
    };
    let units = bytes.as_chunks().0.iter().map(|pair| {
        if is_little {
            u16::from_le_bytes(*pair)
        } else {
            u16::from_be_bytes(*pair)
        }
    });
    let chars = char::decode_utf16(units).map(|ch| ch.unwrap_or(char::REPLACEMENT_CHARACTER));
    // As large as it can get, so that no copy remains after the text is wiped.
    let mut text = String::with_capacity(bytes.len() * 2);
    text.extend(chars);
    Some(text)
}

/// The member with the access token.
pub(super) const ACCESS_TOKEN: &str = "access_token";

/// Returns the name of an access token that is under another name or in an inner object.
pub(super) fn misplaced(members: &Map<String, Value>) -> Option<String> {
    let name = |members: &Map<String, Value>| {
        let is_token = |(name, value): &(&String, &Value)| {
            let plain = name.replace(['_', '-'], "");
            plain.eq_ignore_ascii_case("accesstoken")
                && value.as_str().is_some_and(|text| !text.is_empty())
        };
        Some(members.iter().find(is_token)?.0.clone())
    };
    match name(members) {
        Some(name) if name == ACCESS_TOKEN => None,
        Some(name) => Some(name),
        None => members.iter().find_map(|(outer, value)| {
            let outer = Some(clean(outer, 20)).filter(|outer| is_heading(outer))?;
            Some(format!("{outer}.{}", name(value.as_object()?)?))
        }),
    }
}

/// Returns whether the text contains a JSON object with an access token, and other text before or after it.
pub(super) fn is_surrounded(text: &str) -> bool {
    objects(text).any(|mut value| {
        let is_there = value.as_object().is_some_and(|members| {
            let token = members.get(ACCESS_TOKEN).and_then(Value::as_str);
            token.is_some_and(|token| !token.is_empty()) || misplaced(members).is_some()
        });
        wipe(&mut value);
        is_there
    })
}

/// Returns the JSON object with an error of the protocol in a text that contains other text before or after it, such as a
/// PHP notice or the name of a function. Objects in other braces, such as those of a script or of broken JSON, say nothing
/// about the request.
pub(super) fn error_within(text: &str) -> Option<Map<String, Value>> {
    if !text.contains("\"error\"") || text.contains(ACCESS_TOKEN) || text.contains("<script") {
        return None;
    }
    let (mut depth, mut end) = (0_usize, 0);
    for (at, brace) in text.match_indices(['{', '}']).take(BRACES) {
        match brace {
            _ if at < end => {}
            "{" if depth == 0 => match object_at(text, at) {
                Some((Value::Object(members), _)) if names_error(&members) => return Some(members),
                Some((mut value, length)) => {
                    wipe(&mut value);
                    end = at + length;
                }
                // The text is meant to be one object.
                None if at == 0 => return None,
                None => depth = 1,
            },
            "{" => depth += 1,
            _ => depth = depth.saturating_sub(1),
        }
    }
    None
}

/// The number of braces that are searched for an error.
const BRACES: usize = 64;

fn names_error(members: &Map<String, Value>) -> bool {
    let code = members.get("error").and_then(Value::as_str);
    code.is_some_and(|code| is_protocol_code(as_in_protocol(code)))
}

/// Returns the first JSON objects in a text, wherever they begin.
fn objects(text: &str) -> impl Iterator<Item = Value> + '_ {
    let starts = text.match_indices('{').take(16);
    starts.filter_map(|(at, _)| Some(object_at(text, at)?.0))
}

/// Returns the JSON object that begins at this position of a text, and its length.
fn object_at(text: &str, at: usize) -> Option<(Value, usize)> {
    let mut left = VALUE_LIMIT;
    let mut parser = serde_json::Deserializer::from_slice(&text.as_bytes()[at..]);
    let limited = Limited {
        left: &mut left,
        depth: DEPTH_LIMIT,
    };
    let value = limited.deserialize(&mut parser).ok()?;
    Some((value, parser.into_iter::<IgnoredAny>().byte_offset()))
}

/// Replaces each half of a surrogate pair that stands alone in an escape, which no JSON parser for text accepts.
pub(super) fn paired(text: &str) -> String {
    let unit = |escape: Option<&str>| u16::from_str_radix(escape?.strip_prefix("\\u")?, 16).ok();
    let mut paired = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        paired += &rest[..at];
        rest = &rest[at..];
        let first = unit(rest.get(..6));
        let second = unit(rest.get(6..12));
        let length = match (first, second) {
            (Some(0xd800..0xdc00), Some(0xdc00..0xe000)) => 12,
            (Some(0xd800..0xe000), _) => {
                paired += "\\ufffd";
                rest = &rest[6..];
                continue;
            }
            // An escaped backslash begins no other escape.
            _ => rest.char_indices().nth(2).map_or(rest.len(), |(at, _)| at),
        };
        paired += &rest[..length];
        rest = &rest[length..];
    }
    paired + rest
}

/// Why a text is not accepted as a JSON object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ObjectError {
    /// It is not a JSON object.
    Malformed,
    /// It has too many values or levels.
    TooLarge,
}

/// Parses a JSON object and stops at the first value over the limits: a text of one megabyte can require many times its
/// size in memory.
pub(in crate::oauth) fn parse_object(text: &[u8]) -> Result<Map<String, Value>, ObjectError> {
    let mut left = VALUE_LIMIT;
    let mut parser = serde_json::Deserializer::from_slice(text);
    let value = Limited {
        left: &mut left,
        depth: DEPTH_LIMIT,
    }
    .deserialize(&mut parser);
    match value {
        Ok(Value::Object(members)) if parser.end().is_ok() => Ok(members),
        // The budget is used up only if parsing stopped at a limit.
        Err(_) if left == 0 => Err(ObjectError::TooLarge),
        Ok(_) | Err(_) => Err(ObjectError::Malformed),
    }
}

/// A parser of a JSON value that counts the value and everything in it.
struct Limited<'a> {
    left: &'a mut usize,
    depth: usize,
}

impl Limited<'_> {
    /// Returns the parser for the values inside of this one.
    fn inner(&mut self) -> Limited<'_> {
        Limited {
            left: self.left,
            depth: self.depth - 1,
        }
    }

    /// Counts the value itself. Returns an error if that exceeds a limit.
    fn count<E: serde::de::Error>(&mut self) -> Result<(), E> {
        if self.depth == 0 {
            *self.left = 0;
        }
        match self.left.checked_sub(1) {
            Some(left) if left > 0 => {
                *self.left = left;
                Ok(())
            }
            Some(_) | None => {
                *self.left = 0;
                Err(E::custom("too large"))
            }
        }
    }
}

impl<'de> DeserializeSeed<'de> for Limited<'_> {
    type Value = Value;

    fn deserialize<D: serde::Deserializer<'de>>(mut self, parser: D) -> Result<Value, D::Error> {
        self.count()?;
        parser.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Limited<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut seq: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(value) = seq.next_element_seed(self.inner())? {
            list.push(value);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<Value, A::Error> {
        for _ in 1..OBJECT_VALUES {
            self.count()?;
        }
        let mut members = Map::new();
        while let Some(name) = map.next_key::<String>()? {
            let value = map.next_value_seed(self.inner())?;
            members.insert(name, value);
        }
        Ok(Value::Object(members))
    }
}
