//! Who may use the page: the token of this run, the sessions that it opens, and the keys of their forms.
//!
//! Nothing is remembered of a session. Its cookie says when it began and is authenticated, and so is the key of its
//! forms, with a key of this run: both end with the run.

use crate::keeper::ledger::entry::Time;
use base64ct::{Base64UrlUnpadded, Encoding};
use ring::error::Unspecified;
use ring::hmac;
use ring::rand::SecureRandom;
use std::fmt::{self, Debug};
use std::net::SocketAddr;
use std::time::Duration;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// What is secret about one run of the page.
#[derive(Debug)]
pub struct Access {
    token: Token,
    key: hmac::Key,
    base: String,
}

/// Opens the page to whoever knows it.
struct Token(Zeroizing<[u8; 32]>);

/// The proof that a request comes from a browser that was let in.
#[derive(Clone)]
pub struct Session([u8; Session::LENGTH]);

/// The proof that a form was drawn by this page for this session.
#[derive(Debug)]
pub struct Genuine(());

/// The name of the cookie. Its path differs from page to page, so they do not get in each other's way.
const COOKIE: &str = "mcbn-keeper";

/// Cookies of the name that are looked at. Who serves on another port of the host can set more of them.
const COOKIES: usize = 8;

impl Access {
    pub fn draw(random: &dyn SecureRandom) -> Result<Access, Unspecified> {
        let mut token = Zeroizing::new([0; 32]);
        random.fill(&mut *token)?;
        let mut base = [0; 16];
        random.fill(&mut base)?;
        Ok(Access {
            token: Token(token),
            key: hmac::Key::generate(hmac::HMAC_SHA256, random)?,
            base: format!("/{}", base16ct::lower::encode_string(&base)),
        })
    }

    /// Where everything is that needs a session. Nobody else knows it, so nobody else is sent the cookie.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// The page's address with the token, for whoever may have both.
    pub fn expose_url(&self, address: SocketAddr) -> Zeroizing<String> {
        let token = Zeroizing::new(Base64UrlUnpadded::encode_string(&*self.token.0));
        Zeroizing::new(format!("http://{address}{ENTER}?token={}", *token))
    }

    /// Opens a session for whoever knows the token.
    pub fn enter(&self, token: &str, now: Time, random: &dyn SecureRandom) -> Option<Session> {
        let mut bytes = Zeroizing::new([0; 32]);
        let given = Base64UrlUnpadded::decode(token, &mut *bytes).ok()?;
        // The length of what was given is no secret; the token's is known.
        bool::from(given.ct_eq(&*self.token.0)).then_some(())?;
        let mut session = [0; Session::LENGTH];
        let (said, mac) = session.split_at_mut(Session::SAID);
        random.fill(&mut said[8..]).ok()?;
        said[..8].copy_from_slice(&now.0.to_be_bytes());
        mac.copy_from_slice(self.mac(SESSION, said).as_ref());
        Some(Session(session))
    }

    /// The session that one of the request's cookies is of.
    pub fn session<'c>(
        &self,
        cookies: impl Iterator<Item = &'c str>,
        now: Time,
    ) -> Option<Session> {
        let pairs = cookies.flat_map(|header| header.split(';'));
        let named = pairs.filter_map(|pair| pair.trim().strip_prefix(COOKIE)?.strip_prefix('='));
        named
            .take(COOKIES)
            .find_map(|value| self.resumed(value, now))
    }

    fn resumed(&self, cookie: &str, now: Time) -> Option<Session> {
        let mut bytes = [0; Session::LENGTH];
        let given = Base64UrlUnpadded::decode(cookie, &mut bytes).ok()?;
        let (said, mac) = given.split_at_checked(Session::SAID)?;
        self.check(SESSION, said, mac)?;
        let session = Session(bytes);
        let age = now.0.abs_diff(session.begun().0);
        (u128::from(age) < Session::LIFE.as_millis()).then_some(session)
    }

    /// The value of the header that gives a browser its session.
    pub fn expose_cookie(&self, session: &Session) -> String {
        format!(
            "{COOKIE}={}; Path={}; HttpOnly; SameSite=Strict",
            Base64UrlUnpadded::encode_string(&session.0),
            self.base
        )
    }

    /// What every form of the session's pages carries: other origins can send a form here, and cannot read this.
    pub fn expose_form_key(&self, session: &Session) -> String {
        let mac = self.mac(FORM, &session.0);
        Base64UrlUnpadded::encode_string(mac.as_ref())
    }

    pub fn form(&self, session: &Session, key: &str) -> Option<Genuine> {
        let mut bytes = [0; 32];
        let given = Base64UrlUnpadded::decode(key, &mut bytes).ok()?;
        self.check(FORM, &session.0, given)?;
        Some(Genuine(()))
    }

    fn mac(&self, label: &[u8], said: &[u8]) -> hmac::Tag {
        hmac::sign(&self.key, &[label, said].concat())
    }

    fn check(&self, label: &[u8], said: &[u8], mac: &[u8]) -> Option<()> {
        hmac::verify(&self.key, &[label, said].concat(), mac).ok()
    }
}

/// Where the token is shown.
pub const ENTER: &str = "/enter";

/// What a tag is of. Each is followed by something of one length.
const SESSION: &[u8] = b"mcbn/v1/page/session\0";
const FORM: &[u8] = b"mcbn/v1/page/form\0";

impl Session {
    /// When it began, and 16 random bytes.
    const SAID: usize = 24;
    const LENGTH: usize = Session::SAID + 32;

    /// A working day. The token opens another one.
    pub const LIFE: Duration = Duration::from_secs(12 * 60 * 60);

    fn begun(&self) -> Time {
        let begun = self.0.first_chunk().expect("it is longer");
        Time(u64::from_be_bytes(*begun))
    }
}

impl Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}

impl Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Session(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ring::rand::SystemRandom;

    const NOW: Time = Time(1_800_000_000_000);

    fn access() -> Access {
        Access::draw(&SystemRandom::new()).unwrap()
    }

    fn token(access: &Access) -> String {
        Base64UrlUnpadded::encode_string(&*access.token.0)
    }

    fn enter(access: &Access) -> Session {
        let entered = access.enter(&token(access), NOW, &SystemRandom::new());
        entered.unwrap()
    }

    fn cookie(access: &Access, session: &Session) -> String {
        let header = access.expose_cookie(session);
        header.split(';').next().unwrap().to_owned()
    }

    fn resumes(access: &Access, cookie: &str, now: Time) -> bool {
        access.session([cookie].into_iter(), now).is_some()
    }

    #[test]
    fn the_token_opens_a_session_that_its_cookie_resumes() {
        let access = access();
        let cookie = cookie(&access, &enter(&access));
        assert!(resumes(&access, &cookie, NOW));
        assert!(resumes(&access, &format!("a=b; {cookie};c=d"), NOW));
        assert!(resumes(&access, &format!("{COOKIE}=x; {cookie}"), NOW));
    }

    #[test]
    fn another_token_is_refused() {
        let access = access();
        let right = token(&access);
        let mut near = right.clone().into_bytes();
        near[0] = if near[0] == b'A' { b'B' } else { b'A' };
        let near = String::from_utf8(near).unwrap();
        let others = [
            "",
            &near,
            &right[1..],
            &format!("{right}A"),
            &format!("{right}="),
        ];
        for other in others {
            let entered = access.enter(other, NOW, &SystemRandom::new());
            assert!(entered.is_none(), "{other}");
        }
        let of_another_run = token(&self::access());
        let entered = access.enter(&of_another_run, NOW, &SystemRandom::new());
        assert!(entered.is_none());
    }

    #[test]
    fn a_session_ends_after_its_time_and_is_not_from_the_future() {
        let access = access();
        let cookie = cookie(&access, &enter(&access));
        let life = Session::LIFE.as_millis() as u64;
        assert!(resumes(&access, &cookie, Time(NOW.0 + life - 1)));
        assert!(!resumes(&access, &cookie, Time(NOW.0 + life)));
        assert!(!resumes(&access, &cookie, Time(NOW.0 - life)));
    }

    #[test]
    fn a_cookie_that_was_changed_or_is_anothers_is_refused() {
        let access = access();
        let session = enter(&access);
        for i in 0..Session::LENGTH {
            let mut other = session.clone();
            other.0[i] ^= 1;
            assert!(!resumes(&access, &cookie(&access, &other), NOW), "byte {i}");
        }
        let right = cookie(&access, &session);
        assert!(!resumes(&access, &right[..right.len() - 2], NOW));
        assert!(!resumes(&access, right.strip_prefix("mcbn-").unwrap(), NOW));
        assert!(!resumes(&self::access(), &right, NOW));
        // However many of the name stand before it, there is an end to the work.
        let many = format!("{COOKIE}=x; ").repeat(COOKIES) + &right;
        assert!(!resumes(&access, &many, NOW));
    }

    #[test]
    fn a_forms_key_is_of_one_session() {
        let access = access();
        let (one, other) = (enter(&access), enter(&access));
        let key = access.expose_form_key(&one);
        assert!(access.form(&one, &key).is_some());
        assert!(access.form(&other, &key).is_none());
        assert!(access.form(&one, &key[..42]).is_none());
        assert!(access.form(&one, "").is_none());
        assert!(self::access().form(&one, &key).is_none());
        // What authenticates the session is no key of its forms.
        let mac = Base64UrlUnpadded::encode_string(&one.0[Session::SAID..]);
        assert!(access.form(&one, &mac).is_none());
    }

    #[test]
    fn no_secret_is_shown() {
        let access = access();
        let session = enter(&access);
        let shown = format!("{access:?} {access:#?} {session:?} {:x?}", access.token);
        assert!(shown.contains("Token(..)") && shown.contains("Session(..)"));
        for three in access.token.0.windows(3).chain(session.0[8..].windows(3)) {
            let [a, b, c] = three.try_into().unwrap();
            for form in [
                format!("{a}, {b}, {c}"),
                format!("{a:x}, {b:x}, {c:x}"),
                format!("{a:02x}{b:02x}{c:02x}"),
            ] {
                assert!(!shown.contains(&form), "{form} in {shown}");
            }
        }
    }
}
