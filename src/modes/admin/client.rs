//! The command line's side of the admin socket: one request a connection, everything bounded.

use crate::base::limits::{API_ANSWER_BYTES, API_ANSWER_SECONDS, GATE_FIELDS};
use crate::modes::serve::ADMIN_SOCKET;
use crate::modes::{Exit, Failure};
use crate::server::api::API_PATH;
use serde_json::Value;
use std::io::{self, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Speaks to the server of one data folder.
pub struct Client {
    data_folder: PathBuf,
}

impl Client {
    pub fn new(data_folder: &Path) -> Self {
        Self { data_folder: data_folder.to_owned() }
    }

    /// Asks for something. `path` is what follows `/api/v1/`.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub fn get(&self, path: &str) -> Result<Value, Failure> {
        self.call("GET", path, None)
    }

    /// # Errors
    /// As [`Client::call`].
    pub fn post(&self, path: &str, body: &Value) -> Result<Value, Failure> {
        self.call("POST", path, Some(body))
    }

    /// # Errors
    /// As [`Client::call`].
    pub fn patch(&self, path: &str, body: &Value) -> Result<Value, Failure> {
        self.call("PATCH", path, Some(body))
    }

    /// # Errors
    /// As [`Client::call`].
    pub fn delete(&self, path: &str) -> Result<Value, Failure> {
        self.call("DELETE", path, None)
    }

    /// Makes a call of the API.
    ///
    /// # Errors
    /// The sentence of the server, or one that says why there is none.
    fn call(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Value, Failure> {
        let body = body.map(Value::to_string).unwrap_or_default();
        let head = format!(
            "{method} {API_PATH}{path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        let answer = self.exchange(&[head.as_bytes(), body.as_bytes()].concat()).map_err(|error| {
            let folder = self.data_folder.display();
            Failure::new(Exit::Destination, format!("the server of {folder} gave no answer: {error}"))
        })?;
        let broken =
            || Failure::new(Exit::Destination, "what listens on the admin socket is no notesferry server");
        let (status, body) = parse(&answer?).ok_or_else(broken)?;
        match status {
            200..=299 => Ok(body),
            _ => Err(Failure::new(Exit::Usage, body["error"]["sentence"].as_str().ok_or_else(broken)?)),
        }
    }

    /// Sends a request and reads to the end. The inner error says that there is no server.
    fn exchange(&self, request: &[u8]) -> io::Result<Result<Vec<u8>, Failure>> {
        let mut stream = match UnixStream::connect(self.data_folder.join(ADMIN_SOCKET)) {
            Ok(stream) => stream,
            Err(error) => return Ok(Err(self.no_server(&error))),
        };
        let most = Some(Duration::from_secs(API_ANSWER_SECONDS));
        stream.set_read_timeout(most)?;
        stream.set_write_timeout(most)?;
        stream.write_all(request)?;
        let mut answer = Vec::new();
        stream.take(API_ANSWER_BYTES).read_to_end(&mut answer)?;
        Ok(Ok(answer))
    }

    fn no_server(&self, error: &io::Error) -> Failure {
        let folder = self.data_folder.display();
        Failure::new(
            Exit::Destination,
            match error.kind() {
                io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => format!(
                    "no server runs in the data folder {folder}; start one with `notesferry serve --data-dir {folder}`, or \
                     name another folder with --data-dir"
                ),
                io::ErrorKind::PermissionDenied => {
                    format!("only the owner of the data folder {folder} can speak to its server")
                }
                _ => format!("the server of the data folder {folder} cannot be reached: {error}"),
            },
        )
    }
}

/// Status and body of an answer that is there whole.
fn parse(answer: &[u8]) -> Option<(u16, Value)> {
    let mut fields = [httparse::EMPTY_HEADER; GATE_FIELDS];
    let mut head = httparse::Response::new(&mut fields);
    let httparse::Status::Complete(length) = head.parse(answer).ok()? else { return None };
    Some((head.code?, serde_json::from_slice(&answer[length..]).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_whole_or_none() {
        let answer = b"HTTP/1.1 404 Not Found\r\nContent-Length: 9\r\n\r\n{\"a\": 17}";
        assert_eq!(parse(answer), Some((404, serde_json::json!({"a": 17}))));
        for end in 0..answer.len() {
            assert_eq!(parse(&answer[..end]), None, "{end}");
        }
    }

    #[test]
    fn without_a_server_the_sentence_says_how_to_start_one() {
        let folder = tempfile::tempdir().unwrap();
        let failure = Client::new(folder.path()).get("server").unwrap_err();
        assert!(failure.sentence.contains("notesferry serve --data-dir"), "{failure:?}");
    }
}
