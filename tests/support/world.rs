//! A world of its own for a test: a copy of fixtures/world in a temporary directory, pointed at the test's servers, and the
//! real binary run on it.

use super::dovecot::Dovecot;
use super::imap::Security;
use super::server::{Scratch, Server};
use super::smtp::{self, Smtp};
use serde_json::Value;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};
use toml_edit::{DocumentMut, Item, Table, value};

/// Time enough for any command of a test on a busy machine.
const COMMAND_DEADLINE: Duration = Duration::from_secs(180);

/// One installation of postkamer; its files go when it is dropped.
pub struct World {
    /// The directory that holds postkamer.toml, organisations/ and all that postkamer writes.
    pub dir: PathBuf,
    /// Path of postkamer.toml.
    pub config_path: PathBuf,
    scratch: Scratch,
}

impl World {
    /// fixtures/world as it is: Maildirs, replies as files, SQLite.
    pub fn new() -> Self {
        let scratch = Scratch::new("world");
        let dir = scratch.path().to_owned();
        copy_directory(&Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/world"), &dir);
        let world = Self { config_path: dir.join("postkamer.toml"), dir, scratch };
        world.edit(|config| config["state_dir"] = value("var"));
        world
    }

    /// The same world on real servers: each desk has a mailbox in `dovecot` and signs in over TLS with a password of its
    /// own, replies go to `smtp` over TLS; SQLite.
    pub fn on(dovecot: &Dovecot, smtp: &Smtp) -> Self {
        Self::over(dovecot, smtp, Security::Implicit)
    }

    /// As [`World::on`], with another way to connect to both servers.
    pub fn over(dovecot: &Dovecot, smtp: &Smtp, security: Security) -> Self {
        let world = Self::new();
        world.edit(|config| {
            for desk in config["desk"].as_array_of_tables_mut().unwrap().iter_mut() {
                let (name, address) = (text(desk, "name"), text(desk, "address"));
                let password = format!("mailbox-of-{name}");
                dovecot.add_user(&address, &password);
                let mut mailbox = server(dovecot.port(security), security, dovecot.ca_file());
                mailbox["kind"] = value("imap");
                mailbox["username"] = value(address);
                mailbox["password_file"] = value(world.scratch.write(&format!("{name}.password"), password + "\n"));
                mailbox["poll"] = value("2 s");
                desk["mailbox"] = Item::Table(mailbox);
            }
            let mut submission = server(smtp.port(security), security, smtp.ca_file());
            submission["kind"] = value("smtp");
            submission["username"] = value(smtp::USERNAME);
            submission["password_file"] = value(world.scratch.write("smtp.password", smtp::PASSWORD));
            config["smtp"] = Item::Table(submission);
        });
        world
    }

    /// Uses this database in place of SQLite (`Postgres::database`).
    pub fn with_database(self, url: &str) -> Self {
        self.edit(|config| config["database"]["url"] = value(url));
        self
    }

    /// Changes postkamer.toml.
    pub fn edit(&self, change: impl FnOnce(&mut DocumentMut)) {
        let mut config: DocumentMut = fs::read_to_string(&self.config_path).unwrap().parse().unwrap();
        change(&mut config);
        fs::write(&self.config_path, config.to_string()).unwrap();
    }

    /// The address of a desk.
    pub fn desk(&self, name: &str) -> String {
        let config: DocumentMut = fs::read_to_string(&self.config_path).unwrap().parse().unwrap();
        let desks = config["desk"].as_array_of_tables().unwrap();
        let desk = desks.iter().find(|desk| text(desk, "name") == name).unwrap_or_else(|| panic!("no desk {name}"));
        text(desk, "address")
    }

    /// Where postkamer keeps its state.
    pub fn state_dir(&self) -> PathBuf {
        self.dir.join("var")
    }

    /// `postkamer --config … ARGS`, not yet started.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_postkamer"));
        command.arg("--config").arg(&self.config_path).args(args).env_remove("POSTKAMER_NOW").env("RUST_BACKTRACE", "1");
        command
    }

    /// Runs a command to its end.
    #[track_caller]
    pub fn run(&self, args: &[&str]) -> Outcome {
        self.finish(self.command(args), b"")
    }

    /// Runs a command to its end, with the clock at `now` (RFC 3339).
    #[track_caller]
    pub fn run_at(&self, now: &str, args: &[&str]) -> Outcome {
        let mut command = self.command(args);
        command.env("POSTKAMER_NOW", now);
        self.finish(command, b"")
    }

    /// Runs a command to its end with these bytes as its standard input.
    #[track_caller]
    pub fn finish(&self, mut command: Command, input: &[u8]) -> Outcome {
        // Files, not pipes: nothing can block, however much is printed.
        let output = tempfile::tempdir().unwrap();
        let path = |name: &str| output.path().join(name);
        fs::write(path("in"), input).unwrap();
        let mut child = command
            .stdin(File::open(path("in")).unwrap())
            .stdout(File::create(path("out")).unwrap())
            .stderr(File::create(path("err")).unwrap())
            .spawn()
            .expect("the binary starts");
        let start = Instant::now();
        let read = |name: &str| String::from_utf8_lossy(&fs::read(path(name)).unwrap()).into_owned();
        let status = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break status;
            }
            if start.elapsed() > COMMAND_DEADLINE {
                let _ = child.kill();
                let _ = child.wait();
                panic!("{command:?} did not end within {COMMAND_DEADLINE:?}:\n{}", read("err"));
            }
            std::thread::sleep(Duration::from_millis(5));
        };
        Outcome { what: format!("{command:?}"), status: status.code(), stdout: read("out"), stderr: read("err") }
    }

    /// Starts the daemon, `postkamer run`; dropping the handle stops it. What it prints: [`World::daemon_log`].
    pub fn daemon(&self, now: Option<&str>) -> Server {
        self.daemon_in(&[now.map_or("RUST_BACKTRACE=1".to_owned(), |now| format!("POSTKAMER_NOW={now}"))])
    }

    /// The same with more in its environment.
    pub fn daemon_in(&self, environment: &[String]) -> Server {
        let mut program = vec!["env"];
        program.extend(environment.iter().map(String::as_str));
        program.extend([env!("CARGO_BIN_EXE_postkamer"), "--config", self.config_path.to_str().unwrap(), "run"]);
        Server::start(&self.scratch, &program, "TERM")
    }

    /// What daemons of this world printed so far.
    pub fn daemon_log(&self) -> String {
        fs::read_to_string(self.scratch.path().join("stdout")).unwrap_or_default()
    }
}

/// What became of a command.
#[derive(Debug)]
pub struct Outcome {
    what: String,
    /// Exit status; nothing when a signal ended it.
    pub status: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Outcome {
    /// Insists on exit status 0.
    #[track_caller]
    pub fn ok(self) -> Self {
        self.exits(0)
    }

    /// Insists on this exit status.
    #[track_caller]
    pub fn exits(self, status: i32) -> Self {
        assert_eq!(self.status, Some(status), "{}\nstdout:\n{}\nstderr:\n{}", self.what, self.stdout, self.stderr);
        self
    }

    /// Standard output as one JSON object a line.
    #[track_caller]
    pub fn json(&self) -> Vec<Value> {
        let object = |line: &str| serde_json::from_str(line).unwrap_or_else(|error| panic!("{}: {error}: {line}", self.what));
        self.stdout.lines().map(object).collect()
    }
}

/// The keys that say where a server is.
fn server(port: u16, security: Security, ca_file: &str) -> Table {
    let mut table = Table::new();
    table["host"] = value("127.0.0.1");
    table["port"] = value(i64::from(port));
    table["tls"] = value(match security {
        Security::Plain => "none",
        Security::StartTls => "starttls",
        Security::Implicit => "implicit",
    });
    if security != Security::Plain {
        table["ca_file"] = value(ca_file);
    }
    table
}

/// A table of settings, as it would stand in postkamer.toml.
pub fn table(toml: &str) -> Item {
    Item::Table(toml.parse::<DocumentMut>().unwrap().as_table().clone())
}

fn text(table: &Table, key: &str) -> String {
    table[key].as_str().unwrap().to_owned()
}

fn copy_directory(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap_or_else(|error| panic!("{}: {error}", from.display())).map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_directory(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
