//! Dovecot: IMAP (plain, STARTTLS, TLS) and LMTP, from a configuration of its own in a temporary directory.
//!
//! Every address has a mailbox (customers too); only those added with a password can sign in. The helpers look at the
//! mailboxes from the server's side, through a master user and `support::imap`.

use super::certificates::Certificates;
use super::imap::{Imap, Security};
use super::server::{Scratch, Server, own_names, user};
use super::{eventually, free_port, is_root};
use jiff::Timestamp;
use std::collections::HashMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Mutex, OnceLock};
use std::time::Duration;

/// How mailboxes lie on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Store {
    Maildir,
    Mdbox,
    Sdbox,
}

/// A running Dovecot; dropping it stops it and removes its mailboxes.
pub struct Dovecot {
    // Dropped in this order: connections, server, directory.
    connections: Mutex<HashMap<String, Imap>>,
    server: Mutex<Option<Server>>,
    scratch: Scratch,
    certificates: Certificates,
    imap_port: u16,
    imaps_port: u16,
}

const MASTER: &str = "harness";
const MASTER_PASSWORD: &str = "sees-all-mailboxes";

impl Dovecot {
    /// Starts a Dovecot and waits until it answers.
    pub fn start(store: Store) -> Self {
        Self::start_with(store, "")
    }

    /// As [`Dovecot::start`], with more lines of configuration, which override ours: for example
    /// `imap_capability = IMAP4rev1 IDLE` for a server without UIDPLUS and MOVE.
    pub fn start_with(store: Store, more: &str) -> Self {
        // Another process may take a port between our look and Dovecot's; then it is tried again with others.
        let mut logs = String::new();
        for _ in 0..5 {
            match Self::try_start(store, more) {
                Ok(dovecot) => return dovecot,
                Err(said) => logs = said,
            }
        }
        panic!("Dovecot does not start (tests/setup.sh installs it):\n{logs}");
    }

    /// One Dovecot (Maildir) for all tests of this process that use addresses of their own.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Dovecot> = OnceLock::new();
        SHARED.get_or_init(|| Self::start(Store::Maildir))
    }

    fn try_start(store: Store, more: &str) -> Result<Self, String> {
        let scratch = Scratch::new("dovecot");
        let certificates = Certificates::make(&scratch, &["localhost", "127.0.0.1"]);
        let (imap_port, imaps_port) = (free_port(), free_port());
        scratch.write("users", "");
        scratch.write("masters", format!("{MASTER}:{{PLAIN}}{MASTER_PASSWORD}\n"));
        scratch.directory("mail", Some("nobody"));
        let configuration = configuration(store, &scratch, &certificates, imap_port, imaps_port);
        scratch.write("dovecot.conf", format!("{configuration}\n{more}\n"));
        let dovecot = Self { connections: Mutex::default(), server: Mutex::new(None), scratch, certificates, imap_port, imaps_port };
        if dovecot.run() { Ok(dovecot) } else { Err(dovecot.logs()) }
    }

    /// Starts the server process; whether it took its ports and answers.
    fn run(&self) -> bool {
        let config = self.scratch.file("dovecot.conf");
        // KILL: an orderly end takes Dovecot several seconds, and nothing it would still write is needed.
        let server = Server::start(&self.scratch, &["/usr/sbin/dovecot", "-F", "-c", &config], "KILL");
        let ready = eventually("Dovecot answers or ends", || match self.answers() {
            _ if !server.is_alive() => Some(false),
            true => Some(true),
            false => None,
        });
        *self.server.lock().unwrap() = Some(server);
        ready
    }

    /// Whether the server takes connections.
    pub fn answers(&self) -> bool {
        greets(self.imap_port, self.scratch.name())
    }

    /// Port of IMAP in the clear, with STARTTLS on offer.
    pub fn imap_port(&self) -> u16 {
        self.imap_port
    }

    /// Port of IMAP over TLS.
    pub fn imaps_port(&self) -> u16 {
        self.imaps_port
    }

    /// The port for this way of connecting.
    pub fn port(&self, security: Security) -> u16 {
        if security == Security::Implicit { self.imaps_port } else { self.imap_port }
    }

    /// PEM file of the authority that signed the server's certificate.
    pub fn ca_file(&self) -> &str {
        &self.certificates.ca
    }

    /// The server's certificate and key, for other servers of the same test.
    pub fn certificates(&self) -> &Certificates {
        &self.certificates
    }

    /// The LMTP socket.
    pub fn lmtp_socket(&self) -> String {
        self.scratch.file("run/lmtp")
    }

    /// The directory under which all mailboxes lie, one directory an address.
    pub fn files(&self) -> PathBuf {
        self.scratch.path().join("mail")
    }

    /// Has the server give up for good what was expunged in this mailbox: in mdbox nothing goes before.
    pub fn purge(&self, user: &str) {
        let args = ["-c", &self.scratch.file("dovecot.conf"), "purge", "-u", user];
        let output = Command::new("/usr/bin/doveadm").args(args).output().expect("doveadm starts");
        assert!(output.status.success(), "doveadm purge: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// What the server logged so far.
    pub fn logs(&self) -> String {
        ["log", "stdout"].map(|name| fs::read_to_string(self.scratch.path().join(name)).unwrap_or_default()).concat()
    }

    /// Lets `address` sign in with `password`.
    pub fn add_user(&self, address: &str, password: &str) {
        let mut users = fs::OpenOptions::new().append(true).open(self.scratch.path().join("users")).unwrap();
        // One write, so that no reader sees half a line.
        users.write_all(format!("{address}:{{PLAIN}}{password}\n").as_bytes()).unwrap();
        drop(users);
        // Dovecot looks at the file once a second at most.
        let escaped = password.replace('\\', "\\\\").replace('"', "\\\"");
        eventually("the new user can sign in", || {
            let mut imap = Imap::connect(self.imap_port, Security::Plain, self.ca_file());
            let (_, answer) = imap.try_command(&format!("LOGIN \"{address}\" \"{escaped}\""));
            answer.starts_with("OK").then_some(())
        });
    }

    /// Signs in as `user` by its own password.
    pub fn sign_in(&self, user: &str, password: &str, security: Security) -> Imap {
        let mut imap = Imap::connect(self.port(security), security, self.ca_file());
        imap.login(user, password);
        imap
    }

    /// Does something in the mailbox of `user`, over a connection that is kept for the next time.
    pub fn with<T>(&self, user: &str, act: impl FnOnce(&mut Imap) -> T) -> T {
        let kept = self.connections.lock().unwrap().remove(user);
        let mut imap = kept.unwrap_or_else(|| {
            let mut imap = Imap::connect(self.imap_port, Security::Plain, self.ca_file());
            imap.login(&format!("{user}*{MASTER}"), MASTER_PASSWORD);
            imap
        });
        let answer = act(&mut imap);
        // After a panic the connection is not kept.
        self.connections.lock().unwrap().insert(user.to_owned(), imap);
        answer
    }

    /// Appends a mail with this INTERNALDATE (the server's own time when absent); its UID.
    pub fn append(&self, user: &str, folder: &str, raw: &[u8], internal_date: Option<Timestamp>) -> u32 {
        self.with(user, |imap| imap.append(folder, raw, "", internal_date))
    }

    /// The raw mails of a folder in order of UID; none when the folder does not exist.
    pub fn folder_messages(&self, user: &str, folder: &str) -> Vec<Vec<u8>> {
        self.with(user, |imap| imap.messages(folder)).into_iter().map(|(_, raw)| raw).collect()
    }

    /// How many mails a folder holds; 0 when it does not exist.
    pub fn count(&self, user: &str, folder: &str) -> u32 {
        self.with(user, |imap| imap.count(folder))
    }

    /// Waits until a folder holds at least `count` mails, and gives them.
    #[track_caller]
    pub fn wait_for(&self, user: &str, folder: &str, count: usize) -> Vec<Vec<u8>> {
        eventually(&format!("{count} mails in {folder} of {user}"), || {
            (self.count(user, folder) as usize >= count).then(|| self.folder_messages(user, folder))
        })
    }

    /// Gives a folder a new UIDVALIDITY, as a restored backup would: the server forgets which UIDs it gave. Maildir only.
    pub fn renew_uid_validity(&self, user: &str, folder: &str) {
        let home = self.files().join(user).join("Maildir");
        let directory = if folder == "INBOX" { home } else { home.join(format!(".{folder}")) };
        for entry in fs::read_dir(directory).unwrap().map(Result::unwrap) {
            let name = entry.file_name();
            if ["dovecot-uidlist", "dovecot.index"].iter().any(|start| name.to_string_lossy().starts_with(start)) {
                fs::remove_file(entry.path()).unwrap();
            }
        }
        self.connections.lock().unwrap().remove(user);
    }

    /// Stops the server as a crash would: every connection ends at once. Mailboxes stay.
    pub fn stop(&self) {
        self.connections.lock().unwrap().clear();
        drop(self.server.lock().unwrap().take());
    }

    /// Starts the server again on the same ports.
    pub fn start_again(&self) {
        assert!(self.run(), "Dovecot starts again: {}", self.logs());
    }
}

/// Whether a server that greets with `name` listens on this port; a foreign one may have taken it.
pub fn greets(port: u16, name: &str) -> bool {
    let Ok(stream) = TcpStream::connect(("127.0.0.1", port)) else { return false };
    stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).is_ok() && line.contains(name)
}

fn configuration(store: Store, scratch: &Scratch, certificates: &Certificates, imap_port: u16, imaps_port: u16) -> String {
    let directory = scratch.path().display();
    let Certificates { certificate, key, .. } = certificates;
    let location = match store {
        Store::Maildir => "maildir:~/Maildir",
        Store::Mdbox => "mdbox:~/mdbox",
        Store::Sdbox => "sdbox:~/sdbox",
    };
    // Dovecot refuses to open mailboxes as root. Without root, everything runs as the user who runs the tests.
    let (uid, gid) = if is_root() { user("nobody") } else { (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw()) };
    let users = if is_root() {
        String::new()
    } else {
        let (user, group) = own_names();
        format!(
            "default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
service anvil {{
  chroot =
}}
service imap-login {{
  chroot =
}}
service stats {{
  chroot =
}}
"
        )
    };
    format!(
        "{users}base_dir = {directory}/run
state_dir = {directory}/state
log_path = {directory}/log
protocols = imap lmtp
listen = 127.0.0.1
ssl = yes
ssl_cert = <{certificate}
ssl_key = <{key}
disable_plaintext_auth = no
auth_mechanisms = plain login
auth_failure_delay = 0
auth_master_user_separator = *
passdb {{
  driver = passwd-file
  master = yes
  args = {directory}/masters
}}
passdb {{
  driver = passwd-file
  args = {directory}/users
}}
userdb {{
  driver = static
  args = home={directory}/mail/%u allow_all_users=yes
}}
mail_uid = {uid}
mail_gid = {gid}
first_valid_uid = 1
mail_location = {location}
mail_fsync = never
mail_max_userip_connections = 0
namespace inbox {{
  inbox = yes
}}
service imap-login {{
  service_count = 0
  client_limit = 500
  inet_listener imap {{
    port = {imap_port}
  }}
  inet_listener imaps {{
    port = {imaps_port}
    ssl = yes
  }}
}}
# No growing delays for an address whose passwords were wrong: all tests share 127.0.0.1.
service anvil {{
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service imap {{
  process_limit = 500
}}
service lmtp {{
  unix_listener lmtp {{
    mode = 0666
  }}
}}
# The mail server in front writes the Received line; a second one would push its Authentication-Results below the top.
lmtp_add_received_header = no
lmtp_hdr_delivery_address = original
postmaster_address = postmaster@zaakwijs.example
login_greeting = {}
",
        scratch.name()
    )
}
