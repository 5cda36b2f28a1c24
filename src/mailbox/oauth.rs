//! OAuth 2 tokens for XOAUTH2 and OAUTHBEARER: fetched by client credentials or a refresh token, kept until shortly
//! before they expire.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;

use super::MailboxError;
use super::secret::read_secret_file;
use super::tls;
use crate::words::Redacted;

/// A token is fetched anew this long before it expires.
const MARGIN: Duration = Duration::from_secs(300);
/// Deadline of one request.
const LIMIT: Duration = Duration::from_secs(30);
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
    /// The server may exchange the refresh token at each use (RFC 6749 §6); the newest one is kept while we run.
    refresh_token: Option<Redacted<String>>,
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
        let fetched = tokio::time::timeout(LIMIT, self.fetch(held.refresh_token.as_ref())).await;
        let answer = fetched.map_err(|_| MailboxError::Token("gave no answer in time"))??;
        let lifetime = Duration::from_secs(answer.expires_in.unwrap_or(3600));
        held.token = Some((answer.access_token.clone(), Instant::now() + lifetime.saturating_sub(MARGIN)));
        if answer.refresh_token.is_some() {
            held.refresh_token = answer.refresh_token;
        }
        Ok(answer.access_token)
    }

    /// The server refused the token: the next call fetches a new one.
    pub async fn forget(&self) {
        self.held.lock().await.token = None;
    }

    async fn fetch(&self, newest: Option<&Redacted<String>>) -> Result<Answer, MailboxError> {
        let settings = &self.settings;
        let local = url_is_local(&settings.token_url);
        if !settings.token_url.starts_with("https://") && !local {
            return Err(MailboxError::Token("must be reached by https"));
        }
        let secret = read_secret_file(&settings.client_secret_file).await?;
        let mut form = vec![("client_id", settings.client_id.clone()), ("client_secret", secret.into_revealed())];
        match (newest, &settings.refresh_token_file) {
            (Some(token), Some(_)) => form.push(("refresh_token", token.reveal().clone())),
            (None, Some(file)) => form.push(("refresh_token", read_secret_file(file).await?.into_revealed())),
            (_, None) => {}
        }
        let grant = if settings.refresh_token_file.is_some() { "refresh_token" } else { "client_credentials" };
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
}

impl Answer {
    fn read(body: &[u8]) -> Option<Self> {
        let json: serde_json::Value = serde_json::from_slice(body).ok()?;
        let text = |key| {
            json.get(key).and_then(serde_json::Value::as_str).filter(|text| !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic()))
        };
        // Some servers write the number as a string.
        let expires_in = json.get("expires_in").and_then(|v| v.as_u64().or_else(|| v.as_str().and_then(|text| text.parse().ok())));
        Some(Self {
            access_token: Redacted::new(text("access_token")?.to_owned()),
            expires_in,
            refresh_token: text("refresh_token").map(|text| Redacted::new(text.to_owned())),
        })
    }
}
