//! The workers that read strangers' files, under attack: what they have given up, seen from outside; what a stranger who has taken one over
//! can still do; what happens where they cannot lock themselves in; and bombs, in the mail of a daemon that goes on.

use crate::attacks::{CONTACT, Gate, authentic, with_files};
use crate::extract::zipped;
use crate::support::world::World;
use crate::support::{eventually, is_root};
use futures_util::{StreamExt, stream};
use libc::{EACCES, EPERM};
use postkamer::extract::{Extractor, Languages, Limits, Patience};
use postkamer::parse::document::{Document, Unreadable};
use postkamer::screen::{Policy, screen_document};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const POSTKAMER: &str = env!("CARGO_BIN_EXE_postkamer");

/// An invented number that passes the Dutch check, at the bottom of a bomb that may be read to its end.
const BSN: &str = "BSN 123456782";

/// A worker that waits for its first byte.
struct Waiting(Child);

impl Waiting {
    /// A worker of these arguments, locked in. The test process leaves a file open for it, as a careless parent would.
    fn start(arguments: &[&str], named: &str) -> Self {
        let careless = rustix::io::dup(fs::File::open("/etc/hostname").unwrap()).unwrap();
        let child = Command::new(POSTKAMER)
            .arg("worker")
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        drop(careless);
        let waiting = Self(child);
        eventually("the worker locks itself in", || (waiting.of("comm").trim() == named && waiting.status("Seccomp") == "2").then_some(()));
        waiting
    }

    fn of(&self, file: &str) -> String {
        fs::read_to_string(format!("/proc/{}/{file}", self.0.id())).unwrap_or_default()
    }

    fn status(&self, field: &str) -> String {
        let status = self.of("status");
        let line = status.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
        line.unwrap_or_default().trim().to_owned()
    }

    /// Soft and hard limit, as /proc shows them.
    fn limit(&self, name: &str) -> Vec<u64> {
        let limits = self.of("limits");
        let line = limits.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_else(|| panic!("{name}: {limits}"));
        line.split_whitespace().take(2).map(|number| number.parse().unwrap_or(u64::MAX)).collect()
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

#[test]
fn a_worker_has_neither_privileges_nor_descriptors_nor_room() {
    const GIB: u64 = 1 << 30;
    for (arguments, name, memory, data) in [(&[][..], "postkamer", GIB, GIB), (&["cat"][..], "cat", GIB, GIB / 2)] {
        let worker = Waiting::start(arguments, name);
        assert_eq!(worker.status("NoNewPrivs"), "1", "{name}");
        for set in ["CapInh", "CapPrm", "CapEff", "CapAmb"] {
            assert_eq!(worker.status(set), "0000000000000000", "{name}: {set}");
        }
        assert_eq!(worker.status("Threads"), "1", "{name}");
        let limits =
            [("Max address space", memory), ("Max data size", data), ("Max cpu time", 300), ("Max open files", 64), ("Max file size", 0)];
        for (limit, most) in limits {
            assert_eq!(worker.limit(limit), [most, most], "{name}: {limit}");
        }
        assert!(worker.limit("Max core file size").iter().all(|limit| *limit <= 1), "{name}");
        let blocked = u64::from_str_radix(&worker.status("SigBlk"), 16).unwrap();
        for signal in [libc::SIGHUP, libc::SIGINT, libc::SIGQUIT, libc::SIGTERM] {
            assert_ne!(blocked & 1 << (signal - 1), 0, "{name}: {signal}");
        }
        let seen = fs::read_dir(format!("/proc/{}/fd", worker.0.id()));
        if is_root() {
            let open: BTreeSet<_> = seen.unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
            assert_eq!(open, ["0", "1", "2"].map(str::to_owned).into(), "{name}");
        } else if name == "postkamer" {
            assert!(seen.is_err(), "what cannot be dumped shows its user nothing");
        }
    }
}

/// Whoever stops a service asks all its processes to end, and a terminal's Ctrl-C does: a file whose reader ended would be unreadable, and its mail
/// turned back.
#[test]
fn a_tool_that_is_asked_to_end_reads_on() {
    let mut tool = Waiting::start(&["cat"], "cat");
    for signal in ["HUP", "INT", "QUIT", "TERM"] {
        assert!(Command::new("kill").args([format!("-{signal}"), tool.0.id().to_string()]).status().unwrap().success());
    }
    tool.0.stdin.take().unwrap().write_all(b"een bladzijde").unwrap();
    let mut read = String::new();
    tool.0.stdout.take().unwrap().read_to_string(&mut read).unwrap();
    assert_eq!(read, "een bladzijde");
}

/// Secrets of the daemon come to it in its environment too: no worker has that.
#[tokio::test]
async fn a_parser_has_an_environment_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("postkamer");
    symlink(POSTKAMER, &program).unwrap();
    let extractor = Extractor::with_program(program.clone(), Limits::default());
    assert_eq!(extractor.read(b"Geen bijzonderheden.".to_vec(), None, None).await.unreadable, None);
    let own = processes_of(&program);
    assert_eq!(own.len(), 1, "it waits for the next document");
    let status = fs::read_to_string(format!("/proc/{}/status", own[0])).unwrap();
    let size = status.lines().find_map(|line| line.strip_prefix("VmSize:")?.split_whitespace().next()?.parse::<u64>().ok()).unwrap();
    assert!(size < 256 * 1024, "{size} kB of the gigabyte of addresses that it may have are taken before any file needs them");
    let environment = fs::read_to_string(format!("/proc/{}/environ", own[0]));
    if is_root() {
        let environment = environment.unwrap();
        let variables: BTreeSet<&str> = environment.split_terminator('\0').collect();
        let own = ["LC_ALL=C.UTF-8", "MIMALLOC_ALLOW_THP=0", "MIMALLOC_ARENA_RESERVE=32768", "OMP_THREAD_LIMIT=1", "PATH=/usr/bin:/bin"];
        assert_eq!(variables, own.into());
    } else {
        assert!(environment.is_err());
    }
    drop(extractor);
    eventually("it goes with its extractor", || processes_of(&program).is_empty().then_some(()));
}

/// The processes that were started under this path.
fn processes_of(program: &Path) -> Vec<u32> {
    let pids = fs::read_dir("/proc").unwrap().filter_map(|entry| entry.unwrap().file_name().to_str()?.parse().ok());
    let started =
        |pid: &u32| fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|line| line.starts_with(program.to_str().unwrap().as_bytes()));
    pids.filter(started).collect()
}

/// What a stranger tries from inside: a name, a system call, its arguments, and what must come of it in a parser and in a tool.
struct Attempt(&'static str, i64, String, i32, i32);

fn attempts(home: &Path) -> Vec<Attempt> {
    let test = std::process::id();
    let (secret, new, folder) = (home.join("secret"), home.join("new"), home.join("folder"));
    let (secret, new, folder) = (secret.display(), new.display(), folder.display());
    let forbidden = |name, call, arguments: String| Attempt(name, call, arguments, EPERM, EPERM);
    vec![
        forbidden("internet", libc::SYS_socket, "2 1 0".to_owned()),
        forbidden("local-socket", libc::SYS_socket, "1 1 0".to_owned()),
        forbidden("netlink", libc::SYS_socket, "16 3 0".to_owned()),
        forbidden("connect", libc::SYS_connect, "-1 0 0".to_owned()),
        forbidden("process", libc::SYS_clone, "17 0 0 0 0".to_owned()),
        forbidden("thread", libc::SYS_clone3, "0 0".to_owned()),
        forbidden("trace", libc::SYS_ptrace, "16 2147483647 0 0".to_owned()),
        forbidden("read-another", libc::SYS_process_vm_readv, format!("{test} 0 0 0 0 0")),
        forbidden("signal", libc::SYS_kill, format!("{test} 0")),
        forbidden("signal-thread", libc::SYS_tgkill, format!("{test} {test} 0")),
        forbidden("signal-by-descriptor", libc::SYS_fcntl, format!("0 {} {test}", libc::F_SETOWN)),
        forbidden("handle", libc::SYS_pidfd_open, format!("{test} 0")),
        forbidden("limits-of-another", libc::SYS_prlimit64, format!("{test} 1 0 0")),
        forbidden("namespace", libc::SYS_unshare, "0".to_owned()),
        forbidden("dumpable-again", libc::SYS_prctl, "4 1 0 0 0".to_owned()),
        forbidden("outlive-parent", libc::SYS_prctl, "1 0 0 0 0".to_owned()),
        forbidden("memory-file", libc::SYS_memfd_create, "'x' 0".to_owned()),
        forbidden("truncate", libc::SYS_truncate, format!("'{secret}' 6")),
        forbidden("rename", libc::SYS_renameat2, format!("-100 '{secret}' -100 '{secret}' 0")),
        forbidden("folder", libc::SYS_mkdirat, format!("-100 '{folder}' 448")),
        Attempt("read", libc::SYS_openat, format!("-100 '{secret}' 0"), EPERM, EACCES),
        Attempt("accounts", libc::SYS_openat, "-100 '/etc/passwd' 0".to_owned(), EPERM, EACCES),
        Attempt("secrets-of-parent", libc::SYS_openat, format!("-100 '/proc/{test}/environ' 0"), EPERM, EACCES),
        Attempt("write", libc::SYS_openat, format!("-100 '{new}' 65 384"), EPERM, EACCES),
        forbidden("remove", libc::SYS_unlinkat, format!("-100 '{new}' 0")),
        // Tools are loaded, so that they may run what they read; they read the system's programs only.
        Attempt("run-what-was-written", libc::SYS_mmap, "0 4096 7 34 -1 0".to_owned(), EPERM, 0),
        Attempt("memory", libc::SYS_mmap, format!("0 {} 3 34 -1 0", 4_u64 << 30), libc::ENOMEM, libc::ENOMEM),
    ]
}

/// The same attempts in a program that Debian always has.
const INTRUDER: &str = r#"my ($getpid, $exit) = @ARGV;
my $self = syscall(0 + $getpid);
for my $attempt (split /;/, $ENV{INTRUDER}) {
    my ($name, $number, @arguments) = split / /, $attempt;
    $! = 0;
    my $outcome = syscall(0 + $number, map { /^'(.*)'$/ ? "$1" : 0 + $_ } @arguments);
    syscall(0 + $exit, 0) if syscall(0 + $getpid) != $self;
    syswrite STDOUT, "$name " . ($outcome < 0 ? $! + 0 : 0) . "\n";
}"#;

/// What came of each attempt in this process.
fn outcomes(mut command: Command) -> BTreeMap<String, i32> {
    let ran = command.stdin(Stdio::null()).output().unwrap();
    let told = String::from_utf8(ran.stdout).unwrap();
    assert!(!told.is_empty(), "{command:?} ended with {:?}: {}", ran.status, String::from_utf8_lossy(&ran.stderr));
    let outcome = |line: &str| line.split_once(' ').map(|(name, number)| (name.to_owned(), number.parse().unwrap()));
    told.lines().filter_map(outcome).collect()
}

fn perl(command: &mut Command) -> &mut Command {
    command.args(["-e", INTRUDER, &libc::SYS_getpid.to_string(), &libc::SYS_exit_group.to_string()])
}

#[test]
fn who_takes_over_a_worker_reaches_nothing_from_there() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("secret"), "geheim").unwrap();
    let attempts = attempts(folder.path());
    let plan: Vec<String> = attempts.iter().map(|Attempt(name, call, arguments, ..)| format!("{name} {call} {arguments}")).collect();
    let plan = plan.join(";");

    let mut parser = Command::new(POSTKAMER);
    parser.arg("worker").env_clear().env("LD_PRELOAD", intruder(folder.path())).env("INTRUDER", &plan);
    let mut tool = Command::new(POSTKAMER);
    perl(tool.args(["worker", "perl"])).env("INTRUDER", &plan);
    let (parser, tool) = (outcomes(parser), outcomes(tool));
    for Attempt(name, _, _, in_parser, in_tool) in &attempts {
        assert_eq!((parser.get(*name), tool.get(*name)), (Some(in_parser), Some(in_tool)), "{name} in a parser, in a tool");
    }
    assert!(!folder.path().join("new").exists() && !folder.path().join("folder").exists());

    // Outside, nothing of that is forbidden to the same program: the walls are what stands in the way.
    let mut outside = Command::new("perl");
    perl(&mut outside).env("INTRUDER", &plan);
    for (name, outcome) in outcomes(outside) {
        assert!(![EPERM, EACCES].contains(&outcome), "{name} outside: {outcome}");
    }
    assert!(folder.path().join("folder").exists());
}

/// Only the system's programs are run, with nothing preloaded.
#[test]
fn a_tool_is_none_that_somebody_laid_there() {
    let folder = tempfile::tempdir().unwrap();
    let laid = folder.path().join("true");
    fs::copy("/bin/true", &laid).unwrap();
    let run = |tool: &str| Command::new(POSTKAMER).args(["worker", tool]).status().unwrap().code();
    assert_eq!((run("true"), run(laid.to_str().unwrap()), run("no-such-tool-anywhere")), (Some(0), Some(1), Some(127)));
}

fn intruder(folder: &Path) -> PathBuf {
    let (source, library) = (Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/intruder.c"), folder.join("intruder.so"));
    let compiled = Command::new("cc").args(["-shared", "-fPIC", "-O1", "-o"]).arg(&library).arg(source).status();
    assert!(compiled.expect("a C compiler").success());
    library
}

/// Starts a program on a machine on which a system call always fails with this error.
const WITHOUT: &str = r#"my ($prctl, $number, $error, @command) = @ARGV;
my $filter = pack('SCCL' x 4, 0x20, 0, 0, 0, 0x15, 0, 1, $number, 0x06, 0, 0, 0x00050000 | $error, 0x06, 0, 0, 0x7fff0000);
my $program = pack('S x6 P', 4, $filter);
syscall(0 + $prctl, 38, 1, 0, 0, 0) == 0 && syscall(0 + $prctl, 22, 2, $program) == 0 or die "no filter: $!";
exec @command;"#;

fn without(call: i64, error: i32, world: &World, arguments: &[&str]) -> Command {
    let told = world.command(arguments);
    let mut command = Command::new("perl");
    command.args(["-e", WITHOUT, &libc::SYS_prctl.to_string(), &call.to_string(), &error.to_string()]);
    command.arg(told.get_program()).args(told.get_args());
    command
}

#[test]
fn where_a_wall_is_missing_nothing_is_read_and_check_says_so() {
    let world = World::new();
    let file = world.dir.join("schoon.txt");
    fs::write(&file, "Geen bijzonderheden.").unwrap();
    let file = file.to_str().unwrap();
    for (wall, call, error) in [
        ("Landlock is not in this kernel", libc::SYS_landlock_create_ruleset, libc::ENOSYS),
        ("Landlock is switched off", libc::SYS_landlock_create_ruleset, libc::EOPNOTSUPP),
        ("Landlock is refused", libc::SYS_landlock_restrict_self, EPERM),
        ("seccomp is refused", libc::SYS_seccomp, EPERM),
    ] {
        let screened = world.finish(without(call, error, &world, &["screen", "--json", file]), b"").exits(1);
        assert_eq!(screened.json()[0]["outcome"], "unreadable", "{wall}");
        assert!(screened.stderr.contains("cannot lock themselves in"), "{wall}: {}", screened.stderr);
        let checked = world.finish(without(call, error, &world, &["check"]), b"").exits(1);
        assert!(checked.stdout.contains("cannot lock themselves in"), "{wall}: {}", checked.stdout);
        // No customer's file is refused for that.
        for command in [&["run"][..], &["run", "--once"], &["deliver", "--desk", "support", file]] {
            let refused = world.finish(without(call, error, &world, command), b"").exits(75);
            assert!(refused.stderr.contains("No mail is taken in"), "{wall}: {}", refused.stderr);
        }
    }
    assert!(world.run(&["status"]).ok().stdout.contains("No daemon is at work."));
    // With a filter that meets nothing all is well: it is the wall that counts.
    let screened = world.finish(without(libc::SYS_acct, EPERM, &world, &["screen", "--json", file]), b"").ok();
    assert_eq!(screened.json()[0]["outcome"], "clean");
    world.finish(without(libc::SYS_acct, EPERM, &world, &["check"]), b"").ok();
}

/// What does not answer in time is ended, not left behind.
#[tokio::test]
async fn a_worker_that_hangs_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("hangs");
    symlink("/usr/bin/tail", &program).unwrap();
    // `tail worker` would end: the file is made here, and followed by its name for ever.
    let hangs = folder.path().join("hangs.sh");
    fs::write(&hangs, format!("#!/bin/sh\nexec {} -f /dev/null\n", program.display())).unwrap();
    fs::set_permissions(&hangs, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let extractor = Extractor::with_program(hangs, Limits { deadline: Duration::from_millis(500), ..Limits::default() });
    assert!(extractor.read(b"Geen bijzonderheden.".to_vec(), None, None).await.unreadable.is_some());
    eventually("it is gone", || processes_of(&program).is_empty().then_some(()));
}

/// Files of one mail share its time: what lasts too long leaves none for those behind it, and nothing is started for them.
#[tokio::test]
async fn the_files_of_a_mail_have_one_time_together() {
    let folder = tempfile::tempdir().unwrap();
    let (program, started) = (folder.path().join("hangs.sh"), folder.path().join("started"));
    fs::write(&program, format!("#!/bin/sh\necho >>{}\nexec sleep 3600\n", started.display())).unwrap();
    fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let extractor = Extractor::with_program(program, Limits { workers: 2, ..Limits::default() });
    let (languages, patience) = (Languages::default(), Patience::of(Duration::from_secs(2)));
    let read = |_| extractor.read_in(&languages, &patience, b"Geen bijzonderheden.".to_vec(), None, None);
    let read: Vec<Document> = stream::iter(0..20).map(read).buffered(4).collect().await;
    assert!(read.iter().all(|document| document.unreadable == Some(Unreadable::TooSlow)), "{read:?}");
    assert_eq!(fs::read_to_string(&started).unwrap().len(), 2, "one for each worker");
}

/// A worker that hands over more than any document holds is not listened to to the end.
#[tokio::test]
async fn a_worker_that_hands_over_too_much_is_cut_off() {
    let folder = tempfile::tempdir().unwrap();
    let heard = folder.path().join("heard");
    let program = folder.path().join("flood.sh");
    let task = r#"{"tool":"Ocr","place":{"part":"picture","number":0,"path":[]}}"#;
    let answer =
        format!(r#"{{"document":{{"format":"png","pieces":[],"unreadable":null,"pixels":null}},"tasks":[{}]}}"#, [task; 10].join(","));
    let frame = |length: usize| u32::try_from(length).unwrap().to_le_bytes().map(|byte| format!("\\{byte:03o}")).concat();
    // The turn, the answer, and ten pieces of a megabyte. As a tool it says nothing.
    let script = format!(
        "#!/bin/sh\n[ -z \"$2\" ] || exit 0\nprintf '{}\\001\\000\\000\\000\\000\\000\\000\\000{}%s' '{answer}'\n\
         for piece in 1 2 3 4 5 6 7 8 9 10; do printf '{}'; head -c 1048576 /dev/zero || exit 1; done\n: > {}\ncat > /dev/null\n",
        frame(8),
        frame(answer.len()),
        frame(1_048_576),
        heard.display()
    );
    fs::write(&program, script).unwrap();
    fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    for (pieces, is_heard) in [(2_500_000, false), (10_485_760, true)] {
        let limits = Limits { deadline: Duration::from_secs(60), pieces, ..Limits::default() };
        let extractor = Extractor::with_program(program.clone(), limits);
        let document = extractor.read(b"Geen bijzonderheden.".to_vec(), None, None).await;
        assert_eq!((heard.exists(), document.unreadable.is_none()), (is_heard, is_heard), "{pieces}: {document:?}");
    }
}

fn kinds(document: &Document) -> u32 {
    let judged = screen_document(document, None, &Policy::default());
    judged.findings.iter().flat_map(|finding| finding.kinds.values().copied()).sum()
}

/// Levels of brackets with the number inside.
fn deep(open: &str, close: &str) -> Vec<u8> {
    const LEVELS: usize = 100_000;
    [open.repeat(LEVELS), BSN.to_owned(), close.repeat(LEVELS)].concat().into_bytes()
}

/// A workbook whose one sheet has these rows and whose shared strings are these.
fn workbook(rows: &str, strings: &str) -> Vec<u8> {
    const XML: &str = "<?xml version=\"1.0\"?>";
    const MAIN: &str = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
    const RELATIONS: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    const PACKAGE: &str = "http://schemas.openxmlformats.org/package/2006/relationships";
    let sheet = format!("{XML}<worksheet xmlns=\"{MAIN}\"><sheetData>{rows}</sheetData></worksheet>");
    let strings = format!("{XML}<sst xmlns=\"{MAIN}\">{strings}</sst>");
    let book = format!(
        "{XML}<workbook xmlns=\"{MAIN}\" xmlns:r=\"{RELATIONS}\"><sheets><sheet name=\"x\" sheetId=\"1\" r:id=\"rId1\"/></sheets></workbook>"
    );
    let inside = format!(
        "{XML}<Relationships xmlns=\"{PACKAGE}\"><Relationship Id=\"rId1\" Type=\"{RELATIONS}/worksheet\" Target=\"worksheets/sheet1.xml\"/>\
         <Relationship Id=\"rId2\" Type=\"{RELATIONS}/sharedStrings\" Target=\"sharedStrings.xml\"/></Relationships>"
    );
    let top = format!(
        "{XML}<Relationships xmlns=\"{PACKAGE}\"><Relationship Id=\"rId1\" Type=\"{RELATIONS}/officeDocument\" Target=\"xl/workbook.xml\"/></Relationships>"
    );
    zipped(&[
        ("[Content_Types].xml", format!("{XML}<Types/>").as_bytes()),
        ("_rels/.rels", top.as_bytes()),
        ("xl/workbook.xml", book.as_bytes()),
        ("xl/_rels/workbook.xml.rels", inside.as_bytes()),
        ("xl/worksheets/sheet1.xml", sheet.as_bytes()),
        ("xl/sharedStrings.xml", strings.as_bytes()),
    ])
}

/// A PDF of these objects, numbered from 1; the first is its root.
fn pdf_of(objects: &[String]) -> Vec<u8> {
    let objects: String = (1..).zip(objects).map(|(number, object)| format!("{number} 0 obj\n{object}\nendobj\n")).collect();
    format!("%PDF-1.4\n{objects}trailer<</Root 1 0 R>>\n%%EOF\n").into_bytes()
}

fn pages(count: usize, size: u32) -> Vec<u8> {
    let kids: String = (0..count).map(|page| format!("{} 0 R ", page + 3)).collect();
    let mut objects = vec!["<</Type/Catalog/Pages 2 0 R>>".to_owned(), format!("<</Type/Pages/Kids[{kids}]/Count {count}>>")];
    objects.extend((0..count).map(|_| format!("<</Type/Page/Parent 2 0 R/MediaBox[0 0 {size} {size}]/Resources<<>>>>")));
    pdf_of(&objects)
}

/// Ten drawings that each draw the next one ten times, and the last a word: ten thousand million words.
fn drawings_in_drawings() -> Vec<u8> {
    let stream = |dictionary: &str, content: &str| format!("<<{dictionary}/Length {}>>stream\n{content}\nendstream", content.len());
    let mut objects = vec![
        "<</Type/Catalog/Pages 2 0 R>>".to_owned(),
        "<</Type/Pages/Kids[3 0 R]/Count 1>>".to_owned(),
        "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</XObject<</X 6 0 R>>>>>>".to_owned(),
        stream("", "/X Do"),
        "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>".to_owned(),
    ];
    for level in 6..16 {
        let resources = format!("/Type/XObject/Subtype/Form/BBox[0 0 595 842]/Resources<</XObject<</X {} 0 R>>>>", level + 1);
        objects.push(stream(&resources, &"/X Do ".repeat(10)));
    }
    objects
        .push(stream("/Type/XObject/Subtype/Form/BBox[0 0 595 842]/Resources<</Font<</F 5 0 R>>>>", "BT /F 11 Tf 60 780 Td (woord) Tj ET"));
    pdf_of(&objects)
}

/// A moving picture of very many tiny frames on a large canvas.
fn frames() -> Vec<u8> {
    let size = 3_000_u16.to_le_bytes();
    let mut gif = [b"GIF89a".as_slice(), &size, &size, &[0x80, 0, 0, 0, 0, 0, 255, 255, 255]].concat();
    for _ in 0..50_000 {
        gif.extend(b"\x2c\0\0\0\0\x01\0\x01\0\0\x02\x02\x44\x01\0");
    }
    gif.push(b';');
    gif
}

/// A 7z archive of one small member whose dictionary is said to have 4 GiB.
fn dictionary() -> Vec<u8> {
    let sum = |bytes: &[u8]| {
        let mut sum = flate2::Crc::new();
        sum.update(bytes);
        sum.sum().to_le_bytes()
    };
    let packed = [0_u8; 16];
    let header = [
        &[0x01, 0x04, 0x06, 0, 1, 0x09, 16, 0, 0x07, 0x0b, 1, 0, 1, 0x23, 3, 1, 1, 5, 0x5d, 0xff, 0xff, 0xff, 0xff, 0x0c][..],
        &[0xf0, 0xff, 0xff, 0xff, 0xff, 0, 0, 0x05, 1, 0x11, 5, 0, b'a', 0, 0, 0, 0, 0],
    ]
    .concat();
    let start = [&16_u64.to_le_bytes()[..], &u64::try_from(header.len()).unwrap().to_le_bytes(), &sum(&header)].concat();
    [b"7z\xbc\xaf\x27\x1c\0\x04", &sum(&start)[..], &start, &packed, &header].concat()
}

/// Bombs that take more than they may, or more time.
fn bombs() -> Vec<(&'static str, Vec<u8>)> {
    let one_string: String = (0..200_000).map(|row| format!("<row r=\"{0}\"><c r=\"A{0}\" t=\"s\"><v>0</v></c></row>", row + 1)).collect();
    let huge_string = format!("<si><t>{}</t></si>", "lang ".repeat(190_000));
    let mut picture = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR".to_vec();
    picture.extend([50_000_u32.to_be_bytes(), 50_000_u32.to_be_bytes()].concat());
    picture.extend([8, 0, 0, 0, 0]);
    let mut sum = flate2::Crc::new();
    sum.update(&picture[12..]);
    picture.extend(sum.sum().to_be_bytes());
    vec![
        ("one long string two hundred thousand times", workbook(&one_string, &huge_string)),
        ("a hundred megabytes of blanks", zipped(&[("leeg.txt", &vec![b' '; 100_000_000])])),
        ("a picture of 50,000 by 50,000", picture),
        ("fifty thousand frames", frames()),
        ("a dictionary of 4 GiB", dictionary()),
        ("two thousand empty pages", pages(2_000, 595)),
        ("a page of five metres", pages(1, 14_400)),
        ("drawings in drawings", drawings_in_drawings()),
    ]
}

/// Each within its memory and its time, and never clean.
#[tokio::test]
async fn bombs_take_no_more_than_they_may() {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("postkamer");
    symlink(POSTKAMER, &program).unwrap();
    let extractor = Extractor::with_program(program.clone(), Limits { deadline: Duration::from_secs(10), ..Limits::default() });
    let watching = tokio::spawn(async move {
        let mut most = 0;
        loop {
            most = processes_of(&program).into_iter().filter_map(resident).chain([most]).max().unwrap_or(most);
            fs::write(folder.path().join("most"), most.to_string()).unwrap();
            assert!(most < 1 << 30, "a parser holds {most} bytes");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    let read = |(name, bytes): (&'static str, Vec<u8>)| {
        let extractor = &extractor;
        async move {
            let begun = std::time::Instant::now();
            let document = extractor.read(bytes, None, None).await;
            eprintln!("{name}: {} {:?} after {:?}", document.format, document.unreadable, begun.elapsed());
            (name, document)
        }
    };
    let readable: Vec<&str> = stream::iter(bombs())
        .map(read)
        .buffer_unordered(2)
        .filter_map(|(name, document)| std::future::ready(document.unreadable.is_none().then_some(name)))
        .collect()
        .await;
    assert_eq!(readable, [""; 0]);
    // What is only deep or wide is read to the bottom, or said to be unreadable.
    let far = format!(
        "<row r=\"1\"><c r=\"A1\"><v>1</v></c></row><row r=\"1048576\"><c r=\"XFD1048576\" t=\"inlineStr\"><is><t>{BSN}</t></is></c></row>"
    );
    let deep = [
        ("cells a million rows apart", workbook(&far, "")),
        ("xml", [b"<?xml version=\"1.0\"?>".as_slice(), &deep("<a>", "</a>")].concat()),
        ("json", deep("[\"", "\"]")),
        ("json objects", deep("{\"a\":", "}")),
        ("html", [b"<!DOCTYPE html><html>".as_slice(), &deep("<div>", "</div>")].concat()),
        ("rtf", [b"{\\rtf1 ".as_slice(), &deep("{", "}"), b"}"].concat()),
        ("one line", format!("{} {BSN}", "1-".repeat(300_000)).into_bytes()),
    ];
    for (name, document) in stream::iter(deep).map(read).buffer_unordered(2).collect::<Vec<_>>().await {
        assert!(document.unreadable.is_some() || kinds(&document) > 0, "{name} came out clean");
    }
    assert!(!watching.is_finished(), "memory: {:?}", watching.await);
    assert_eq!(kinds(&extractor.read(BSN.as_bytes().to_vec(), None, None).await), 1);
}

/// A hundred thousand parts: of a thousand each is judged, and the rest is known not to be.
#[test]
fn a_mail_of_countless_parts_is_not_read_to_its_end() {
    let many = "--b\nContent-Type: text/csv\nContent-Disposition: attachment; filename=a.csv\n\na;b\n".repeat(100_000);
    let raw = authentic(CONTACT, "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n", &format!("{many}--b--"));
    let attachments = postkamer::parse::parse(&raw, false).attachments;
    assert!((1..=1_000).contains(&attachments.len()), "{}", attachments.len());
    assert!(attachments.iter().any(|attachment| attachment.opaque.is_some()));
}

/// A mail of many slow files takes no longer than one mail may, and the mail behind it is worked off in the same round, with its file kept.
#[test]
fn many_slow_files_in_a_mail_hold_up_nobody_for_long() {
    let gate = Gate::with(|settings| settings["attachments"]["reading_time"] = toml_edit::value("5 s"));
    let slow = drawings_in_drawings();
    let files: Vec<(&str, &str, &[u8])> = (0..30).map(|_| ("application/pdf", "tekening.pdf", slow.as_slice())).collect();
    let letters = gate.live(&[with_files(&files), with_files(&[("text/csv", "lijst.csv", b"kolom;waarde\naantal;7\n")])]);
    assert_eq!(letters.len(), 2, "both are answered");
    let kept: Vec<u64> = gate.tickets().iter().map(|ticket| ticket["attachments"].as_u64().unwrap()).collect();
    assert_eq!(kept, [0, 1]);
}

/// Slow files of strangers hold up a customer's mail no longer than one of them does; the others wait in the mailbox, and each round brings the next.
#[test]
fn slow_mails_of_strangers_wait_for_each_other_alone() {
    let gate = Gate::with(|settings| settings["attachments"]["reading_time"] = toml_edit::value("2 s"));
    let slow = drawings_in_drawings();
    for _ in 0..3 {
        let mail = String::from_utf8(with_files(&[("application/pdf", "tekening.pdf", slow.as_slice())])).unwrap();
        gate.deliver(mail.replace("dmarc=pass", "dmarc=fail").as_bytes());
    }
    gate.deliver(&with_files(&[("text/csv", "lijst.csv", b"kolom;waarde\naantal;7\n")]));
    assert_eq!(gate.work().len(), 1, "the customer is answered");
    let waiting = || gate.world.run(&["status"]).ok().stdout;
    assert_eq!(gate.tickets().len(), 2, "the customer's, and of the others the first: {}", waiting());
    for (minute, tickets) in [(20, 3), (25, 4)] {
        gate.world.run_at(&format!("2026-11-21T10:{minute}:00+01:00"), &["run", "--once"]).ok();
        assert_eq!(gate.tickets().len(), tickets, "{}", waiting());
    }
    let kept: u64 = gate.tickets().iter().map(|ticket| ticket["attachments"].as_u64().unwrap()).sum();
    assert_eq!(kept, 1);
}

/// Slow files of a customer hold up other mail no longer than two of them do; they are read in the rounds that follow, and nothing is left.
#[test]
fn slow_mails_of_a_customer_wait_for_each_other_alone() {
    let gate = Gate::with(|settings| settings["attachments"]["reading_time"] = toml_edit::value("2 s"));
    let slow = drawings_in_drawings();
    for _ in 0..4 {
        gate.deliver(&with_files(&[("application/pdf", "tekening.pdf", slow.as_slice())]));
    }
    let other = String::from_utf8(with_files(&[("text/csv", "lijst.csv", b"kolom;waarde\naantal;7\n")])).unwrap();
    let (address, domain) = ("mette.soerensen@nordhavn.example", "nordhavn.example");
    gate.deliver(other.replace(CONTACT, address).replace("waterwolde.example", domain).as_bytes());
    assert_eq!(gate.work().len(), 5, "all are answered");
    let organisations: Vec<String> = gate.tickets().iter().map(|ticket| ticket["organisation"].as_str().unwrap().to_owned()).collect();
    assert_eq!(organisations, ["waterwolde", "waterwolde", "nordhavn", "waterwolde", "waterwolde"]);
}

/// The most memory that a process ever held, in bytes.
fn resident(pid: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(peak.trim().strip_suffix(" kB")?.parse::<u64>().ok()? * 1024)
}

/// A mail of bombs is one whose files are withheld; what lies behind it is worked off in the same round, with its own file kept.
#[test]
fn bombs_in_the_mail_hold_up_nobody() {
    let gate = Gate::new();
    let quick = ["a hundred megabytes of blanks", "a picture of 50,000 by 50,000", "a dictionary of 4 GiB"];
    let quick = quick.into_iter().chain(["two thousand empty pages", "a page of five metres"]).collect::<BTreeSet<_>>();
    let files: Vec<(&str, Vec<u8>)> = bombs().into_iter().filter(|(name, _)| quick.contains(name)).collect();
    assert_eq!(files.len(), quick.len());
    let mails = files.iter().map(|(_, bytes)| with_files(&[("application/octet-stream", "bestand", bytes)]));
    let deep_mail = (0..1_000)
        .fold(String::new(), |head, level| format!("{head}--b{level}\nContent-Type: multipart/mixed; boundary=b{}\n\n", level + 1));
    let endless = "X-Vulling: abcdefghijklmnopqrstuvwxyz\n".repeat(100_000);
    let mut mails: Vec<Vec<u8>> = mails.collect();
    mails.push(authentic(CONTACT, "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b0\n", &deep_mail));
    mails.push(authentic(CONTACT, &endless, "Vraag."));
    let bombs = mails.len();
    mails.extend((0..3).map(|number| with_files(&[("text/csv", "lijst.csv", format!("kolom;waarde\naantal;{number}\n").as_bytes())])));
    let letters = gate.live(&mails);
    assert_eq!(letters.len(), mails.len(), "everybody is answered");
    let tickets = gate.tickets();
    let withheld: Vec<bool> =
        tickets.iter().map(|ticket| ticket["reasons"].as_array().unwrap().contains(&"attachment-unreadable".into())).collect();
    assert_eq!(withheld, [vec![true; bombs], vec![false; 3]].concat());
    assert!(tickets[bombs..].iter().all(|ticket| ticket["attachments"] == 1) && tickets.iter().all(|ticket| ticket["status"] == "open"));
    assert!(gate.world.run(&["queue", "list", "--json"]).ok().json().is_empty(), "no mail is stuck");
}
