//! The systemd unit is valid, and as closed as THREATS demands; and the daemon speaks with systemd as the unit expects of it.

use crate::support::server::{Scratch, Server};
use crate::support::world::World;
use crate::support::{DEADLINE, eventually, free_port};
use postkamer::mailbox::maildir;
use rustix::fs::OFlags;
use std::fs::{self, File};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::time::Duration;
use toml_edit::value;

fn file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("systemd").join(name)
}

fn run(program: &str, args: &[&str]) -> (Output, String) {
    let output = Command::new(program).args(args).output().unwrap_or_else(|error| panic!("{program}: {error}; run tests/setup.sh"));
    let said = [&output.stdout[..], &output.stderr[..]].concat();
    (output, String::from_utf8_lossy(&said).into_owned())
}

#[test]
fn the_units_exposure_is_at_most_one_and_a_half() {
    let unit = file("postkamer.service");
    // The threshold is in tenths.
    let (output, said) = run("systemd-analyze", &["security", "--offline=true", "--threshold=15", unit.to_str().unwrap()]);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("Overall exposure level for postkamer.service"), "{said}");
}

#[test]
fn systemd_knows_every_line_of_the_unit() {
    let scratch = Scratch::new("unit");
    let unit = fs::read_to_string(file("postkamer.service")).unwrap();
    // The one thing this machine lacks is the installed program.
    let unit = scratch.write("postkamer.service", unit.replace("/usr/local/bin/postkamer", "/bin/true"));
    let (output, said) = run("systemd-analyze", &["verify", "--man=no", &unit]);
    assert!(output.status.success(), "{said}");
    assert!(!said.contains("postkamer.service"), "{said}");
}

/// What a number cannot say: the lines that keep mail in memory, that have the main loop watched, and that give it time to finish.
#[test]
fn the_unit_says_what_the_daemon_relies_on() {
    let unit = fs::read_to_string(file("postkamer.service")).unwrap();
    for line in [
        "Type=notify",
        "NotifyAccess=main",
        "WatchdogSec=60s",
        "WatchdogSignal=SIGKILL",
        "Restart=on-failure",
        "TimeoutStopSec=45s",
        "KillMode=mixed",
        "User=postkamer",
        "StateDirectoryMode=0700",
        "RuntimeDirectoryMode=0700",
        "LoadCredential=secrets:/etc/postkamer/secrets",
        "UMask=0077",
        "LimitCORE=0",
        "MemorySwapMax=0",
        "ReadWritePaths=-/etc/postkamer/organisations -/var/mail/postkamer",
        "SystemCallFilter=landlock_create_ruleset landlock_add_rule landlock_restrict_self seccomp",
    ] {
        assert!(unit.lines().any(|found| found == line), "{line}");
    }
}

/// A world, and the socket on which systemd hears its daemon.
struct Systemd {
    world: World,
    scratch: Scratch,
    socket: UnixDatagram,
}

impl Systemd {
    fn new() -> Self {
        let world = World::new();
        for desk in ["support", "ict", "open", "closed", "nordic"] {
            maildir::create(&world.dir.join("mail").join(desk)).unwrap();
        }
        let scratch = Scratch::new("notify");
        let socket = UnixDatagram::bind(scratch.path().join("socket")).unwrap();
        socket.set_read_timeout(Some(DEADLINE)).unwrap();
        Self { world, scratch, socket }
    }

    /// Starts the daemon with this in its environment and this done to its output, both as a shell takes it; `$1` is the scratch directory.
    fn start(&self, environment: &str, output: &str) -> Server {
        // WATCHDOG_PID is the process itself, which a shell can say of what it becomes.
        let start = format!("{environment} NOTIFY_SOCKET=\"$1/socket\" WATCHDOG_PID=$$ exec \"$2\" --config \"$3\" run {output}");
        let (folder, config) = (self.scratch.path().to_str().unwrap(), self.world.config_path.to_str().unwrap());
        Server::start(&self.scratch, &["sh", "-c", &start, "sh", folder, env!("CARGO_BIN_EXE_postkamer"), config], "TERM")
    }

    fn hear(&self, word: &str) {
        let mut text = [0; 4096];
        loop {
            let length = self.socket.recv(&mut text).expect("the daemon says something");
            if String::from_utf8_lossy(&text[..length]).contains(word) {
                return;
            }
        }
    }
}

/// sd_notify(3): ready once every mailbox was tried; then a sign of life within half of the time that systemd allows; and when it is asked to
/// stop, it says so, finishes and ends well.
#[test]
fn systemd_is_told_that_the_daemon_is_ready_alive_and_stopping() {
    let systemd = Systemd::new();
    let daemon = systemd.start("WATCHDOG_USEC=1000000", "");
    systemd.hear("READY=1");
    for _ in 0..3 {
        systemd.hear("WATCHDOG=1");
    }
    let asked = Command::new("kill").arg(daemon.pid().to_string()).status().unwrap();
    assert!(asked.success());
    systemd.hear("STOPPING=1");
    eventually("the daemon has ended", || (!daemon.is_alive()).then_some(()));
    let log = fs::read_to_string(systemd.scratch.file("stdout")).unwrap();
    assert!(log.contains("Stopping: what is in hand is finished first."), "{log}");
    assert!(!log.contains("ERROR"), "{log}");
}

/// The sign of life is the main loop's own: where that stands still, here at a line of its log that nobody takes, systemd hears nothing more,
/// however well the daemon's other threads are.
#[test]
fn a_main_loop_that_hangs_gives_no_sign_of_life() {
    let systemd = Systemd::new();
    let port = free_port();
    systemd.world.edit(|config| config["health"]["listen"] = value(format!("127.0.0.1:{port}")));
    let (made, said) = run("mkfifo", &[&systemd.scratch.file("log")]);
    assert!(made.status.success(), "{said}");
    let nonblocking = OFlags::NONBLOCK.bits() as i32;
    let mut log = File::options().read(true).write(true).custom_flags(nonblocking).open(systemd.scratch.file("log")).unwrap();
    // Nobody but the main loop writes a line.
    let daemon = systemd.start("WATCHDOG_USEC=200000 RUST_LOG=postkamer::cli::run=warn", "2>\"$1/log\"");
    systemd.hear("READY=1");
    while log.write(b"x").is_ok_and(|written| written == 1) {}
    for _ in 0..3 {
        systemd.hear("WATCHDOG=1");
    }
    // What takes a restart is told by the main loop.
    systemd.world.edit(|config| config["attachments"]["store"] = value("elsewhere"));
    systemd.socket.set_read_timeout(Some(Duration::from_secs(2))).unwrap();
    eventually("no sign of life within the time of twenty", || {
        systemd.socket.recv(&mut [0; 4096]).is_err_and(|error| error.kind() == ErrorKind::WouldBlock).then_some(())
    });
    assert_eq!(crate::health::get(port, "/healthz").map(|(status, _)| status), Some(200), "the other threads are well");
    systemd.socket.set_read_timeout(Some(DEADLINE)).unwrap();
    eventually("the main loop gets its line written", || {
        let mut text = vec![0; 1 << 20];
        let length = log.read(&mut text).ok()?;
        String::from_utf8_lossy(&text[..length]).contains("these settings have changed").then_some(())
    });
    systemd.hear("WATCHDOG=1");
    assert!(daemon.is_alive());
}

#[test]
fn the_user_and_the_directories_are_made_as_described() {
    let scratch = Scratch::new("root");
    scratch.directory("etc", None);
    let root = format!("--root={}", scratch.path().display());
    let (output, said) = run("systemd-sysusers", &[&root, file("sysusers.d/postkamer.conf").to_str().unwrap()]);
    assert!(output.status.success(), "{said}");
    assert!(fs::read_to_string(scratch.file("etc/passwd")).unwrap().contains("postkamer:x:"));
    // Only root can give directories to others.
    if crate::support::is_root() {
        use std::os::unix::fs::MetadataExt;
        let (output, said) = run("systemd-tmpfiles", &["--create", &root, file("tmpfiles.d/postkamer.conf").to_str().unwrap()]);
        assert!(output.status.success(), "{said}");
        for (directory, mode) in [("etc/postkamer/secrets", 0o700), ("etc/postkamer/organisations", 0o770), ("var/lib/postkamer", 0o700)] {
            assert_eq!(fs::metadata(scratch.file(directory)).unwrap().mode() & 0o777, mode, "{directory}");
        }
    }
}
