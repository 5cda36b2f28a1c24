//! OAuth 2 tokens for XOAUTH2 and OAUTHBEARER: fetched by client credentials or a refresh token, kept until shortly
//! before they expire.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;

use super::MailboxError;
use super::secret::{can_be_replaced, read_secret_file, replace_secret_file};
use super::tls;
use crate::words::Redacted;

/// A token is fetched anew this long before it expires.
const MARGIN: Duration = Duration::from_secs(300);
/// Deadline of one request.
const LIMIT: Duration = Duration::from_secs(30);
/// For how long a token is taken to be good at most, in seconds, whatever the endpoint says: a year.
const LONGEST: u64 = 366 * 24 * 3600;
/// No token answer is larger than this, in bytes.
const MAX_ANSWER: usize = 64 * 1024;

/// How to get a token (`[….oauth]` in DESIGN §5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OAuthSettings {
    /// The token endpoint: `https`, or `http` on loopback.
    pub token_url: String,
    /// The client's id.
    pub client_id: String,
    /// File with the client's secret; one trailing newline is dropped.
    pub client_secret_file: PathBuf,
    /// File with a refresh token; none: the client credentials grant (RFC 6749 §4.4).
    pub refresh_token_file: Option<PathBuf>,
    /// The scope to ask for.
    pub scope: Option<String>,
}

/// A source of tokens. Clones share the token that is held.
#[derive(Clone)]
pub struct OAuth {
    settings: OAuthSettings,
    held: Arc<Mutex<Held>>,
}

#[derive(Default)]
struct Held {
    token: Option<(Redacted<String>, Instant)>,
    /// When the refresh token ends, as the endpoint said last.
    refresh_ends: Option<Instant>,
    /// What could not be written into the refresh token's file.
    unwritten: Option<Unwritten>,
}

/// A refresh token that the endpoint gave in exchange (RFC 6749 §6) and that only we have.
struct Unwritten {
    token: Redacted<String>,
    /// What still stands in the file: when that changes, somebody has put a new one there.
    in_file: Redacted<String>,
}

impl PartialEq for OAuth {
    fn eq(&self, other: &Self) -> bool {
        self.settings == other.settings
    }
}

impl fmt::Debug for OAuth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("OAuth").field(&self.settings).finish()
    }
}

impl OAuth {
    /// A source that holds no token yet.
    #[must_use]
    pub fn new(settings: OAuthSettings) -> Self {
        Self { settings, held: Arc::default() }
    }

    /// Where tokens are fetched.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        &self.settings.token_url
    }

    /// A token that is valid for some minutes at least.
    ///
    /// # Errors
    /// A file cannot be read, or the endpoint gives no token.
    pub async fn token(&self) -> Result<Redacted<String>, MailboxError> {
        // The lock is held while fetching, so that several desks that share these settings fetch once.
        let mut held = self.held.lock().await;
        if let Some((token, until)) = &held.token
            && Instant::now() < *until
        {
            return Ok(token.clone());
        }
        let refresh_token = self.refresh_token(&held).await?;
        let fetched = tokio::time::timeout(LIMIT, self.fetch(refresh_token.as_ref())).await;
        let answer = fetched.map_err(|_| MailboxError::Token("gave no answer in time"))??;
        let lifetime = Duration::from_secs(answer.expires_in.unwrap_or(3600).min(LONGEST));
        held.token = Some((answer.access_token.clone(), Instant::now() + lifetime.saturating_sub(MARGIN)));
        held.refresh_ends = answer.refresh_expires_in.map(|seconds| Instant::now() + Duration::from_secs(seconds.min(LONGEST)));
        if let Some(new) = answer.refresh_token.filter(|new| Some(new) != refresh_token.as_ref()) {
            held.unwritten = self.keep(new).await;
        }
        Ok(answer.access_token)
    }

    /// The newest refresh token: the file's, unless a newer one could not be written there.
    async fn refresh_token(&self, held: &Held) -> Result<Option<Redacted<String>>, MailboxError> {
        let Some(file) = &self.settings.refresh_token_file else { return Ok(None) };
        let in_file = read_secret_file(file).await;
        match &held.unwritten {
            Some(unwritten) if in_file.as_ref().is_ok_and(|in_file| *in_file == unwritten.in_file) => Ok(Some(unwritten.token.clone())),
            _ => in_file.map(Some),
        }
    }

    /// Writes an exchanged refresh token into its file: the old one may be void from now on, also after a restart.
    async fn keep(&self, new: Redacted<String>) -> Option<Unwritten> {
        let file = self.settings.refresh_token_file.as_ref()?;
        let Err(error) = replace_secret_file(file, new.clone()).await else { return None };
        tracing::error!(
            file = %file.display(),
            error = %error.kind(),
            "the token endpoint has exchanged the refresh token, and the new one cannot be written into its file: after a restart nobody can sign in. \
             Put the file where postkamer may replace it."
        );
        Some(Unwritten { token: new, in_file: read_secret_file(file).await.ok()? })
    }

    /// Whether an exchanged refresh token could be kept; true where there is none.
    #[must_use]
    pub fn keeps_exchanged_tokens(&self) -> bool {
        self.settings.refresh_token_file.as_ref().is_none_or(|file| can_be_replaced(file))
    }

    /// How long the refresh token lasts from now; none where the endpoint has not said so.
    pub async fn refresh_token_lasts(&self) -> Option<Duration> {
        let ends = self.held.lock().await.refresh_ends;
        ends.map(|ends| ends.saturating_duration_since(Instant::now()))
    }

    /// The server refused the token: the next call fetches a new one.
    pub async fn forget(&self) {
        self.held.lock().await.token = None;
    }

    async fn fetch(&self, refresh_token: Option<&Redacted<String>>) -> Result<Answer, MailboxError> {
        let settings = &self.settings;
        let local = url_is_local(&settings.token_url);
        if !settings.token_url.starts_with("https://") && !local {
            return Err(MailboxError::Token("must be reached by https"));
        }
        let secret = read_secret_file(&settings.client_secret_file).await?;
        let mut form = vec![("client_id", settings.client_id.clone()), ("client_secret", secret.into_revealed())];
        form.extend(refresh_token.map(|token| ("refresh_token", token.reveal().clone())));
        let grant = if refresh_token.is_some() { "refresh_token" } else { "client_credentials" };
        form.push(("grant_type", grant.to_owned()));
        form.extend(settings.scope.iter().map(|scope| ("scope", scope.clone())));

        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls::client_config(None).await?.as_ref().clone())
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .map_err(|_| MailboxError::Token("could not be asked"))?;
        let mut response =
            client.post(&settings.token_url).form(&form).send().await.map_err(|_| MailboxError::Token("could not be reached"))?;
        if !response.status().is_success() {
            return Err(MailboxError::Token(match response.status().as_u16() {
                400 | 401 | 403 => "refused our credentials",
                _ => "answered with an error",
            }));
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|_| MailboxError::Token("broke off its answer"))? {
            body.extend_from_slice(&chunk);
            if body.len() > MAX_ANSWER {
                return Err(MailboxError::Token("gave an answer that is too large"));
            }
        }
        Answer::read(&body).ok_or(MailboxError::Token("gave an answer without a token"))
    }
}

/// The proof of an OAUTHBEARER sign-in (RFC 7628 §3.1). None: the user name cannot be written in it.
#[must_use]
pub fn bearer_proof(user: &str, host: &str, port: u16, token: &str) -> Option<String> {
    let fits = !user.contains(['\0', '\r', '\n', '\u{1}', ',', '=']);
    fits.then(|| format!("n,a={user},\u{1}host={host}\u{1}port={port}\u{1}auth=Bearer {token}\u{1}\u{1}"))
}

/// True for a plain URL whose host is a loopback address or `localhost`.
fn url_is_local(url: &str) -> bool {
    let host = reqwest::Url::parse(url).ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default();
    host == "localhost" || host.trim_matches(['[', ']']).parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// The answer of a token endpoint (RFC 6749 §5.1).
struct Answer {
    access_token: Redacted<String>,
    expires_in: Option<u64>,
    refresh_token: Option<Redacted<String>>,
    /// Not of the RFC, but said by many: seconds that the refresh token lasts.
    refresh_expires_in: Option<u64>,
}

impl Answer {
    fn read(body: &[u8]) -> Option<Self> {
        let json: serde_json::Value = serde_json::from_slice(body).ok()?;
        let text = |key| {
            json.get(key).and_then(serde_json::Value::as_str).filter(|text| !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic()))
        };
        // Some servers write the number as a string.
        let seconds = |key| json.get(key).and_then(|v| v.as_u64().or_else(|| v.as_str().and_then(|text| text.parse().ok())));
        Some(Self {
            access_token: Redacted::new(text("access_token")?.to_owned()),
            expires_in: seconds("expires_in"),
            refresh_token: text("refresh_token").map(|text| Redacted::new(text.to_owned())),
            refresh_expires_in: seconds("refresh_token_expires_in")
                .or_else(|| seconds("refresh_expires_in"))
                .filter(|seconds| *seconds > 0),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;
    use tokio::task::JoinHandle;

    /// A token endpoint that gives these answers, one a connection. Gives its URL and the requests it got.
    async fn endpoint(answers: Vec<(&'static str, &'static str)>) -> (String, JoinHandle<Vec<String>>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://127.0.0.1:{}/token", listener.local_addr().unwrap().port());
        let requests = tokio::spawn(async move {
            let mut requests = Vec::new();
            for (status, body) in answers {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut request = Vec::new();
                while !String::from_utf8_lossy(&request).contains("grant_type=") {
                    let mut bytes = [0; 4096];
                    let count = stream.read(&mut bytes).await.unwrap();
                    assert_ne!(count, 0, "a whole request");
                    request.extend_from_slice(&bytes[..count]);
                }
                requests.push(String::from_utf8(request).unwrap());
                let length = body.len();
                let answer = format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}");
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
            requests
        });
        (url, requests)
    }

    fn source(token_url: String, directory: &tempfile::TempDir, refresh: bool) -> OAuth {
        let [client, token] = ["client", "refresh"].map(|name| directory.path().join(name));
        std::fs::write(&client, "client-geheim\n").unwrap();
        std::fs::write(&token, "refresh-1\n").unwrap();
        OAuth::new(OAuthSettings {
            token_url,
            client_id: "postkamer".to_owned(),
            client_secret_file: client,
            refresh_token_file: refresh.then_some(token),
            scope: Some("mail".to_owned()),
        })
    }

    #[tokio::test]
    async fn a_token_is_kept_until_shortly_before_it_expires() {
        let directory = tempfile::tempdir().unwrap();
        let (url, requests) = endpoint(vec![
            ("200 OK", r#"{"access_token":"one","expires_in":3600}"#),
            ("200 OK", r#"{"access_token":"two","expires_in":"200"}"#),
            ("200 OK", r#"{"access_token":"three","expires_in":3600}"#),
        ])
        .await;
        let source = source(url, &directory, false);
        for _ in 0..3 {
            assert_eq!(source.token().await.unwrap().reveal(), "one");
        }
        // The server refused it; and the next one is as good as expired.
        source.forget().await;
        assert_eq!(source.token().await.unwrap().reveal(), "two");
        assert_eq!(source.clone().token().await.unwrap().reveal(), "three");
        assert_eq!(source.token().await.unwrap().reveal(), "three");
        let requests = requests.await.unwrap();
        assert!(
            requests[0].contains("client_secret=client-geheim")
                && requests[0].contains("grant_type=client_credentials")
                && requests[0].contains("scope=mail")
        );
    }

    #[tokio::test]
    async fn how_long_the_refresh_token_lasts_is_known_where_the_endpoint_says_so() {
        let directory = tempfile::tempdir().unwrap();
        let (url, _) = endpoint(vec![
            ("200 OK", r#"{"access_token":"one","expires_in":1}"#),
            ("200 OK", r#"{"access_token":"two","expires_in":1,"refresh_token_expires_in":864000}"#),
            ("200 OK", r#"{"access_token":"three","expires_in":1,"refresh_expires_in":"1800"}"#),
            ("200 OK", r#"{"access_token":"four","expires_in":18446744073709551615,"refresh_expires_in":18446744073709551615}"#),
        ])
        .await;
        let source = source(url, &directory, true);
        for (at_least, at_most) in
            [(None, None), (Some(863_000), Some(864_000)), (Some(1_000), Some(1_800)), (Some(LONGEST - 600), Some(LONGEST))]
        {
            source.token().await.unwrap();
            let seconds = source.refresh_token_lasts().await.map(|lasts| lasts.as_secs());
            assert!(seconds >= at_least && seconds <= at_most, "{seconds:?}");
        }
    }

    #[tokio::test]
    async fn an_exchanged_refresh_token_survives_us() {
        let directory = tempfile::tempdir().unwrap();
        let answers = vec![
            ("200 OK", r#"{"access_token":"one","expires_in":3600,"refresh_token":"refresh-2"}"#),
            ("200 OK", r#"{"access_token":"two","expires_in":3600,"refresh_token":"refresh-2"}"#),
        ];
        let (url, requests) = endpoint(answers).await;
        let first = source(url.clone(), &directory, true);
        first.token().await.unwrap();
        assert_eq!(std::fs::read_to_string(directory.path().join("refresh")).unwrap(), "refresh-2\n");
        // As after a restart.
        let second = OAuth::new(first.settings.clone());
        second.token().await.unwrap();
        assert!(requests.await.unwrap()[1].contains("refresh_token=refresh-2"));
    }

    #[tokio::test]
    async fn a_refresh_token_that_cannot_be_written_is_kept_until_somebody_puts_a_new_one_there() {
        let directory = tempfile::tempdir().unwrap();
        let (url, requests) = endpoint(vec![
            ("200 OK", r#"{"access_token":"one","expires_in":1,"refresh_token":"refresh-2"}"#),
            ("200 OK", r#"{"access_token":"two","expires_in":1}"#),
            ("200 OK", r#"{"access_token":"three","expires_in":1}"#),
        ])
        .await;
        let mut source = source(url, &directory, true);
        // A file on a file system that takes no new ones; also root cannot write there.
        let fixed = std::path::PathBuf::from("/proc/self/comm");
        source.settings.refresh_token_file = Some(fixed.clone());
        assert!(!source.keeps_exchanged_tokens() || rustix::process::geteuid().is_root());
        let in_file = std::fs::read_to_string(&fixed).unwrap().trim().to_owned();
        source.token().await.unwrap();
        source.token().await.unwrap();
        source.settings.refresh_token_file = Some(directory.path().join("refresh"));
        source.token().await.unwrap();
        let requests = requests.await.unwrap();
        let sent = |n: usize, token: &str| requests[n].contains(&format!("refresh_token={token}"));
        assert!(sent(0, &in_file.replace(' ', "+")) && sent(1, "refresh-2") && sent(2, "refresh-1"), "{requests:?}");
    }

    #[tokio::test]
    async fn the_newest_refresh_token_is_used() {
        let directory = tempfile::tempdir().unwrap();
        let (url, requests) = endpoint(vec![
            ("200 OK", r#"{"access_token":"one","expires_in":1,"refresh_token":"refresh-2"}"#),
            ("200 OK", r#"{"access_token":"two","expires_in":3600}"#),
        ])
        .await;
        let source = source(url, &directory, true);
        source.token().await.unwrap();
        source.token().await.unwrap();
        let requests = requests.await.unwrap();
        assert!(requests[0].contains("refresh_token=refresh-1") && requests[0].contains("grant_type=refresh_token"));
        assert!(requests[1].contains("refresh_token=refresh-2"));
    }

    #[tokio::test]
    async fn no_token_is_a_passing_error_without_the_servers_words() {
        let directory = tempfile::tempdir().unwrap();
        for (status, body) in [
            ("400 Bad Request", r#"{"error":"invalid_client A. de Vries"}"#),
            ("503 Busy", ""),
            ("302 Found", ""),
            ("200 OK", "A. de Vries"),
            ("200 OK", r#"{"access_token":""}"#),
            ("200 OK", r#"{"access_token":"a\r\nA1 DELETE x"}"#),
        ] {
            let (url, _requests) = endpoint(vec![(status, body)]).await;
            let error = source(url, &directory, false).token().await.unwrap_err();
            assert!(matches!(error, MailboxError::Token(_)) && error.is_passing(), "{status} {body}: {error:?}");
        }
        let source = source("http://login.example/token".to_owned(), &directory, false);
        assert_eq!(source.token().await.unwrap_err(), MailboxError::Token("must be reached by https"));
        assert!(!format!("{source:?}").contains("geheim"));
    }
}
