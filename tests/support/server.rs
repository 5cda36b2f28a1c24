//! One server process of a test, which never outlives it.
//!
//! Between the test and the server stands a small guardian, a shell that waits for the end of its standard input. That
//! comes when the handle is dropped, and also when the test process ends in any other way (a signal, statics that are
//! never dropped). The guardian then stops the server and all that the server started; where no destructor could run, it
//! also removes the server's directory.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};

/// The server runs in a process group of its own ($pid), so that the whole of it can be ended without touching others.
const GUARDIAN: &str = r#"
signal=$1; remove=$2; log=$3; shift 3
setsid "$@" </dev/null >>"$log" 2>&1 &
pid=$!
echo "$pid"
exec >/dev/null 2>&1
read -r word
kill -s "$signal" "$pid"
( sleep 5; kill -s KILL -- "-$pid" ) &
killer=$!
wait "$pid"
kill -s KILL -- "-$pid"
kill "$killer"
[ "$word" = keep ] || rm -rf "$remove"
"#;

/// A running server; dropping it stops the server.
pub struct Server {
    guardian: Child,
    /// Closing it is the signal to stop.
    leash: Option<ChildStdin>,
    pid: i32,
}

impl Server {
    /// Starts `program`, which must stay in the foreground and keeps its files in `scratch`. `signal` is what makes it end
    /// at once and orderly. What it prints goes to the file `stdout` there.
    pub fn start(scratch: &Scratch, program: &[&str], signal: &str) -> Self {
        let mut guardian = Command::new("/bin/sh")
            .args(["-c", GUARDIAN, "guardian", signal])
            .arg(scratch.path())
            .arg(scratch.path().join("stdout"))
            .args(program)
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            // Ctrl-C at the terminal reaches the tests; the guardian must live on to clean up.
            .process_group(0)
            .spawn()
            .expect("/bin/sh starts");
        let leash = guardian.stdin.take();
        let mut line = String::new();
        BufReader::new(guardian.stdout.take().unwrap()).read_line(&mut line).expect("the guardian says the server's process id");
        let pid = line.trim().parse().expect("a process id");
        Self { guardian, leash, pid }
    }

    /// The server's process id.
    pub fn pid(&self) -> i32 {
        self.pid
    }

    /// Whether any of its threads is still there: the first one may be a zombie while others still end, and until the last one has, the
    /// process keeps its files open, and its locks.
    pub fn is_alive(&self) -> bool {
        let threads = fs::read_dir(format!("/proc/{}/task", self.pid)).into_iter().flatten().flatten();
        threads.filter_map(|thread| fs::read_to_string(thread.path().join("stat")).ok()).any(|stat| {
            // "pid (name) state …"; the name may hold anything, also brackets.
            stat.rsplit(')').next().is_some_and(|rest| !rest.is_empty() && !rest.trim_start().starts_with(['Z', 'X']))
        })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // "keep": the directory is the scratch's to remove, or to start another server in.
        if let Some(mut leash) = self.leash.take() {
            let _ = leash.write_all(b"keep\n");
        }
        // The guardian's own patience is five seconds; it always ends.
        let _ = self.guardian.wait();
    }
}

/// A temporary directory that other users' processes may walk through; removed on drop.
pub struct Scratch {
    path: PathBuf,
}

impl Scratch {
    /// A new, empty directory.
    pub fn new(name: &str) -> Self {
        let path = tempfile::Builder::new().prefix(&format!("postkamer-{name}-")).tempdir().expect("a temporary directory").keep();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        Self { path }
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The directory's own name, which no other has.
    pub fn name(&self) -> &str {
        self.path.file_name().unwrap().to_str().unwrap()
    }

    /// A path in it, as text, for configuration files.
    pub fn file(&self, name: &str) -> String {
        self.path.join(name).to_str().unwrap().to_owned()
    }

    /// Writes a file that every user may read.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        fs::write(self.path.join(name), content).unwrap();
        self.file(name)
    }

    /// A new directory inside, owned by `owner` (a user's name) when the tests run as root.
    pub fn directory(&self, name: &str, owner: Option<&str>) -> String {
        let path = self.path.join(name);
        fs::create_dir_all(&path).unwrap();
        if let Some(owner) = owner.filter(|_| super::is_root()) {
            let (uid, gid) = user(owner);
            std::os::unix::fs::chown(&path, Some(uid), Some(gid)).unwrap();
        }
        self.file(name)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// User and group id of a user of this system.
pub fn user(name: &str) -> (u32, u32) {
    let passwd = fs::read_to_string("/etc/passwd").unwrap();
    let line = passwd
        .lines()
        .find(|line| line.starts_with(&format!("{name}:")))
        .unwrap_or_else(|| panic!("this system has no user {name}; run tests/setup.sh"));
    let mut fields = line.split(':').skip(2).map(|field| field.parse().unwrap());
    (fields.next().unwrap(), fields.next().unwrap())
}

/// Names of the user and the group that run the tests.
pub fn own_names() -> (String, String) {
    let name = |option| {
        let output = Command::new("id").arg(option).output().expect("id starts");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    (name("-un"), name("-gn"))
}
