//! A DNS server on loopback, by UDP and TCP, that answers from a list of TXT records and remembers what it was asked.

use super::free_port;
use mail_auth::hickory_resolver::proto::op::{Message, MessageType, ResponseCode};
use mail_auth::hickory_resolver::proto::rr::rdata::{SOA, TXT};
use mail_auth::hickory_resolver::proto::rr::{Name, RData, Record, RecordType};
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A running server; it ends with its handle.
pub struct Dns {
    pub port: u16,
    shared: Arc<Shared>,
}

struct Shared {
    /// By name in lower case, without the last dot.
    records: BTreeMap<String, String>,
    asked: Mutex<Vec<String>>,
    /// Answers nothing but SERVFAIL.
    failing: AtomicBool,
    stopped: AtomicBool,
}

impl Dns {
    /// Serves these TXT records. A name that begins with `servfail.` gets no answer but that, one that begins with `silent.` none at
    /// all, and one that begins with `tcp.` is said to be too long for UDP.
    pub fn start(records: BTreeMap<String, String>) -> Self {
        let port = free_port();
        let udp = UdpSocket::bind(("127.0.0.1", port)).expect("the port is free");
        let tcp = TcpListener::bind(("127.0.0.1", port)).expect("the port is free");
        udp.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        tcp.set_nonblocking(true).unwrap();
        let shared =
            Arc::new(Shared { records, asked: Mutex::default(), failing: AtomicBool::new(false), stopped: AtomicBool::new(false) });
        let of_udp = shared.clone();
        std::thread::spawn(move || of_udp.serve_udp(&udp));
        let of_tcp = shared.clone();
        std::thread::spawn(move || of_tcp.serve_tcp(&tcp));
        Self { port, shared }
    }

    /// The setting `dns_server`.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// From now on, or no longer, every answer is SERVFAIL.
    pub fn fail(&self, failing: bool) {
        self.shared.failing.store(failing, Ordering::SeqCst);
    }

    /// All questions so far, as `TYPE name`, in order.
    pub fn asked(&self) -> Vec<String> {
        self.shared.asked.lock().unwrap().clone()
    }
}

impl Drop for Dns {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::SeqCst);
    }
}

impl Shared {
    fn serve_udp(&self, socket: &UdpSocket) {
        let mut buffer = [0; 4096];
        while !self.stopped.load(Ordering::SeqCst) {
            let Ok((length, from)) = socket.recv_from(&mut buffer) else { continue };
            if let Some(answer) = self.answer(&buffer[..length], true) {
                let _ = socket.send_to(&answer, from);
            }
        }
    }

    fn serve_tcp(&self, listener: &TcpListener) {
        while !self.stopped.load(Ordering::SeqCst) {
            match listener.accept() {
                Ok((stream, _)) => {
                    let _ = self.serve_connection(stream);
                }
                Err(_) => std::thread::sleep(Duration::from_millis(5)),
            }
        }
    }

    fn serve_connection(&self, mut stream: TcpStream) -> std::io::Result<()> {
        stream.set_nonblocking(false)?;
        stream.set_read_timeout(Some(Duration::from_secs(1)))?;
        let mut length = [0; 2];
        stream.read_exact(&mut length)?;
        let mut question = vec![0; u16::from_be_bytes(length).into()];
        stream.read_exact(&mut question)?;
        if let Some(answer) = self.answer(&question, false) {
            stream.write_all(&(answer.len() as u16).to_be_bytes())?;
            stream.write_all(&answer)?;
        }
        Ok(())
    }

    fn answer(&self, question: &[u8], by_udp: bool) -> Option<Vec<u8>> {
        let mut message = Message::from_vec(question).ok()?;
        let query = message.queries.first()?.clone();
        let name = query.name().to_ascii().to_lowercase().trim_end_matches('.').to_owned();
        self.asked.lock().unwrap().push(format!("{} {name}", query.query_type()));
        message.metadata.message_type = MessageType::Response;
        message.metadata.recursion_available = true;
        if name.starts_with("silent.") {
            return None;
        }
        if name.starts_with("servfail.") || self.failing.load(Ordering::SeqCst) {
            message.metadata.response_code = ResponseCode::ServFail;
        } else if by_udp && name.starts_with("tcp.") {
            message.metadata.truncation = true;
        } else {
            match self.records.get(&name).filter(|_| query.query_type() == RecordType::TXT) {
                Some(text) => {
                    let strings = text.as_bytes().chunks(255).collect();
                    message.add_answer(Record::from_rdata(query.name().clone(), 300, RData::TXT(TXT::from_bytes(strings))));
                }
                None => {
                    message.metadata.response_code = ResponseCode::NXDomain;
                    let root = Name::root();
                    let soa = SOA::new(root.clone(), root.clone(), 1, 3600, 600, 86_400, 60);
                    message.add_authority(Record::from_rdata(root, 60, RData::SOA(soa)));
                }
            }
        }
        message.to_vec().ok()
    }
}
