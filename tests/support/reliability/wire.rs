//! Proxies and an SMTP server that see every step of a conversation, and can end the process on the other side at any of them.

use rustix::process::{Pid, Signal, kill_process};
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

/// Steps of one process with all its servers, counted in the order in which they are seen: each thing that it says, before the
/// server hears it, and each answer, before it hears that. So a step's effect is either not there yet or not known yet.
#[derive(Debug, Default)]
pub struct Steps {
    count: AtomicU64,
    plan: Arc<Mutex<Plan>>,
    known: Condvar,
}

#[derive(Debug, Default)]
struct Plan {
    /// The step at which the process is killed.
    at: Option<u64>,
    /// How long after that step; none: the step itself does not happen.
    later: Option<Duration>,
    pid: Option<i32>,
    killed: bool,
}

impl Steps {
    /// A new count, for a process that is about to be started.
    pub fn begin(&self, at: Option<u64>, later: Option<Duration>) {
        *self.plan.lock().unwrap() = Plan { at, later, pid: None, killed: false };
        self.count.store(0, Ordering::SeqCst);
    }

    /// The process that was started.
    pub fn watch(&self, pid: u32) {
        self.plan.lock().unwrap().pid = i32::try_from(pid).ok();
        self.known.notify_all();
    }

    /// Steps since the beginning.
    pub fn count(&self) -> u64 {
        self.count.load(Ordering::SeqCst)
    }

    /// The process has ended: nobody is killed any more. Whether it was by us.
    pub fn end(&self) -> bool {
        let mut plan = self.plan.lock().unwrap();
        plan.at = None;
        plan.pid = None;
        self.known.notify_all();
        plan.killed
    }

    /// A step is about to happen; false: it must not, since the process is dead.
    pub fn pass(&self) -> bool {
        let number = self.count.fetch_add(1, Ordering::SeqCst) + 1;
        let mut plan = self.plan.lock().unwrap();
        if plan.killed && plan.later.is_none() {
            return false;
        }
        if plan.at != Some(number) {
            return true;
        }
        while plan.pid.is_none() && plan.at.is_some() {
            plan = self.known.wait(plan).unwrap();
        }
        let Some(pid) = plan.pid else { return true };
        match plan.later {
            None => plan.kill(pid),
            Some(later) => {
                let plan = Arc::clone(&self.plan);
                std::thread::spawn(move || {
                    std::thread::sleep(later);
                    plan.lock().unwrap().kill(pid);
                });
            }
        }
        plan.later.is_some()
    }
}

impl Plan {
    /// The process is not waited for before `Steps::end`, so its number is not another's.
    fn kill(&mut self, pid: i32) {
        if self.pid == Some(pid)
            && let Some(process) = Pid::from_raw(pid)
        {
            self.killed = kill_process(process, Signal::KILL).is_ok();
        }
    }
}

/// Passes a TCP connection on, step by step.
pub struct Proxy {
    port: u16,
    link: Arc<Link>,
}

#[derive(Default)]
struct Link {
    /// Nothing comes through, and nobody is told.
    cut: AtomicBool,
    ended: AtomicBool,
    connections: Mutex<Vec<TcpStream>>,
}

impl Proxy {
    /// Listens on a free port of 127.0.0.1.
    pub fn to(upstream: u16, steps: Option<Arc<Steps>>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let link = Arc::new(Link::default());
        let passing = Arc::clone(&link);
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                if passing.ended.load(Ordering::SeqCst) {
                    return;
                }
                // Whoever is cut off is not answered, not even by a refusal.
                while passing.cut.load(Ordering::SeqCst) && !passing.ended.load(Ordering::SeqCst) {
                    std::thread::sleep(Duration::from_millis(20));
                }
                let Ok(server) = TcpStream::connect(("127.0.0.1", upstream)) else { continue };
                for (from, to) in [(&client, &server), (&server, &client)] {
                    let (from, to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
                    to.set_nodelay(true).unwrap();
                    let (link, steps) = (Arc::clone(&passing), steps.clone());
                    std::thread::spawn(move || link.pump(from, to, steps.as_deref()));
                }
                let mut connections = passing.connections.lock().unwrap();
                // Those that ended need not be remembered.
                connections.retain(|stream| stream.peer_addr().is_ok());
                connections.extend([client, server]);
            }
        });
        Self { port, link }
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// From now on nothing comes through.
    pub fn cut(&self) {
        self.link.cut.store(true, Ordering::SeqCst);
    }

    /// The way is free again. Connections of before are gone, as after a router's restart.
    pub fn heal(&self) {
        for stream in self.link.connections.lock().unwrap().drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
        self.link.cut.store(false, Ordering::SeqCst);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.link.ended.store(true, Ordering::SeqCst);
        self.heal();
        // Wakes the listener.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

impl Link {
    fn pump(&self, mut from: TcpStream, mut to: TcpStream, steps: Option<&Steps>) {
        let mut buffer = [0; 65_536];
        while let Ok(length @ 1..) = from.read(&mut buffer) {
            while self.cut.load(Ordering::SeqCst) && !self.ended.load(Ordering::SeqCst) {
                std::thread::sleep(Duration::from_millis(5));
            }
            if steps.is_some_and(|steps| !steps.pass()) || to.write_all(&buffer[..length]).is_err() {
                break;
            }
        }
        let _ = to.shutdown(Shutdown::Both);
        let _ = from.shutdown(Shutdown::Both);
    }
}

/// A reply as an SMTP server took it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    pub message_id: String,
    pub in_reply_to: String,
    pub recipients: BTreeSet<String>,
}

/// An SMTP server that takes everything; whatever it has taken is counted, whether or not its answer arrives.
pub struct Sink {
    port: u16,
    taken: Arc<Mutex<Vec<Taken>>>,
    ended: Arc<AtomicBool>,
}

impl Sink {
    pub fn start(steps: Option<Arc<Steps>>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let (taken, ended) = (Arc::new(Mutex::default()), Arc::new(AtomicBool::new(false)));
        let (taking, until) = (Arc::clone(&taken), Arc::clone(&ended));
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                if until.load(Ordering::SeqCst) {
                    return;
                }
                let (taking, steps) = (Arc::clone(&taking), steps.clone());
                std::thread::spawn(move || serve(client, &taking, steps.as_deref()));
            }
        });
        Self { port, taken, ended }
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// Everything that was taken so far.
    pub fn taken(&self) -> Vec<Taken> {
        self.taken.lock().unwrap().clone()
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

/// One conversation; None as soon as the client is gone.
fn serve(client: TcpStream, taken: &Mutex<Vec<Taken>>, steps: Option<&Steps>) -> Option<()> {
    let step = || steps.is_none_or(Steps::pass).then_some(());
    let mut writer = client.try_clone().ok()?;
    client.set_nodelay(true).ok()?;
    let mut say = |text: &str| {
        step()?;
        writer.write_all(text.as_bytes()).ok()
    };
    let mut reader = BufReader::new(client);
    let mut line = Vec::new();
    let mut hear = |line: &mut Vec<u8>| {
        line.clear();
        reader.read_until(b'\n', line).ok().filter(|length| *length > 0)
    };
    say("220 sink.example ESMTP\r\n")?;
    let mut recipients = BTreeSet::new();
    loop {
        hear(&mut line)?;
        step()?;
        let command = String::from_utf8_lossy(&line).trim_end().to_owned();
        match command.get(..4).unwrap_or_default() {
            "EHLO" => say("250-sink.example\r\n250 8BITMIME\r\n")?,
            "MAIL" | "RSET" => {
                recipients.clear();
                say("250 2.1.0 ok\r\n")?;
            }
            "RCPT" => {
                recipients.insert(command.split(['<', '>']).nth(1)?.to_owned());
                say("250 2.1.5 ok\r\n")?;
            }
            "DATA" => {
                say("354 go on\r\n")?;
                let mut mail = Vec::new();
                while {
                    hear(&mut line)?;
                    line != b".\r\n"
                } {
                    mail.extend_from_slice(&line);
                }
                step()?;
                let (message_id, in_reply_to) = (field(&mail, "Message-ID"), field(&mail, "In-Reply-To"));
                taken.lock().unwrap().push(Taken { message_id, in_reply_to, recipients: std::mem::take(&mut recipients) });
                say("250 2.0.0 taken\r\n")?;
            }
            "QUIT" => return say("221 2.0.0 bye\r\n"),
            _ => say("500 5.5.2 what\r\n")?,
        }
    }
}

/// A header field's id, without brackets.
fn field(mail: &[u8], name: &str) -> String {
    let text = String::from_utf8_lossy(mail);
    let headers = text.split("\r\n\r\n").next().unwrap_or_default().replace("\r\n ", " ").replace("\r\n\t", " ");
    let value = headers.lines().find_map(|line| line.split_once(": ").filter(|(key, _)| key.eq_ignore_ascii_case(name)));
    value.map(|(_, value)| value.trim().trim_matches(['<', '>']).to_owned()).unwrap_or_default()
}
