//! Exim, from a configuration of its own: the mail server of the vendor, through which every mail of a test goes.
//!
//! - *Submission* (postkamer's replies): implicit TLS, STARTTLS, and plain on loopback; the first two demand AUTH.
//! - *MX* (customers' mail): one port whose mail has passed DMARC, one whose mail has failed it, one that says nothing.
//!   As RFC 8601 §4 has it, the verdict is written on top, above the server's own Received line.
//!
//! Everything is delivered over LMTP at once into mailboxes of one Dovecot, where every address has one. Two local parts
//! are special at any domain: `refused` is refused with 550, `later` with 451.

use super::dovecot::{Dovecot, greets};
use super::imap::Security;
use super::server::{Scratch, Server, own_names};
use super::{eventually, free_port, is_root};
use lettre::transport::smtp::client::{SmtpConnection, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use std::fs;
use std::time::Duration;

/// What the receiving mail server finds out about the sender's domain, and writes into Authentication-Results.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dmarc {
    Pass,
    Fail,
    /// No Authentication-Results at all.
    None,
}

/// The account that may submit mail.
pub const USERNAME: &str = "desk";
pub const PASSWORD: &str = "replies-for-everyone";
/// Who the server says it is, in Authentication-Results and Received.
pub const AUTHSERV_ID: &str = "mx.zaakwijs.example";

/// A running Exim; dropping it stops it.
pub struct Smtp {
    _server: Server,
    scratch: Scratch,
    ca_file: String,
    ports: Ports,
}

#[derive(Clone, Copy)]
struct Ports {
    tls: u16,
    starttls: u16,
    plain: u16,
    mx_pass: u16,
    mx_fail: u16,
    mx_none: u16,
}

impl Smtp {
    /// Starts a mail server that delivers into the mailboxes of `dovecot`, and waits until it answers.
    pub fn start(dovecot: &Dovecot) -> Self {
        // Another process may take a port between our look and Exim's; then it is tried again with others.
        let mut logs = String::new();
        for _ in 0..5 {
            match Self::try_start(dovecot) {
                Ok(smtp) => return smtp,
                Err(said) => logs = said,
            }
        }
        panic!("Exim does not start (tests/setup.sh installs it):\n{logs}");
    }

    fn try_start(dovecot: &Dovecot) -> Result<Self, String> {
        let scratch = Scratch::new("smtp");
        scratch.directory("spool", Some("Debian-exim"));
        scratch.directory("log", Some("Debian-exim"));
        let ports = Ports {
            tls: free_port(),
            starttls: free_port(),
            plain: free_port(),
            mx_pass: free_port(),
            mx_fail: free_port(),
            mx_none: free_port(),
        };
        let config = scratch.write("exim.conf", configuration(&scratch, dovecot, ports));
        // -q: a mail that could not be delivered at once is tried again soon.
        let server = Server::start(&scratch, &["/usr/sbin/exim4", "-C", &config, "-bdf", "-q1s"], "TERM");
        let ready = eventually("Exim answers or ends", || match greets(ports.plain, scratch.name()) {
            _ if !server.is_alive() => Some(false),
            true => Some(true),
            false => None,
        });
        let smtp = Self { _server: server, scratch, ca_file: dovecot.ca_file().to_owned(), ports };
        if ready { Ok(smtp) } else { Err(smtp.logs()) }
    }

    /// The submission port for this way of connecting.
    pub fn port(&self, security: Security) -> u16 {
        match security {
            Security::Plain => self.ports.plain,
            Security::StartTls => self.ports.starttls,
            Security::Implicit => self.ports.tls,
        }
    }

    /// The port on which other mail servers deliver mail of this kind.
    pub fn mx_port(&self, dmarc: Dmarc) -> u16 {
        match dmarc {
            Dmarc::Pass => self.ports.mx_pass,
            Dmarc::Fail => self.ports.mx_fail,
            Dmarc::None => self.ports.mx_none,
        }
    }

    /// PEM file of the authority that signed the server's certificate.
    pub fn ca_file(&self) -> &str {
        &self.ca_file
    }

    /// Brings a customer's mail to the mail server, as the customer's own mail server would; `from` is the envelope's sender,
    /// empty for `<>`. It lies in the mailboxes a moment later (`Dovecot::wait_for`).
    pub fn send_as_customer(&self, raw: &[u8], from: &str, to: &[&str]) {
        self.send_with(Dmarc::Pass, raw, from, to);
    }

    /// As [`Smtp::send_as_customer`], with another finding about the sender.
    pub fn send_with(&self, dmarc: Dmarc, raw: &[u8], from: &str, to: &[&str]) {
        let sender = (!from.is_empty()).then(|| from.parse().expect("a sender's address"));
        let recipients = to.iter().map(|to| to.parse().expect("a recipient's address")).collect();
        let envelope = lettre::address::Envelope::new(sender, recipients).unwrap();
        let hello = ClientId::Domain("mail.customer.example".to_owned());
        let server = ("127.0.0.1", self.mx_port(dmarc));
        let mut connection = SmtpConnection::connect(server, Some(Duration::from_secs(30)), &hello, None::<&TlsParameters>, None).unwrap();
        let mail = crlf(raw);
        // lettre ends the data with a line end of its own.
        connection.send(&envelope, mail.strip_suffix(b"\r\n").unwrap_or(&mail)).expect("the mail server takes the mail");
        connection.quit().expect("the mail server says goodbye");
    }

    /// Where the server keeps its queue and its logs.
    pub fn files(&self) -> std::path::PathBuf {
        self.scratch.path().to_owned()
    }

    /// What the server logged so far.
    pub fn logs(&self) -> String {
        ["log/mainlog", "log/rejectlog", "log/paniclog", "stdout"]
            .map(|name| fs::read_to_string(self.scratch.path().join(name)).unwrap_or_default())
            .concat()
    }
}

/// Mail travels with CR LF at the end of each line, whatever the fixture's file has.
fn crlf(raw: &[u8]) -> Vec<u8> {
    let mut mail = Vec::with_capacity(raw.len() + raw.len() / 30);
    for &byte in raw {
        if byte == b'\n' && mail.last() != Some(&b'\r') {
            mail.push(b'\r');
        }
        mail.push(byte);
    }
    mail
}

fn configuration(scratch: &Scratch, dovecot: &Dovecot, ports: Ports) -> String {
    let (directory, name) = (scratch.path().display(), scratch.name());
    let lmtp = dovecot.lmtp_socket();
    let (certificate, key) = (&dovecot.certificates().certificate, &dovecot.certificates().key);
    let Ports { tls, starttls, plain, mx_pass, mx_fail, mx_none } = ports;
    // Without root, everything runs as the user who runs the tests.
    let user = if is_root() {
        String::new()
    } else {
        let (user, group) = own_names();
        format!("exim_user = {user}\nexim_group = {group}\n")
    };
    format!(
        "{user}primary_hostname = {AUTHSERV_ID}
smtp_banner = {AUTHSERV_ID} ESMTP {name}
spool_directory = {directory}/spool
log_file_path = {directory}/log/%slog
pid_file_path = {directory}/spool/exim.pid
local_interfaces = 127.0.0.1
daemon_smtp_ports = {tls} : {starttls} : {plain} : {mx_pass} : {mx_fail} : {mx_none}
daemon_startup_retries = 0
tls_on_connect_ports = {tls}
tls_advertise_hosts = *
tls_certificate = {certificate}
tls_privatekey = {key}
keep_environment =
host_lookup =
smtp_accept_max = 500
smtp_accept_queue_per_connection = 0
smtp_accept_max_per_connection = 0
smtp_enforce_sync = false
message_size_limit = 200M
deliver_drop_privilege = true
received_header_text = Received: from $sender_helo_name ([127.0.0.1]) by {AUTHSERV_ID}
acl_smtp_mail = mail
acl_smtp_rcpt = rcpt
acl_smtp_data = data

begin acl
mail:
  deny    message = 5.7.0 sign in first
          condition = ${{if or {{{{={{$received_port}}{{{tls}}}}}{{={{$received_port}}{{{starttls}}}}}}}}}
          !authenticated = *
  accept
rcpt:
  deny    local_parts = refused
          message = 5.1.1 no such mailbox
  defer   local_parts = later
          message = 4.2.1 not now
  accept
data:
  warn    condition = ${{if ={{$received_port}}{{{mx_pass}}}}}
          add_header = :at_start:Authentication-Results: {AUTHSERV_ID}; dmarc=pass header.from=${{domain:${{address:$h_from:}}}}
  warn    condition = ${{if ={{$received_port}}{{{mx_fail}}}}}
          add_header = :at_start:Authentication-Results: {AUTHSERV_ID}; dmarc=fail header.from=${{domain:${{address:$h_from:}}}}
  accept

begin routers
mailbox:
  driver = accept
  transport = lmtp

begin transports
lmtp:
  driver = lmtp
  socket = {lmtp}
  batch_max = 100
  timeout = 1m

begin retry
* * F,1h,1s

begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = ${{if and {{{{eq{{$auth2}}{{{USERNAME}}}}}{{eq{{$auth3}}{{{PASSWORD}}}}}}}}}
  server_set_id = $auth2
login:
  driver = plaintext
  public_name = LOGIN
  server_prompts = Username:: : Password::
  server_condition = ${{if and {{{{eq{{$auth1}}{{{USERNAME}}}}}{{eq{{$auth2}}{{{PASSWORD}}}}}}}}}
  server_set_id = $auth1
"
    )
}
