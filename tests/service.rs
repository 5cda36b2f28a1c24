//! The systemd unit is valid, and as closed as THREATS demands; and the daemon speaks with systemd as the unit expects of it.

use crate::support::server::{Scratch, Server};
use crate::support::world::World;
use crate::support::{DEADLINE, eventually};
use postkamer::mailbox::maildir;
use std::fs;
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::process::{Command, Output};

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

/// sd_notify(3): ready once every mailbox was tried; then a sign of life within half of the time that systemd allows, from the main loop; and when it
/// is asked to stop, it says so, finishes and ends well.
#[test]
fn systemd_is_told_that_the_daemon_is_ready_alive_and_stopping() {
    let world = World::new();
    for desk in ["support", "ict", "open", "closed", "nordic"] {
        maildir::create(&world.dir.join("mail").join(desk)).unwrap();
    }
    let scratch = Scratch::new("notify");
    let systemd = UnixDatagram::bind(scratch.path().join("socket")).unwrap();
    systemd.set_read_timeout(Some(DEADLINE)).unwrap();
    let hear = || {
        let mut text = [0; 4096];
        let length = systemd.recv(&mut text).expect("the daemon says something");
        String::from_utf8_lossy(&text[..length]).into_owned()
    };
    // WATCHDOG_PID is the process itself, which a shell can say of what it becomes.
    let start = "NOTIFY_SOCKET=\"$1\" WATCHDOG_USEC=1000000 WATCHDOG_PID=$$ exec \"$2\" --config \"$3\" run";
    let config = world.config_path.to_str().unwrap();
    let program = ["sh", "-c", start, "sh", &scratch.file("socket"), env!("CARGO_BIN_EXE_postkamer"), config];
    let daemon = Server::start(&scratch, &program, "TERM");
    while !hear().contains("READY=1") {}
    for _ in 0..3 {
        while !hear().contains("WATCHDOG=1") {}
    }
    let asked = Command::new("kill").arg(daemon.pid().to_string()).status().unwrap();
    assert!(asked.success());
    while !hear().contains("STOPPING=1") {}
    eventually("the daemon has ended", || (!daemon.is_alive()).then_some(()));
    let log = fs::read_to_string(scratch.file("stdout")).unwrap();
    assert!(log.contains("Stopping: what is in hand is finished first."), "{log}");
    assert!(!log.contains("ERROR"), "{log}");
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
