//! What may be wrong with a service, one thing at a time.

use std::time::Duration;

use tokio::sync::watch;

/// What is wrong with a service's answers. One that a service has no use for changes nothing there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// It answers right, this much later.
    Slow(Duration),
    /// It takes the request, and answers when the fault is changed.
    Stalled,
    /// 429, perhaps with `Retry-After` in seconds.
    TooManyRequests { retry_after: Option<u64> },
    /// 503.
    Unavailable,
    /// 500.
    Internal,
    /// It reads the request and closes the connection.
    HangingUp,
    /// 200, with half of a JSON text.
    Truncated,
    /// 401, whatever the access token is.
    ExpiredToken,
    /// 403, whoever asks.
    PermissionDenied,
    /// As if the version were disabled.
    Disabled,
    /// The answer's own CRC32C is another one.
    WrongChecksum,
    /// The signature, plaintext or payload has a bit changed, under the CRC32C of what it is then.
    WrongBytes,
    /// The answer names another version.
    OtherName,
    /// The answer names another protection level.
    OtherProtection,
    /// The checksum of the request was not looked at, as the answer says.
    Unverified,
}

/// A service's fault, and how many more requests it meets.
pub(super) struct Switch(watch::Sender<Setting>);

#[derive(Clone, Copy)]
struct Setting {
    fault: Option<Fault>,
    /// None: all of them.
    left: Option<u64>,
}

impl Switch {
    pub(super) fn new() -> Self {
        Self(watch::Sender::new(Setting {
            fault: None,
            left: None,
        }))
    }

    pub(super) fn set(&self, fault: Option<Fault>, left: Option<u64>) {
        self.0.send_replace(Setting { fault, left });
    }

    /// How many more requests the fault meets. None: all of them, or none, as there is no fault.
    pub(super) fn left(&self) -> Option<u64> {
        self.0.borrow().left
    }

    /// What meets this request.
    pub(super) fn meet(&self) -> Option<Fault> {
        let mut met = None;
        self.0.send_if_modified(|setting| {
            met = setting.fault;
            if let (Some(_), Some(left)) = (met, &mut setting.left) {
                match left.checked_sub(1) {
                    Some(fewer) => *left = fewer,
                    None => met = None,
                }
            }
            // Only whoever sets another fault lets stalled requests go.
            false
        });
        met
    }

    /// Waits until a fault is set or taken away.
    pub(super) async fn changed(&self) {
        let mut setting = self.0.subscribe();
        // The sender outlives every request.
        let _ = setting.changed().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_meets_as_many_requests_as_was_said() {
        let switch = Switch::new();
        assert_eq!(switch.meet(), None);
        switch.set(Some(Fault::Unavailable), Some(2));
        let met: [_; 3] = std::array::from_fn(|_| switch.meet());
        assert_eq!(
            met,
            [Some(Fault::Unavailable), Some(Fault::Unavailable), None]
        );
        assert_eq!(switch.left(), Some(0));
        switch.set(Some(Fault::Unavailable), None);
        assert!((0..9).all(|_| switch.meet().is_some()));
    }
}
