//! Proxies, an SMTP server and a witness of calls to files that see every step, and can end the process that takes it at any of them.

use super::disk::Disk;
use super::mails::DEADLY;
use super::talk::{Talk, file};
use crate::support::free_port;
use rustix::process::{Pid, Signal, kill_process};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::Duration;

/// A kind of step: what a server, or the system, is asked, and whether the asking or the answer is on its way. So its effect is either
/// not there yet, or not known yet.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Step {
    pub server: Server,
    /// A command or statement by its name, without what is particular to one mail.
    pub what: String,
    pub moment: Moment,
}

/// Whom a process talks to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Server {
    Imap,
    Smtp,
    Postgres,
    /// The system, for the files in which an SQLite database and attachments lie.
    Files,
}

impl Server {
    pub fn name(self) -> &'static str {
        match self {
            Self::Imap => "IMAP",
            Self::Smtp => "SMTP",
            Self::Postgres => "PostgreSQL",
            Self::Files => "files",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Moment {
    /// The server does not hear it.
    Asked,
    /// The server has done it, and its answer is not heard.
    Answered,
}

/// When a process is killed.
#[derive(Clone, Debug)]
pub enum When {
    /// When a step of this kind is met for the n-th time, from 1: the step itself does not happen.
    At(Step, u64),
    /// So long after the n-th step of any kind, from 1.
    After(u64, Duration),
}

/// Steps of one process with all its servers, in the order in which they are seen.
#[derive(Debug, Default)]
pub struct Steps {
    plan: Arc<Mutex<Plan>>,
    known: Condvar,
}

#[derive(Debug, Default)]
struct Plan {
    when: Option<When>,
    running: bool,
    pid: Option<i32>,
    killed: Option<Killed>,
    count: u64,
    seen: BTreeMap<Step, u64>,
}

/// Why a process was killed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Killed {
    /// As planned, at this step.
    At(Step),
    /// As planned, a moment after one.
    Between,
    /// By the mail that it was given: [`super::mails::Kind::Deadly`].
    ByMail,
}

/// How a process ended, and the steps that were seen of it.
#[derive(Debug)]
pub struct Course {
    pub killed: Option<Killed>,
    pub seen: BTreeMap<Step, u64>,
}

impl Steps {
    /// A new count, for a process that is about to be started.
    pub fn begin(&self, when: Option<When>) {
        *self.plan.lock().unwrap() = Plan { when, running: true, ..Plan::default() };
    }

    /// The process that was started.
    pub fn watch(&self, pid: u32) {
        self.plan.lock().unwrap().pid = i32::try_from(pid).ok();
        self.known.notify_all();
    }

    /// The process has ended: nobody is killed any more.
    pub fn end(&self) -> Course {
        let plan = std::mem::take(&mut *self.plan.lock().unwrap());
        self.known.notify_all();
        Course { killed: plan.killed, seen: plan.seen }
    }

    /// A step is about to happen; false: it must not, since the process is dead.
    pub fn pass(&self, step: &Step) -> bool {
        let mut plan = self.plan.lock().unwrap();
        plan.count += 1;
        let times = plan.seen.entry(step.clone()).or_default();
        *times += 1;
        let times = *times;
        if matches!(plan.killed, Some(Killed::At(_) | Killed::ByMail)) {
            return false;
        }
        match plan.when.clone() {
            Some(When::At(at, nth)) if at == *step && nth == times => !self.kill(plan, Killed::At(at)),
            Some(When::After(nth, later)) if nth == plan.count => {
                let plan = Arc::clone(&self.plan);
                std::thread::spawn(move || {
                    std::thread::sleep(later);
                    plan.lock().unwrap().kill(Killed::Between);
                });
                true
            }
            _ => true,
        }
    }

    /// A mail that brings down whoever reads it is about to be read.
    pub fn bring_down(&self) {
        self.kill(self.plan.lock().unwrap(), Killed::ByMail);
    }

    /// Whether there was a process to be killed. It may be seen before its number is known.
    fn kill(&self, plan: MutexGuard<'_, Plan>, why: Killed) -> bool {
        let mut plan = self.known.wait_while(plan, |plan| plan.running && plan.pid.is_none()).unwrap();
        plan.kill(why)
    }
}

impl Plan {
    /// The process is not waited for before `Steps::end`, so its number is not another's.
    fn kill(&mut self, why: Killed) -> bool {
        let Some(process) = self.pid.filter(|_| self.killed.is_none()).and_then(Pid::from_raw) else { return false };
        let killed = kill_process(process, Signal::KILL).is_ok();
        if killed {
            self.killed = Some(why);
        }
        killed
    }
}

/// Listens on a socket for what a process does with its files (files.c), each call a step.
pub fn witness_files(socket: &Path, steps: &Arc<Steps>, disk: &Arc<Disk>) {
    let listener = UnixListener::bind(socket).unwrap();
    let (steps, disk) = (Arc::clone(steps), Arc::clone(disk));
    std::thread::spawn(move || {
        for process in listener.incoming().map_while(Result::ok) {
            let (steps, disk) = (Arc::clone(&steps), Arc::clone(&disk));
            std::thread::spawn(move || hear_of_files(process, &steps, &disk));
        }
    });
}

/// Until the process is dead.
fn hear_of_files(mut process: UnixStream, steps: &Steps, disk: &Disk) -> Option<()> {
    let reader = BufReader::new(process.try_clone().ok()?);
    for line in reader.lines() {
        let line = line.ok()?;
        let (moment, call) = match line.strip_prefix('<') {
            Some(call) => (Moment::Asked, call),
            None => (Moment::Answered, line.strip_prefix('>')?),
        };
        if moment == Moment::Answered {
            disk.heard(call);
        }
        let passes = steps.pass(&Step { server: Server::Files, what: file(call)?, moment });
        passes.then(|| process.write_all(b".").ok())??;
    }
    None
}

/// Passes a TCP connection on, step by step.
pub struct Proxy {
    port: u16,
    listener: TcpListener,
    link: Arc<Link>,
}

#[derive(Default)]
struct Link {
    /// Nothing comes through, and nobody is told.
    cut: AtomicBool,
    ended: AtomicBool,
    connections: Mutex<Vec<TcpStream>>,
}

/// Connections that may wait to be accepted.
const WAITING: i32 = 128;

impl Proxy {
    /// Listens on a free port of 127.0.0.1. What passes is counted as steps with that server, where somebody wants that.
    pub fn to(upstream: u16, watched: Option<(Server, Arc<Steps>)>) -> Self {
        // Only a port that was asked for stays ours while nobody listens on it.
        let (port, listener) = std::iter::repeat_with(free_port)
            .find_map(|port| TcpListener::bind(("127.0.0.1", port)).ok().map(|listener| (port, listener)))
            .unwrap();
        let link = Arc::new(Link::default());
        let (passing, listening) = (Arc::clone(&link), listener.try_clone().unwrap());
        std::thread::spawn(move || {
            while !passing.ended.load(Ordering::SeqCst) {
                let Ok((client, _)) = listening.accept() else {
                    // Nobody listens as long as connections are refused.
                    std::thread::sleep(Duration::from_millis(20));
                    continue;
                };
                if passing.ended.load(Ordering::SeqCst) {
                    return;
                }
                // Whoever is cut off is not answered, not even by a refusal.
                while passing.cut.load(Ordering::SeqCst) && !passing.ended.load(Ordering::SeqCst) {
                    std::thread::sleep(Duration::from_millis(20));
                }
                let Ok(server) = TcpStream::connect(("127.0.0.1", upstream)) else { continue };
                let talk = watched.as_ref().map(|(server, _)| Arc::new(Mutex::new(Talk::with(*server))));
                for (moment, from, to) in [(Moment::Asked, &client, &server), (Moment::Answered, &server, &client)] {
                    let (from, to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
                    to.set_nodelay(true).unwrap();
                    let (link, steps, talk) = (Arc::clone(&passing), watched.as_ref().map(|(_, steps)| steps.clone()), talk.clone());
                    std::thread::spawn(move || {
                        link.pump(from, to, |bytes| match (&steps, &talk) {
                            (Some(steps), Some(talk)) => sees(steps, talk, moment, bytes),
                            _ => true,
                        });
                    });
                }
                let mut connections = passing.connections.lock().unwrap();
                // Those that ended need not be remembered.
                connections.retain(|stream| stream.peer_addr().is_ok());
                connections.extend([client, server]);
            }
        });
        Self { port, listener, link }
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// From now on nothing comes through.
    pub fn cut(&self) {
        self.link.cut.store(true, Ordering::SeqCst);
    }

    /// From now on connections are refused, and those that there were have ended.
    pub fn refuse(&self) {
        rustix::net::shutdown(&self.listener, rustix::net::Shutdown::Read).unwrap();
        self.link.end_all();
    }

    /// The way is free again. Connections of before are gone, as after a router's restart.
    pub fn heal(&self) {
        self.link.end_all();
        self.link.cut.store(false, Ordering::SeqCst);
        rustix::net::listen(&self.listener, WAITING).unwrap();
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
    fn end_all(&self) {
        for stream in self.connections.lock().unwrap().drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    fn pump(&self, mut from: TcpStream, mut to: TcpStream, passes: impl Fn(&[u8]) -> bool) {
        let mut buffer = [0; 65_536];
        while let Ok(length @ 1..) = from.read(&mut buffer) {
            while self.cut.load(Ordering::SeqCst) && !self.ended.load(Ordering::SeqCst) {
                std::thread::sleep(Duration::from_millis(5));
            }
            if !passes(&buffer[..length]) || to.write_all(&buffer[..length]).is_err() {
                break;
            }
        }
        let _ = to.shutdown(Shutdown::Both);
        let _ = from.shutdown(Shutdown::Both);
    }
}

/// Whether it may pass on.
fn sees(steps: &Steps, talk: &Mutex<Talk>, moment: Moment, bytes: &[u8]) -> bool {
    let Some(step) = talk.lock().unwrap().step(moment, bytes) else { return true };
    if moment == Moment::Answered && bytes.windows(DEADLY.len()).any(|window| window == DEADLY.as_bytes()) {
        steps.bring_down();
    }
    steps.pass(&step)
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
    let step = |moment, what: &str| {
        let step = Step { server: Server::Smtp, what: what.to_owned(), moment };
        steps.is_none_or(|steps| steps.pass(&step)).then_some(())
    };
    let mut writer = client.try_clone().ok()?;
    client.set_nodelay(true).ok()?;
    let mut say = |what: &str, text: &str| {
        step(Moment::Answered, what)?;
        writer.write_all(text.as_bytes()).ok()
    };
    let mut reader = BufReader::new(client);
    let mut line = Vec::new();
    let mut hear = |line: &mut Vec<u8>| {
        line.clear();
        reader.read_until(b'\n', line).ok().filter(|length| *length > 0)
    };
    say("greeting", "220 sink.example ESMTP\r\n")?;
    let mut recipients = BTreeSet::new();
    loop {
        hear(&mut line)?;
        let command = String::from_utf8_lossy(&line).trim_end().to_owned();
        let verb = command.get(..4).unwrap_or_default().to_owned();
        step(Moment::Asked, &verb)?;
        match verb.as_str() {
            "EHLO" => say(&verb, "250-sink.example\r\n250 8BITMIME\r\n")?,
            "MAIL" | "RSET" => {
                recipients.clear();
                say(&verb, "250 2.1.0 ok\r\n")?;
            }
            "RCPT" => {
                recipients.insert(command.split(['<', '>']).nth(1)?.to_owned());
                say(&verb, "250 2.1.5 ok\r\n")?;
            }
            "DATA" => {
                say(&verb, "354 go on\r\n")?;
                let mut mail = Vec::new();
                while {
                    hear(&mut line)?;
                    line != b".\r\n"
                } {
                    mail.extend_from_slice(&line);
                }
                step(Moment::Asked, "the message")?;
                let (message_id, in_reply_to) = (field(&mail, "Message-ID"), field(&mail, "In-Reply-To"));
                taken.lock().unwrap().push(Taken { message_id, in_reply_to, recipients: std::mem::take(&mut recipients) });
                say("the message", "250 2.0.0 taken\r\n")?;
            }
            "QUIT" => return say(&verb, "221 2.0.0 bye\r\n"),
            _ => say(&verb, "500 5.5.2 what\r\n")?,
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
