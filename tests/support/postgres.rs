//! PostgreSQL 15, from a data directory of its own in a temporary directory; durable settings as delivered.

use super::server::{Scratch, Server};
use super::{eventually, free_port, is_root};
use std::process::{Command, Output};
use std::sync::OnceLock;

/// A running PostgreSQL; dropping it stops it and removes its data.
pub struct Postgres {
    _server: Server,
    scratch: Scratch,
    port: u16,
}

const PROGRAMS: &str = "/usr/lib/postgresql/15/bin";
const USER: &str = "postkamer";
const PASSWORD: &str = "remembers-every-ticket";

impl Postgres {
    /// Makes a new, empty server, and waits until it answers.
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// As [`Postgres::start`], with more settings, such as `log_statement=all`.
    pub fn start_with(settings: &[&str]) -> Self {
        let scratch = Scratch::new("postgres");
        let data = scratch.directory("data", Some("postgres"));
        // For the lock file and the log, which the server's user writes.
        scratch.directory("socket", Some("postgres"));
        let password_file = scratch.write("password", PASSWORD);
        let made = as_postgres(&[
            &format!("{PROGRAMS}/initdb"),
            "--no-sync",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
            "--auth-local=trust",
            "--auth-host=scram-sha-256",
            &format!("--username={USER}"),
            &format!("--pwfile={password_file}"),
            &data,
        ]);
        assert!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));
        for _ in 0..5 {
            let port = free_port();
            if let Some(server) = run(&scratch, &data, port, settings) {
                return Self { _server: server, scratch, port };
            }
        }
        panic!("PostgreSQL does not start: {}", std::fs::read_to_string(scratch.file("stdout")).unwrap_or_default());
    }

    /// One server for all tests of this process; each asks for a database of its own.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Postgres> = OnceLock::new();
        SHARED.get_or_init(Self::start)
    }

    /// Makes a database that nobody else uses (the name is a prefix), and gives its URL.
    pub fn database(&self, name: &str) -> String {
        use std::sync::atomic::{AtomicU32, Ordering};
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let database = format!("{name}_{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        self.sql("postgres", &format!("CREATE DATABASE \"{database}\" TEMPLATE template0"));
        self.url(&database)
    }

    /// The URL of a database.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://{USER}:{PASSWORD}@127.0.0.1:{}/{database}", self.port)
    }

    /// Runs SQL by psql, past all of postkamer's code; the rows without adornment, one a line, columns parted by `|`.
    pub fn sql(&self, database: &str, sql: &str) -> String {
        let socket = self.scratch.file("socket");
        let port = self.port.to_string();
        let args = ["-h", &socket, "-p", &port, "-U", USER, "-d", database, "-qAtX", "-v", "ON_ERROR_STOP=1", "-c", sql];
        let output = Command::new(format!("{PROGRAMS}/psql")).args(args).output().expect("psql starts");
        assert!(output.status.success(), "{sql}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
    }

    /// Runs a file of SQL, as pg_dump writes it.
    pub fn load(&self, database: &str, file: &std::path::Path) {
        let socket = self.scratch.file("socket");
        let port = self.port.to_string();
        let args = ["-h", &socket, "-p", &port, "-U", USER, "-d", database, "-qAtX", "-v", "ON_ERROR_STOP=1", "-o", "/dev/null", "-f"];
        let output = Command::new(format!("{PROGRAMS}/psql")).args(args).arg(file).output().expect("psql starts");
        assert!(output.status.success(), "{}: {}", file.display(), String::from_utf8_lossy(&output.stderr));
    }

    /// All that a database holds, as pg_dump writes it.
    pub fn dump(&self, database: &str) -> Vec<u8> {
        let socket = self.scratch.file("socket");
        let port = self.port.to_string();
        let args = ["-h", &socket, "-p", &port, "-U", USER, database];
        let output = Command::new(format!("{PROGRAMS}/pg_dump")).args(args).output().expect("pg_dump starts");
        assert!(output.status.success(), "pg_dump: {}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    }

    /// The socket by which the server believes whoever may open it, without a password.
    pub fn socket(&self) -> std::path::PathBuf {
        self.scratch.path().join(format!("socket/.s.PGSQL.{}", self.port))
    }

    /// What the server logged so far.
    pub fn logs(&self) -> String {
        std::fs::read_to_string(self.scratch.file("stdout")).unwrap_or_default()
    }

    /// Where the data lies, to search it.
    pub fn files(&self) -> std::path::PathBuf {
        self.scratch.path().join("data")
    }
}

fn run(scratch: &Scratch, data: &str, port: u16, settings: &[&str]) -> Option<Server> {
    let (port, socket) = (port.to_string(), scratch.file("socket"));
    let mut program = as_postgres_prefix();
    let postgres = format!("{PROGRAMS}/postgres");
    program.extend([&postgres, "-D", data, "-h", "127.0.0.1", "-p", &port, "-k", &socket]);
    program.extend(["-c", "max_connections=300", "-c", "fsync=on", "-c", "synchronous_commit=on"]);
    program.extend(settings.iter().flat_map(|setting| ["-c", setting]));
    // QUIT is an immediate shutdown: nothing needs to be saved.
    let server = Server::start(scratch, &program, "QUIT");
    let ready = eventually("PostgreSQL answers or ends", || {
        let args = ["-q", "-h", &socket, "-p", &port, "-U", USER, "-d", "postgres"];
        let answers = Command::new(format!("{PROGRAMS}/pg_isready")).args(args).status().is_ok_and(|s| s.success());
        match answers {
            _ if !server.is_alive() => Some(false),
            true => Some(true),
            false => None,
        }
    });
    ready.then_some(server)
}

/// PostgreSQL refuses to run as root.
fn as_postgres_prefix() -> Vec<&'static str> {
    if is_root() { vec!["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"] } else { Vec::new() }
}

fn as_postgres(program: &[&str]) -> Output {
    let all: Vec<&str> = as_postgres_prefix().into_iter().chain(program.iter().copied()).collect();
    Command::new(all[0]).args(&all[1..]).current_dir("/").output().expect("the program starts")
}
