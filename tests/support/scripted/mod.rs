//! Servers in this process, whose every step a test sees first: it may let it be, refuse it, or cut the line before its effect,
//! after it, or in the middle of the answer.

pub mod imap;
pub mod postgres;
pub mod smtp;

use std::io;
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What becomes of one step of a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reaction {
    /// It is done and answered.
    Obey,
    /// The connection ends, and nothing was done.
    CutBefore,
    /// It is done, and the connection ends instead of the answer.
    CutAfter,
    /// It is done, and the connection ends in the middle of the answer.
    CutInside,
    /// Nothing is done, and this is the answer; without a tag.
    Refuse(&'static str),
    /// Nothing is done, and nothing is said any more.
    Silence,
}

/// A listener on a free loopback port, with a thread for each connection; it ends with its handle.
pub struct Listener {
    pub port: u16,
    ended: Arc<AtomicBool>,
}

impl Listener {
    pub fn start(talk: impl Fn(TcpStream) -> io::Result<()> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().unwrap().port();
        let (ended, talk) = (Arc::new(AtomicBool::new(false)), Arc::new(talk));
        let until = ended.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if until.load(Ordering::SeqCst) {
                    return;
                }
                let talk = talk.clone();
                // A client that goes in the middle of a sentence is nobody's trouble.
                std::thread::spawn(move || drop(talk(stream)));
            }
        });
        Self { port, ended }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::SeqCst);
        // Wakes the listener, so that it sees the end.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

/// Locks what a server and its test share. A panic of one of them is told by the test itself.
pub fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
