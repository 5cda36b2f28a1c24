//! What a worker gives up before it sees a stranger's byte.
//!
//! In this order: descriptors that it inherited, privileges, memory and time (setrlimit), the sight of files (Landlock), and every
//! system call that is not in its list (seccomp). All of it or nothing: where the kernel refuses one, the worker reads nothing, and every file is
//! unreadable. It dies with its parent, and leaves no core.

use landlock::{
    ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, Ruleset, RulesetAttr, RulesetCreatedAttr, RulesetStatus, Scope,
    path_beneath_rules,
};
use nix::errno::Errno;
use nix::sys::signal::{SigSet, Signal as Asked};
use rustix::process::{
    DumpableBehavior, Resource, Rlimit, Signal, getpid, getrlimit, set_dumpable_behavior, set_parent_process_death_signal, setrlimit,
};
use rustix::thread::{CapabilitySet, CapabilitySets, capabilities, set_capabilities};
use seccompiler::{BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule};
use std::collections::BTreeMap;
use std::io;

/// Memory that a parser may take, in bytes.
const PARSER_MEMORY: u64 = 1 << 30;
/// Addresses that a tool may take, in bytes: programs, libraries and data are mapped besides what it works in.
const TOOL_MEMORY: u64 = 1 << 30;
/// Memory that it may write to (THREATS §1 row 24).
const TOOL_DATA: u64 = 1 << 29;
/// Processor seconds of a parser over all its documents, and of a tool.
const PROCESSOR_SECONDS: u64 = 300;
/// Open descriptors of a worker.
const DESCRIPTORS: u64 = 64;

/// What a tool may read: the system's programs, libraries and data.
const SYSTEM: &[&str] =
    &["/usr", "/lib", "/lib64", "/bin", "/etc/ld.so.cache", "/etc/fonts", "/etc/alternatives", "/dev/null", "/dev/urandom"];

/// Locks a parser in: its standard input and output, and memory to compute in, are all that is left.
///
/// # Errors
/// Where anything of it is refused; the process must not read anything then.
pub fn for_parser() -> io::Result<()> {
    give_up(PARSER_MEMORY, PARSER_MEMORY)?;
    landlock(&[])?;
    seccomp(parser_calls())
}

/// Locks a tool in: it may read the system's programs, libraries and data, and become one of them.
///
/// # Errors
/// As [`for_parser`].
pub fn for_tool() -> io::Result<()> {
    give_up(TOOL_MEMORY, TOOL_DATA)?;
    landlock(SYSTEM)?;
    seccomp(tool_calls())
}

fn give_up(memory: u64, data: u64) -> io::Result<()> {
    set_parent_process_death_signal(Some(Signal::KILL))?;
    // Service managers and terminals ask all processes of a program to end, and a file whose reader ended counts as unreadable: its mail would be
    // turned back. The daemon finishes what is in hand, and a worker ends with it; a tool inherits what is blocked.
    SigSet::from_iter([Asked::SIGHUP, Asked::SIGINT, Asked::SIGQUIT, Asked::SIGTERM]).thread_block()?;
    close_inherited()?;
    let none = CapabilitySets { effective: CapabilitySet::empty(), permitted: CapabilitySet::empty(), inheritable: CapabilitySet::empty() };
    // A service that has none may be forbidden to ask.
    if capabilities(None)? != none {
        set_capabilities(None, none)?;
    }
    set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    for (resource, most) in [
        (Resource::As, memory),
        (Resource::Data, data),
        (Resource::Cpu, PROCESSOR_SECONDS),
        (Resource::Nofile, DESCRIPTORS),
        (Resource::Fsize, 0),
        // One and not none: a program that collects cores is not even called for a process with this limit (core(5)).
        (Resource::Core, 1),
    ] {
        let most = getrlimit(resource).maximum.map_or(most, |already| already.min(most));
        setrlimit(resource, Rlimit { current: Some(most), maximum: Some(most) })?;
    }
    Ok(())
}

/// Closes what a parent left open by mistake: no later wall stands before a descriptor that is open already.
fn close_inherited() -> io::Result<()> {
    let open: Vec<i32> = std::fs::read_dir("/proc/self/fd")?
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter(|fd| *fd > 2)
        .collect();
    for descriptor in open {
        match nix::unistd::close(descriptor) {
            // The one through which they were listed.
            Ok(()) | Err(Errno::EBADF) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Files by the rights of Linux 5.13 or nothing; what later kernels can deny besides, there.
fn landlock(readable: &[&str]) -> io::Result<()> {
    let restricted = || {
        Ruleset::default()
            .set_compatibility(CompatLevel::HardRequirement)
            .handle_access(AccessFs::from_all(ABI::V1))?
            .set_compatibility(CompatLevel::BestEffort)
            .handle_access(AccessFs::from_all(ABI::V5))?
            .handle_access(AccessNet::from_all(ABI::V5))?
            .scope(Scope::from_all(ABI::V6))?
            .create()?
            .add_rules(path_beneath_rules(readable, AccessFs::from_read(ABI::V1)))?
            .restrict_self()
    };
    let refused = || io::Error::from(io::ErrorKind::PermissionDenied);
    let status = restricted().map_err(|_: landlock::RulesetError| refused())?;
    if status.ruleset == RulesetStatus::NotEnforced { Err(refused()) } else { Ok(()) }
}

/// A system call, and when it is allowed: always, where there is no rule.
type Allowed = Result<BTreeMap<i64, Vec<SeccompRule>>, BackendError>;

/// What any computing takes: memory, time, random numbers and an end.
const COMPUTING: &[i64] = &[
    libc::SYS_brk,
    libc::SYS_clock_gettime,
    libc::SYS_exit,
    libc::SYS_exit_group,
    libc::SYS_futex,
    libc::SYS_getpid,
    libc::SYS_getrandom,
    libc::SYS_gettid,
    libc::SYS_madvise,
    libc::SYS_mremap,
    libc::SYS_munmap,
    libc::SYS_restart_syscall,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_sched_yield,
    libc::SYS_sigaltstack,
];

/// What a program takes to be loaded, to find its files and to say what it read. Which files, Landlock says.
const LOADING_AND_READING: &[i64] = &[
    libc::SYS_clock_getres,
    libc::SYS_close,
    libc::SYS_execve,
    libc::SYS_faccessat,
    libc::SYS_faccessat2,
    libc::SYS_fadvise64,
    libc::SYS_fstat,
    libc::SYS_fstatfs,
    libc::SYS_getcwd,
    libc::SYS_getdents64,
    libc::SYS_getegid,
    libc::SYS_geteuid,
    libc::SYS_getgid,
    libc::SYS_getrusage,
    libc::SYS_getuid,
    libc::SYS_lseek,
    libc::SYS_mmap,
    libc::SYS_mprotect,
    libc::SYS_newfstatat,
    libc::SYS_openat,
    libc::SYS_pread64,
    libc::SYS_read,
    libc::SYS_readlinkat,
    libc::SYS_readv,
    libc::SYS_rseq,
    libc::SYS_sched_getaffinity,
    libc::SYS_set_robust_list,
    libc::SYS_set_tid_address,
    libc::SYS_statfs,
    libc::SYS_statx,
    libc::SYS_sysinfo,
    libc::SYS_uname,
    libc::SYS_write,
    libc::SYS_writev,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_access,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_arch_prctl,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_lstat,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_open,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_readlink,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_stat,
];

/// A parser reads its requests, writes its answers, and takes memory that is never run as a program.
fn parser_calls() -> Allowed {
    const EXECUTABLE: u64 = libc::PROT_EXEC as u64;
    const ANONYMOUS: u64 = libc::MAP_ANONYMOUS as u64;
    let mut calls = always(COMPUTING);
    let not_executable = (2, SeccompCmpOp::MaskedEq(EXECUTABLE), 0);
    calls.insert(libc::SYS_read, vec![when(&[(0, SeccompCmpOp::Eq, 0)])?]);
    calls.insert(libc::SYS_write, vec![when(&[(0, SeccompCmpOp::Eq, 1)])?]);
    calls.insert(libc::SYS_writev, vec![when(&[(0, SeccompCmpOp::Eq, 1)])?]);
    calls.insert(libc::SYS_mmap, vec![when(&[not_executable.clone(), (3, SeccompCmpOp::MaskedEq(ANONYMOUS), ANONYMOUS)])?]);
    calls.insert(libc::SYS_mprotect, vec![when(&[not_executable])?]);
    to_abort(&mut calls)?;
    Ok(calls)
}

/// A tool reads files and becomes a program; it starts no other and no thread, and signals nobody.
fn tool_calls() -> Allowed {
    let mut calls = always(COMPUTING);
    calls.extend(always(LOADING_AND_READING));
    // Of descriptors only whether they are closed on exec, and how they are open: not who gets a signal for them.
    let asks = [libc::F_GETFD, libc::F_SETFD, libc::F_GETFL];
    let asked = asks.into_iter().map(|ask| when(&[(1, SeccompCmpOp::Eq, u64::from(ask.unsigned_abs()))]));
    calls.insert(libc::SYS_fcntl, asked.collect::<Result<_, _>>()?);
    calls.insert(libc::SYS_prlimit64, vec![when(&[(0, SeccompCmpOp::Eq, 0)])?]);
    to_abort(&mut calls)?;
    Ok(calls)
}

fn always(calls: &[i64]) -> BTreeMap<i64, Vec<SeccompRule>> {
    calls.iter().map(|call| (*call, Vec::new())).collect()
}

/// A signal to oneself, which is how abort(3) ends.
fn to_abort(calls: &mut BTreeMap<i64, Vec<SeccompRule>>) -> Result<(), BackendError> {
    let own = u64::from(getpid().as_raw_nonzero().get().unsigned_abs());
    calls.insert(libc::SYS_tgkill, vec![when(&[(0, SeccompCmpOp::Eq, own)])?]);
    Ok(())
}

/// The arguments, counted from 0, of a call that is allowed.
fn when(arguments: &[(u8, SeccompCmpOp, u64)]) -> Result<SeccompRule, BackendError> {
    let conditions =
        arguments.iter().map(|(number, how, value)| SeccompCondition::new(*number, SeccompCmpArgLen::Dword, how.clone(), *value));
    SeccompRule::new(conditions.collect::<Result<_, _>>()?)
}

fn seccomp(allowed: Allowed) -> io::Result<()> {
    // An error and not the end: programs try calls that they can do without.
    let refuse = SeccompAction::Errno(libc::EPERM.unsigned_abs());
    let program = || -> Result<BpfProgram, BackendError> {
        SeccompFilter::new(allowed?, refuse, SeccompAction::Allow, std::env::consts::ARCH.try_into()?)?.try_into()
    };
    let program = program().map_err(|_| io::Error::from(io::ErrorKind::Unsupported))?;
    seccompiler::apply_filter(&program).map_err(|_| io::ErrorKind::PermissionDenied.into())
}
