//! A fence around the server's bytes, before the IMAP library sees them.
//!
//! async-imap makes room for whatever length a literal announces, up to 512 MB, and reads a response without end for as
//! long as it goes on. Here a literal, a line and a whole response have limits; beyond them the connection is given up.

use std::fmt::Debug;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, Join, ReadBuf, ReadHalf, WriteHalf, join, split};

/// The largest literal in bytes. Mails above [`super::CHUNK`] are fetched in parts; the rest of the room is for servers that
/// underestimate sizes.
const MAX_LITERAL: u64 = 16 * 1024 * 1024;
/// The longest line without its literals, in bytes.
const MAX_LINE: usize = 256 * 1024;
/// The largest response, in bytes.
const MAX_RESPONSE: u64 = MAX_LITERAL + 1024 * 1024;

/// A byte stream to a server: TCP, TLS, or a test's pipe.
pub(in crate::mailbox) trait Wire: AsyncRead + AsyncWrite + Unpin + Send + Debug {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send + Debug> Wire for T {}

/// A stream of which one half is read through a [`Guard`].
pub(in crate::mailbox) type Guarded = Join<Guard<ReadHalf<Box<dyn Wire>>>, WriteHalf<Box<dyn Wire>>>;

/// Puts a guard before what the server says; what is said to it passes as it is.
pub(in crate::mailbox) fn guarded(wire: Box<dyn Wire>) -> Guarded {
    let (reader, writer) = split(wire);
    join(Guard::new(reader), writer)
}

/// A reader whose literals, lines and responses are bounded.
#[derive(Debug)]
pub(in crate::mailbox) struct Guard<R> {
    inner: R,
    line: Vec<u8>,
    /// Bytes of the current literal that are still to come.
    literal: u64,
    /// Bytes of the current response so far, literals included.
    response: u64,
}

impl<R> Guard<R> {
    fn new(inner: R) -> Self {
        Self { inner, line: Vec::new(), literal: 0, response: 0 }
    }

    fn check(&mut self, bytes: &[u8]) -> io::Result<()> {
        let too_large = || io::Error::from(io::ErrorKind::InvalidData);
        let mut rest = bytes;
        while let Some((&byte, tail)) = rest.split_first() {
            if self.literal > 0 {
                let here = self.literal.min(rest.len() as u64);
                self.literal -= here;
                rest = rest.get(usize::try_from(here).unwrap_or(usize::MAX)..).unwrap_or_default();
                continue;
            }
            rest = tail;
            self.line.push(byte);
            self.response += 1;
            if byte == b'\n' {
                match announced_literal(&self.line) {
                    Some(length) => {
                        self.literal = length;
                        self.response = self.response.saturating_add(length);
                        if length > MAX_LITERAL || self.response > MAX_RESPONSE {
                            return Err(too_large());
                        }
                    }
                    None => self.response = 0,
                }
                self.line.clear();
            } else if self.line.len() > MAX_LINE || self.response > MAX_RESPONSE {
                return Err(too_large());
            }
        }
        Ok(())
    }
}

/// The length of the literal that a line ending announces (RFC 9051 §4.3: `{n}`, `{n+}`).
fn announced_literal(line: &[u8]) -> Option<u64> {
    let before = line.strip_suffix(b"}\r\n").or_else(|| line.strip_suffix(b"}\n"))?;
    let before = before.strip_suffix(b"+").unwrap_or(before);
    let digits = before.iter().rev().take_while(|b| b.is_ascii_digit()).count();
    let (head, number) = before.split_at(before.len() - digits);
    if digits == 0 || !head.ends_with(b"{") {
        return None;
    }
    // A number that is too large for us is too large for anybody.
    Some(std::str::from_utf8(number).ok().and_then(|number| number.parse().ok()).unwrap_or(u64::MAX))
}

impl<R: AsyncRead + Unpin> AsyncRead for Guard<R> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.inner).poll_read(cx, buf))?;
        Poll::Ready(self.check(buf.filled().get(before..).unwrap_or_default()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_literal_is_known_however_it_is_announced() {
        for (line, length) in [
            (&b"* 1 FETCH (BODY[] {12}\r\n"[..], Some(12)),
            (b"* 1 FETCH (BODY[] {12+}\r\n", Some(12)),
            (b"* 1 FETCH (BINARY[] ~{12}\r\n", Some(12)),
            (b"{99999999999999999999999}\r\n", Some(u64::MAX)),
            (b"* OK see {x}\r\n", None),
            (b"* OK 12}\r\n", None),
        ] {
            assert_eq!(announced_literal(line), length);
        }
    }

    #[test]
    fn what_lies_in_a_literal_announces_nothing() {
        let mut guard = Guard::new(tokio::io::empty());
        assert!(guard.check(b"* 1 FETCH (BODY[] {16}\r\nx {4294967295}\r\n)\r\n").is_ok());
        assert!(guard.check(b"* 2 FETCH (BODY[] {4294967295}\r\n").is_err());
    }

    #[test]
    fn a_line_and_a_response_end_somewhere() {
        let mut guard = Guard::new(tokio::io::empty());
        assert!(guard.check(&vec![b'x'; MAX_LINE + 1]).is_err());
        let mut guard = Guard::new(tokio::io::empty());
        let literal = [b"{1048576}\r\n".to_vec(), vec![b'x'; 1_048_576]].concat();
        assert!((0..20).any(|_| guard.check(&literal).is_err()));
    }
}
