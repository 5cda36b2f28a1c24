//! What a worker gives up before it sees a stranger's byte.
//!
//! Limits (setrlimit), the right to see files (Landlock) and the system calls for files, programs, sockets and processes
//! (seccomp). A kernel without Landlock still has the other two. The process dies with its parent.

use landlock::{ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, Ruleset, RulesetAttr, RulesetCreatedAttr, path_beneath_rules};
use rustix::process::{DumpableBehavior, Resource, Rlimit, Signal, set_dumpable_behavior, set_parent_process_death_signal, setrlimit};
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter};
use std::collections::BTreeMap;
use std::io;

/// Memory that a parser may take, in bytes.
const PARSER_MEMORY: u64 = 1 << 30;
/// Memory that a tool may take: tesseract maps its language models.
const TOOL_MEMORY: u64 = 3 << 30;
/// Processor seconds of a parser over all its documents, and of a tool.
const PROCESSOR_SECONDS: u64 = 300;

/// Locks a parser in: standard input and output are all that is left.
pub fn for_parser() -> io::Result<()> {
    limits(PARSER_MEMORY)?;
    landlock(&[])?;
    let mut denied = FOR_ALL.to_vec();
    denied.extend_from_slice(FILES_AND_PROGRAMS);
    seccomp(&denied)
}

/// Locks a tool in: it may read the system's programs, libraries and data, and become one of them.
pub fn for_tool() -> io::Result<()> {
    limits(TOOL_MEMORY)?;
    landlock(&["/usr", "/lib", "/lib64", "/bin", "/etc/ld.so.cache", "/etc/fonts", "/etc/alternatives", "/dev/null", "/dev/urandom"])?;
    seccomp(FOR_ALL)
}

fn limits(memory: u64) -> io::Result<()> {
    set_parent_process_death_signal(Some(Signal::KILL))?;
    set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    for (resource, limit) in
        [(Resource::As, memory), (Resource::Cpu, PROCESSOR_SECONDS), (Resource::Nofile, 64), (Resource::Fsize, 0), (Resource::Core, 0)]
    {
        setrlimit(resource, Rlimit { current: Some(limit), maximum: Some(limit) })?;
    }
    Ok(())
}

fn landlock(readable: &[&str]) -> io::Result<()> {
    let abi = ABI::V5;
    let locked = || -> Result<(), landlock::RulesetError> {
        Ruleset::default()
            .set_compatibility(CompatLevel::BestEffort)
            .handle_access(AccessFs::from_all(abi))?
            .handle_access(AccessNet::from_all(abi))?
            .create()?
            .add_rules(path_beneath_rules(readable, AccessFs::from_read(abi)))?
            .restrict_self()?;
        Ok(())
    };
    locked().map_err(|_| io::ErrorKind::PermissionDenied.into())
}

/// No network, no other processes, for anybody.
const FOR_ALL: &[i64] = &[
    libc::SYS_socket,
    libc::SYS_socketpair,
    libc::SYS_connect,
    libc::SYS_bind,
    libc::SYS_listen,
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_pidfd_open,
    libc::SYS_bpf,
    libc::SYS_mount,
    libc::SYS_unshare,
    libc::SYS_setns,
    libc::SYS_io_uring_setup,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_fork,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_vfork,
];

/// For a parser, which has all it needs in memory.
const FILES_AND_PROGRAMS: &[i64] = &[
    libc::SYS_execve,
    libc::SYS_execveat,
    libc::SYS_openat,
    libc::SYS_openat2,
    libc::SYS_unlinkat,
    libc::SYS_renameat2,
    libc::SYS_linkat,
    libc::SYS_symlinkat,
    libc::SYS_mkdirat,
    libc::SYS_memfd_create,
    libc::SYS_clone,
    libc::SYS_clone3,
    libc::SYS_kill,
    libc::SYS_tkill,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_open,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_creat,
];

fn seccomp(denied: &[i64]) -> io::Result<()> {
    let denied: BTreeMap<i64, _> = denied.iter().map(|call| (*call, Vec::new())).collect();
    let refuse = SeccompAction::Errno(libc::EPERM.unsigned_abs());
    let program = || -> Result<BpfProgram, seccompiler::BackendError> {
        SeccompFilter::new(denied, SeccompAction::Allow, refuse, std::env::consts::ARCH.try_into()?)?.try_into()
    };
    let program = program().map_err(|_| io::Error::from(io::ErrorKind::Unsupported))?;
    seccompiler::apply_filter(&program).map_err(|_| io::ErrorKind::PermissionDenied.into())
}
