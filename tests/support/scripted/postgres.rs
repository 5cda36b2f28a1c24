//! A line to a real PostgreSQL on which every statement is seen, and on which it can be cut.

use super::{Listener, Reaction, lock};
use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

/// Looks at each statement before it is passed on. `CONNECT` is the first of a connection.
pub type Interfere = Box<dyn FnMut(&str) -> Reaction + Send>;

/// The line; dropping it ends it.
pub struct Line {
    listener: Listener,
    interfere: Arc<Mutex<Interfere>>,
}

impl Line {
    /// To the PostgreSQL behind this socket.
    pub fn to(socket: PathBuf) -> Self {
        let interfere: Arc<Mutex<Interfere>> = Arc::new(Mutex::new(Box::new(|_| Reaction::Obey)));
        let theirs = interfere.clone();
        Self { listener: Listener::start(move |client| carry(client, UnixStream::connect(&socket)?, &theirs)), interfere }
    }

    pub fn port(&self) -> u16 {
        self.listener.port
    }

    /// From now on each statement is shown to this one first.
    pub fn interfere(&self, interfere: impl FnMut(&str) -> Reaction + Send + 'static) {
        *lock(&self.interfere) = Box::new(interfere);
    }

    /// Everything passes again.
    pub fn repair(&self) {
        self.interfere(|_| Reaction::Obey);
    }
}

/// The client's statements one by one, each with its whole answer (PostgreSQL documentation, chapter "Frontend/Backend Protocol").
fn carry(mut client: TcpStream, mut server: UnixStream, interfere: &Mutex<Interfere>) -> io::Result<()> {
    client.set_nodelay(true)?;
    if lock(interfere)("CONNECT") != Reaction::Obey {
        return Ok(());
    }
    sign_in(&mut client, &mut server)?;
    let mut prepared: BTreeMap<Vec<u8>, String> = BTreeMap::new();
    loop {
        let (mut request, mut statement) = (Vec::new(), None);
        loop {
            let (kind, frame) = frame(&mut client)?;
            let body = &frame[5..];
            match kind {
                b'P' => {
                    drop(prepared.insert(text(body).to_vec(), String::from_utf8_lossy(text(&body[text(body).len() + 1..])).into_owned()))
                }
                b'B' => statement = prepared.get(text(&body[text(body).len() + 1..])).cloned(),
                b'Q' => statement = Some(String::from_utf8_lossy(text(body)).into_owned()),
                b'X' => return Ok(()),
                _ => {}
            }
            request.extend(frame);
            if matches!(kind, b'Q' | b'S') {
                break;
            }
        }
        // Preparing a statement has no effect.
        let reaction = statement.map_or(Reaction::Obey, |statement| lock(interfere)(&statement));
        if !matches!(reaction, Reaction::Obey | Reaction::CutAfter) {
            return Ok(());
        }
        server.write_all(&request)?;
        let answer = answer(&mut server)?;
        if reaction == Reaction::CutAfter {
            return Ok(());
        }
        client.write_all(&answer)?;
    }
}

/// Up to the first ReadyForQuery.
fn sign_in(client: &mut TcpStream, server: &mut UnixStream) -> io::Result<()> {
    const TLS: [u8; 4] = 80_877_103_u32.to_be_bytes();
    loop {
        let startup = untyped(client)?;
        if startup[4..] == TLS {
            client.write_all(b"N")?;
        } else {
            server.write_all(&startup)?;
            break;
        }
    }
    loop {
        let (kind, frame_of_server) = frame(server)?;
        client.write_all(&frame_of_server)?;
        match kind {
            b'Z' => return Ok(()),
            b'E' => return Err(io::ErrorKind::PermissionDenied.into()),
            // Anything but "ok" and the last word of SASL asks for an answer.
            b'R' if !matches!(frame_of_server[8], 0 | 12) => server.write_all(&frame(client)?.1)?,
            _ => {}
        }
    }
}

/// Everything up to ReadyForQuery.
fn answer(server: &mut UnixStream) -> io::Result<Vec<u8>> {
    let mut answer = Vec::new();
    loop {
        let (kind, frame) = frame(server)?;
        answer.extend(frame);
        if kind == b'Z' {
            return Ok(answer);
        }
    }
}

/// A message with its type and length.
fn frame(from: &mut impl Read) -> io::Result<(u8, Vec<u8>)> {
    let mut kind = [0];
    from.read_exact(&mut kind)?;
    Ok((kind[0], [&kind[..], &untyped(from)?].concat()))
}

fn untyped(from: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut length = [0; 4];
    from.read_exact(&mut length)?;
    let mut frame = length.to_vec();
    frame.resize(u32::from_be_bytes(length) as usize, 0);
    from.read_exact(&mut frame[4..])?;
    Ok(frame)
}

/// Up to the NUL.
fn text(bytes: &[u8]) -> &[u8] {
    bytes.split(|byte| *byte == 0).next().unwrap_or_default()
}
