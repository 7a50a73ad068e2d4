//! The least HTTP client that can keep a server busy from one core: a kept connection, bytes out, one answer in.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A connection that is opened again when the server closed it.
pub(crate) struct Connection {
    host: String,
    stream: Option<TcpStream>,
    buffer: Vec<u8>,
}

/// An answer, as long as the connection is not used again.
pub(crate) struct Answer<'a> {
    /// The status.
    pub(crate) status: u16,
    head: &'a str,
    /// The body, without its framing.
    pub(crate) body: String,
}

/// How the end of a body is told.
enum Framing {
    Length(usize),
    Chunked,
    None,
}

impl Connection {
    /// To `host`, an address with a port. Nothing is sent yet.
    pub(crate) fn new(host: &str) -> Self {
        Self { host: host.to_owned(), stream: None, buffer: Vec::with_capacity(16 * 1024) }
    }

    /// Sends a request, and says how the answer begins: its status. The quick way, for answers nobody reads.
    pub(crate) async fn status(&mut self, request: &[u8]) -> Result<u16, String> {
        let (status, _) = self.exchange(request).await?;
        Ok(status)
    }

    /// Sends a request and reads the answer.
    pub(crate) async fn send(&mut self, request: &[u8]) -> Result<Answer<'_>, String> {
        let (status, head_end) = self.exchange(request).await?;
        let (head, body) = self.buffer.split_at(head_end);
        let head = std::str::from_utf8(head).map_err(|_| "a header that is no text")?;
        let body = match framing(head) {
            Framing::Chunked => unchunked(body),
            _ => body.to_vec(),
        };
        let body = String::from_utf8(body).map_err(|_| "a body that is no text")?;
        Ok(Answer { status, head, body })
    }

    /// One request, one answer, whole in the buffer: its status, and where its body begins.
    async fn exchange(&mut self, request: &[u8]) -> Result<(u16, usize), String> {
        let kept = self.stream.is_some();
        match self.attempt(request).await {
            // A kept connection may have been closed by then; that is no failure of the request.
            Err(_) if kept => {
                self.stream = None;
                self.attempt(request).await
            }
            result => result,
        }
    }

    async fn attempt(&mut self, request: &[u8]) -> Result<(u16, usize), String> {
        let failed = |error: std::io::Error| error.to_string();
        let stream = match &mut self.stream {
            Some(stream) => stream,
            none => {
                let stream = TcpStream::connect(&self.host).await.map_err(failed)?;
                stream.set_nodelay(true).map_err(failed)?;
                none.insert(stream)
            }
        };
        stream.write_all(request).await.map_err(failed)?;
        self.buffer.clear();
        let mut head = None;
        loop {
            if stream.read_buf(&mut self.buffer).await.map_err(failed)? == 0 {
                return Err("the server closed the connection".to_owned());
            }
            if head.is_none()
                && let Some(at) = self.buffer.windows(4).position(|bytes| bytes == b"\r\n\r\n")
            {
                let text =
                    std::str::from_utf8(&self.buffer[..at + 4]).map_err(|_| "a header that is no text")?;
                let status = text.get(9..12).and_then(|code| code.parse().ok()).ok_or("no status")?;
                let framing = if status == 304 || status == 204 { Framing::None } else { framing(text) };
                head = Some((status, at + 4, framing, closes(text)));
            }
            let Some((status, end, framing, closes)) = &head else { continue };
            let body = &self.buffer[*end..];
            let whole = match framing {
                Framing::Length(length) => body.len() >= *length,
                Framing::Chunked => body.ends_with(b"0\r\n\r\n"),
                Framing::None => true,
            };
            if whole {
                let answer = (*status, *end);
                if *closes {
                    self.stream = None;
                }
                return Ok(answer);
            }
        }
    }
}

impl Answer<'_> {
    /// The values of a header field.
    pub(crate) fn headers<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        fields(self.head, name)
    }

    /// A text member of the JSON body.
    pub(crate) fn text(&self, member: &str) -> Result<String, String> {
        let body: serde_json::Value = serde_json::from_str(&self.body).unwrap_or_default();
        let text = body.get(member).and_then(serde_json::Value::as_str);
        text.map(str::to_owned).ok_or_else(|| format!("no {member} in {}: {}", self.status, self.body))
    }
}

fn fields<'a>(head: &'a str, name: &'a str) -> impl Iterator<Item = &'a str> {
    let lines = head.split("\r\n").filter_map(|line| line.split_once(':'));
    lines.filter(move |(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
}

fn framing(head: &str) -> Framing {
    if fields(head, "transfer-encoding").any(|value| value.eq_ignore_ascii_case("chunked")) {
        return Framing::Chunked;
    }
    fields(head, "content-length").find_map(|value| value.parse().ok()).map_or(Framing::None, Framing::Length)
}

fn closes(head: &str) -> bool {
    fields(head, "connection").any(|value| value.eq_ignore_ascii_case("close"))
}

fn unchunked(mut body: &[u8]) -> Vec<u8> {
    let mut whole = Vec::new();
    while let Some(at) = body.windows(2).position(|bytes| bytes == b"\r\n") {
        let size = std::str::from_utf8(&body[..at]).ok().and_then(|hex| usize::from_str_radix(hex, 16).ok());
        let (Some(size), start) = (size, at + 2) else { break };
        if size == 0 || body.len() < start + size + 2 {
            break;
        }
        whole.extend_from_slice(&body[start..start + size]);
        body = &body[start + size + 2..];
    }
    whole
}

/// A `POST` of a form.
pub(crate) fn post(host: &str, path: &str, headers: &[(&str, &str)], form: &str) -> Vec<u8> {
    let mut request = format!(
        "POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/x-www-form-urlencoded\r\n\
         Content-Length: {}\r\n",
        form.len()
    );
    finish(&mut request, headers);
    request.push_str(form);
    request.into_bytes()
}

/// A request with a body of JSON.
pub(crate) fn json(method: &str, host: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Vec<u8> {
    let mut request = format!(
        "{method} {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n",
        body.len()
    );
    finish(&mut request, headers);
    request.push_str(body);
    request.into_bytes()
}

/// A `GET`.
pub(crate) fn get(host: &str, path: &str, headers: &[(&str, &str)]) -> Vec<u8> {
    let mut request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n");
    finish(&mut request, headers);
    request.into_bytes()
}

fn finish(request: &mut String, headers: &[(&str, &str)]) {
    for (name, value) in headers {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    request.push_str("\r\n");
}

/// A text as a value of a form or a query.
pub(crate) fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}
