//! Reading the JSON object of a call: every field is taken out by name and checked; what is left over is an error.

use super::request::ApiError;
use crate::base::limits::PASSWORD_BYTES;
use crate::base::limits::{API_LINES_BYTES, API_TEXT_BYTES};
use crate::base::secret::Secret;
use serde_json::{Map, Value};

/// The fields of a body that were not taken yet. Call [`Fields::finish`] at the end.
pub struct Fields(Map<String, Value>);

impl Fields {
    /// The body of a call: one object, or nothing at all.
    ///
    /// # Errors
    /// When it is something else.
    pub fn read(body: &[u8]) -> Result<Self, ApiError> {
        if body.is_empty() {
            return Ok(Self(Map::new()));
        }
        // What the parser says may repeat a part of the input, where a password may stand (invariant F).
        let map = serde_json::from_slice(body);
        map.map(Self).map_err(|_| ApiError::malformed("The body has to be one JSON object."))
    }

    /// A text without control characters; `None` where the field is missing or null.
    ///
    /// # Errors
    /// When it is no such text, or longer than [`API_TEXT_BYTES`].
    pub fn text(&mut self, name: &str) -> Result<Option<String>, ApiError> {
        let text = match self.0.remove(name) {
            None | Some(Value::Null) => return Ok(None),
            Some(Value::String(text)) => text,
            Some(_) => return Err(ApiError::invalid(name, format!("`{name}` is a text."))),
        };
        if text.len() > API_TEXT_BYTES {
            let sentence = format!("`{name}` is longer than {API_TEXT_BYTES} bytes.");
            return Err(ApiError::invalid(name, sentence));
        }
        if text.chars().any(char::is_control) {
            return Err(ApiError::invalid(name, format!("`{name}` holds a control character.")));
        }
        Ok(Some(text))
    }

    /// What `read` makes of a field that can be emptied: `None` where it is missing, `Some(None)` where it is null.
    ///
    /// # Errors
    /// As `read`.
    pub fn change<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(&mut Self, &str) -> Result<Option<T>, ApiError>,
    ) -> Result<Option<Option<T>>, ApiError> {
        if self.0.contains_key(name) { read(self, name).map(Some) } else { Ok(None) }
    }

    /// A text of several lines; `None` where the field is missing or null.
    ///
    /// # Errors
    /// When it is no text, or longer than [`API_LINES_BYTES`].
    pub fn lines(&mut self, name: &str) -> Result<Option<String>, ApiError> {
        match self.0.remove(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) if text.len() <= API_LINES_BYTES => Ok(Some(text)),
            Some(_) => {
                let sentence = format!("`{name}` is a text of at most {API_LINES_BYTES} bytes.");
                Err(ApiError::invalid(name, sentence))
            }
        }
    }

    /// A text that has to be there.
    ///
    /// # Errors
    /// As [`Fields::text`], and when it is missing.
    pub fn needed_text(&mut self, name: &str) -> Result<String, ApiError> {
        self.text(name)?.ok_or_else(|| missing(name))
    }

    /// A password.
    ///
    /// # Errors
    /// When it is no text, or longer than a password file may be.
    pub fn secret(&mut self, name: &str) -> Result<Option<Secret>, ApiError> {
        match self.0.remove(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) if text.len() as u64 <= PASSWORD_BYTES => Ok(Some(Secret::new(text))),
            Some(_) => {
                let sentence = format!("`{name}` is a text of at most {PASSWORD_BYTES} bytes.");
                Err(ApiError::invalid(name, sentence))
            }
        }
    }

    /// The number of a record.
    ///
    /// # Errors
    /// When it is no number.
    pub fn number(&mut self, name: &str) -> Result<Option<u64>, ApiError> {
        match self.0.remove(name) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => match value.as_u64() {
                Some(number) => Ok(Some(number)),
                None => Err(ApiError::invalid(name, format!("`{name}` is a number."))),
            },
        }
    }

    /// A point in time: milliseconds since 1970-01-01 00:00 UTC.
    ///
    /// # Errors
    /// When it is no whole number.
    pub fn instant(&mut self, name: &str) -> Result<Option<i64>, ApiError> {
        match self.0.remove(name) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => value.as_i64().map(Some).ok_or_else(|| {
                ApiError::invalid(name, format!("`{name}` is a point in time, in milliseconds."))
            }),
        }
    }

    /// A number that has to be there.
    ///
    /// # Errors
    /// As [`Fields::number`], and when it is missing.
    pub fn needed_number(&mut self, name: &str) -> Result<u64, ApiError> {
        self.number(name)?.ok_or_else(|| missing(name))
    }

    /// The numbers of records, at most so many.
    ///
    /// # Errors
    /// When it is no list of numbers, or too long.
    pub fn numbers(&mut self, name: &str, most: usize) -> Result<Option<Vec<u64>>, ApiError> {
        let wrong = || ApiError::invalid(name, format!("`{name}` is a list of at most {most} numbers."));
        match self.0.remove(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Array(values)) if values.len() <= most => {
                let numbers: Option<Vec<u64>> = values.iter().map(Value::as_u64).collect();
                numbers.map(Some).ok_or_else(wrong)
            }
            Some(_) => Err(wrong()),
        }
    }

    /// Yes or no.
    ///
    /// # Errors
    /// When it is something else.
    pub fn flag(&mut self, name: &str) -> Result<Option<bool>, ApiError> {
        match self.0.remove(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(flag)),
            Some(_) => Err(ApiError::invalid(name, format!("`{name}` is true or false."))),
        }
    }

    /// # Errors
    /// When a field is left that this call does not have.
    pub fn finish(self) -> Result<(), ApiError> {
        match self.0.keys().next() {
            None => Ok(()),
            Some(name) => Err(ApiError::invalid(name, "This call has no such field.")),
        }
    }
}

fn missing(name: &str) -> ApiError {
    ApiError::invalid(name, format!("`{name}` is missing."))
}
