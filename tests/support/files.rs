//! Faults of the file system: the n-th call that changes a file in a temporary directory of a test fails.
//!
//! `files.c` counts and fails the calls; it is preloaded into a test, which starts itself again for that. So everything is
//! reached that touches a file, SQLite too, and the program has no line for it.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

const UNDER: &str = "FILES_UNDER";
const ORDERS: &str = "FILES_ORDERS";
const WITNESS: &str = "FILES_WITNESS";

/// Has the process that is to be started tell of each call that changes a file below this directory, before it and after it, to whoever
/// listens on that socket, and wait for an answer of one byte.
pub fn tell_of_files(command: &mut Command, below: &Path, witness: &Path) {
    command.env("LD_PRELOAD", shim()).env(UNDER, below).env(WITNESS, witness);
}

/// When a call fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// Before it has any effect, once.
    Before,
    /// After its effect, once.
    After,
    /// Before its effect, and all that follow too, until repaired.
    ForGood,
    /// Not at all: the process is killed before its effect.
    DieBefore,
    /// Not at all: the process is killed after its effect.
    DieAfter,
}

/// What a failing call says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Errno {
    Io = libc::EIO as isize,
    NoSpace = libc::ENOSPC as isize,
    ReadOnly = libc::EROFS as isize,
}

/// The files of this process, when it runs under the shim.
pub struct Files {
    orders: File,
}

/// Places in the shared file (`struct orders` in files.c).
const ARMED: u64 = 0;
const SEEN: u64 = 8;
const NTH: u64 = 16;
const HOW: u64 = 24;
const NAME: u64 = 40;
const LENGTH: usize = 256;

impl Files {
    /// The files, if this process runs under the shim.
    pub fn here() -> Option<Self> {
        let orders = OpenOptions::new().read(true).write(true).open(std::env::var_os(ORDERS)?).expect("the orders");
        Some(Self { orders })
    }

    /// The files below this directory of a process that is to be started with this environment. `orders` is a file for that.
    pub fn of_another(below: &Path, orders: &Path) -> (Self, [String; 3]) {
        std::fs::write(orders, [0; LENGTH]).unwrap();
        let files = Self { orders: OpenOptions::new().read(true).write(true).open(orders).unwrap() };
        let environment = [("LD_PRELOAD", shim()), (UNDER, below), (ORDERS, orders)];
        (files, environment.map(|(key, value)| format!("{key}={}", value.display())))
    }

    /// Runs this test (its full name) again, under the shim; fails when it fails. Its temporary directories are what is watched.
    /// What it printed.
    pub fn run_again(test: &str) -> String {
        let directory = tempfile::tempdir().unwrap();
        let orders = directory.path().join("orders");
        std::fs::write(&orders, [0; LENGTH]).unwrap();
        let under = directory.path().join("files");
        std::fs::create_dir(&under).unwrap();
        let output = Command::new(std::env::current_exe().unwrap())
            .args([test, "--exact", "--nocapture", "--include-ignored"])
            .env("LD_PRELOAD", shim())
            .env(UNDER, &under)
            // So that all temporary directories of the test lie there.
            .env("TMPDIR", &under)
            .env(ORDERS, &orders)
            .output()
            .expect("the test starts again");
        let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success() && said.contains("1 passed"), "{test}, run again with faults:\n{said}");
        said
    }

    /// Has a program that is about to be started run under the shim: of the calls by which it changes files below `under` the n-th fails.
    pub fn of(command: &mut Command, under: &Path, orders: &Path, nth: u32, how: How) -> Self {
        std::fs::write(orders, [0; LENGTH]).unwrap();
        command.env("LD_PRELOAD", shim()).env(UNDER, under).env(ORDERS, orders);
        let files = Self { orders: OpenOptions::new().read(true).write(true).open(orders).unwrap() };
        files.arm(nth, how, Errno::Io);
        files.count(true);
        files
    }

    /// Of the calls that are counted from now on the n-th (from 1; 0: none) fails.
    pub fn arm(&self, nth: u32, how: How, errno: Errno) {
        let mut orders = [0; LENGTH];
        for (place, number) in [0, 0, u64::from(nth), how as u64, errno as u64].into_iter().enumerate() {
            orders[place * 8..][..8].copy_from_slice(&number.to_ne_bytes());
        }
        self.orders.write_all_at(&orders, 0).unwrap();
    }

    /// Whether calls are counted, and one of them fails, from now on.
    pub fn count(&self, counts: bool) {
        self.orders.write_all_at(&u64::from(counts).to_ne_bytes(), ARMED).unwrap();
    }

    /// Nothing fails any more.
    pub fn repair(&self) {
        self.orders.write_all_at(&[0; 8], NTH).unwrap();
        self.orders.write_all_at(&(How::Before as u64).to_ne_bytes(), HOW).unwrap();
    }

    /// How many calls were counted since [`Files::arm`].
    pub fn seen(&self) -> u32 {
        let mut number = [0; 8];
        self.orders.read_exact_at(&mut number, SEEN).unwrap();
        u32::try_from(u64::from_ne_bytes(number)).unwrap()
    }

    /// The first call that failed since [`Files::arm`], and its file.
    pub fn failed(&self) -> String {
        let mut name = [0; LENGTH - NAME as usize];
        self.orders.read_exact_at(&mut name, NAME).unwrap();
        String::from_utf8_lossy(name.split(|byte| *byte == 0).next().unwrap_or_default()).into_owned()
    }
}

/// The compiled shim.
fn shim() -> &'static Path {
    static SHIM: OnceLock<PathBuf> = OnceLock::new();
    SHIM.get_or_init(|| {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/files.c");
        let made = |name: &str| Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        // Test processes that run side by side may make it at the same time.
        let (new, shim) = (made(&format!("files-{}.so", std::process::id())), made("files.so"));
        let compiled = Command::new("cc").args(["-shared", "-fPIC", "-O1", "-o"]).arg(&new).arg(source).arg("-ldl").status();
        assert!(compiled.expect("a C compiler").success(), "files.c does not compile");
        std::fs::rename(new, &shim).unwrap();
        shim
    })
}
