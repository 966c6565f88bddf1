//! One client of one service, made when it is needed and made anew when its credentials are used up.

use crate::failure;
use crate::google::Google;
use google_cloud_auth::credentials::Credentials;
use google_cloud_gax::Result as Answered;
use google_cloud_gax::client_builder::Error as NotBuilt;
use google_cloud_gax::exponential_backoff::{ExponentialBackoff, ExponentialBackoffBuilder};
use google_cloud_gax::options::RequestOptionsBuilder;
use google_cloud_gax::retry_policy::{Aip194Strict, RetryPolicyExt};
use mcbn_gcp_answer::Failure;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::timeout;

/// A client of Google's.
pub(crate) trait Service: Clone + Send + Sync + 'static {
    /// At this endpoint, or at Google's own.
    fn build(
        credentials: Credentials,
        endpoint: Option<&str>,
    ) -> impl Future<Output = Result<Self, NotBuilt>> + Send;
}

/// Clones share the client.
#[derive(Debug)]
pub(crate) struct Access<S> {
    google: Google,
    endpoint: Option<String>,
    client: Arc<Mutex<Option<Client<S>>>>,
}

#[derive(Clone, Debug)]
struct Client<S> {
    /// No other has it.
    number: u64,
    service: S,
}

impl<S> Clone for Access<S> {
    fn clone(&self) -> Self {
        Access {
            google: self.google.clone(),
            endpoint: self.endpoint.clone(),
            client: Arc::clone(&self.client),
        }
    }
}

impl<S: Service> Access<S> {
    pub(crate) fn new(google: Google, endpoint: Option<String>) -> Access<S> {
        Access {
            google,
            endpoint,
            client: Arc::default(),
        }
    }

    /// Asks within the deadline. Where a client's credentials are used up, a new one asks once more.
    pub(crate) async fn ask<T, F>(&self, ask: impl Fn(S) -> F) -> Result<T, Failure>
    where
        F: Future<Output = Answered<T>>,
    {
        let asked = timeout(self.google.deadline(), self.asked(ask)).await;
        asked.unwrap_or(Err(Failure::Slow))
    }

    async fn asked<T, F>(&self, ask: impl Fn(S) -> F) -> Result<T, Failure>
    where
        F: Future<Output = Answered<T>>,
    {
        loop {
            let (client, is_new) = self.client().await?;
            let answer = ask(client.service).await.map_err(failure::of);
            // What is known of credentials is used up by such a failure: the next call needs them anew.
            if !answer.as_ref().is_err_and(Failure::is_of_credentials) {
                return answer;
            }
            self.drop_client(client.number).await;
            if is_new {
                return answer;
            }
        }
    }

    async fn client(&self) -> Result<(Client<S>, bool), Failure> {
        let mut client = self.client.lock().await;
        if let Some(client) = &*client {
            return Ok((client.clone(), false));
        }
        let credentials = self.google.credentials()?;
        let built = S::build(credentials, self.endpoint.as_deref()).await;
        let service = built.map_err(|_| Failure::NoCredentials("no client can be made".into()))?;
        let built = Client {
            number: next_number(),
            service,
        };
        *client = Some(built.clone());
        Ok((built, true))
    }

    /// Google's cache of access tokens gives its last refusal for ever.
    async fn drop_client(&self, number: u64) {
        let mut client = self.client.lock().await;
        if client.as_ref().is_some_and(|held| held.number == number) {
            *client = None;
        }
    }

    /// What every request is sent with.
    pub(crate) fn options<B: RequestOptionsBuilder>(&self, request: B) -> B {
        options(request, self.google.deadline())
    }
}

fn next_number() -> u64 {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// None of the calls here changes anything, so each can be made again: where there was no connection, the service was
/// busy or away, or an attempt took half of the time.
fn options<B: RequestOptionsBuilder>(request: B, deadline: Duration) -> B {
    let again = Aip194Strict
        .continue_on_too_many_requests()
        .continue_on_client_timeout()
        .with_time_limit(deadline);
    request
        .with_idempotency(true)
        .with_retry_policy(again)
        .with_backoff_policy(backoff())
        .with_attempt_timeout(deadline / 2)
}

fn backoff() -> ExponentialBackoff {
    ExponentialBackoffBuilder::new()
        .with_initial_delay(Duration::from_millis(100))
        .with_maximum_delay(Duration::from_secs(2))
        .clamp()
}
