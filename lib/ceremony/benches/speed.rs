//! How long a key generation takes, all its participants and the server on one thread and no network between them, and
//! what 10,000 open requests cost:
//!
//! ```text
//! cargo bench -p mcbn-ceremony --bench speed
//! ```

use std::time::{Duration, Instant};

use mcbn_ceremony::approval::SigningKey;
use mcbn_ceremony::generation::{Expected, Generation, Joining, Opened};
use mcbn_ceremony::signing::{Limits, Message, Shares, Signers, Signing, Subject};
use mcbn_ceremony::{Moment, Participants, Purpose, Terms};
use mcbn_manifest::ImageDigest;
use mcbn_share::ManifestDigest;
use mcbn_threshold::{Index, KeyShare, Threshold, generate};
use ring::rand::{SecureRandom, SystemRandom};
use ring::signature::Ed25519KeyPair;

const START: Moment = Moment(Duration::ZERO);

fn main() {
    for (threshold, count) in [(2, 3), (7, 10), (67, 100)] {
        generation(threshold, count);
    }
    signing();
}

fn generation(threshold: u8, count: u8) {
    let own: Vec<SigningKey> = (0..count).map(|_| signing_key()).collect();
    let terms = terms(threshold, &own);
    let begun = Instant::now();
    let deadline = START.plus(Duration::from_secs(600));
    let mut server = Generation::new(terms.clone(), purpose(), deadline, random).expect("random");
    let mut joined = Vec::new();
    for (index, own) in Index::all(count).zip(&own) {
        let expected = Expected {
            terms: terms.clone(),
            purpose: purpose(),
            index,
        };
        let announced = server.announced().clone();
        let joining = Joining::new(&expected, announced, own, random).expect("as expected");
        let (key, approval) = (joining.encryption_key(), joining.approve(own));
        let taken = server.approve(START, index, key, approval, random);
        taken.expect("it is genuine");
        joined.push(joining);
    }
    let dealt = begun.elapsed();
    let mut opened: Vec<Opened> = Vec::new();
    for (joining, own) in joined.iter().zip(&own) {
        let given = server.sealed_share(START, joining.index()).expect("dealt");
        let share = joining.open(given.group.clone(), given.sealed);
        let share = share.expect("it is the share");
        let confirmation = share.confirm(own);
        let taken = server.confirm(START, joining.index(), confirmation);
        taken.expect("it is genuine");
        opened.push(share);
    }
    let receipt = server.receipt(START).expect("all have confirmed");
    for opened in &opened {
        opened.finish(receipt).expect("it is theirs");
    }
    println!(
        "generate {threshold} of {count}: {:.1} ms, of which approving and dealing {:.1}",
        millis(begun.elapsed()),
        millis(dealt),
    );
}

fn signing() {
    let (threshold, count) = (2, 3);
    let own: Vec<SigningKey> = (0..count).map(|_| signing_key()).collect();
    let dealt = generate(Threshold::new(threshold).expect("two"), count, random).expect("dealt");
    let signers = Signers::new(terms(threshold, &own), dealt.group).expect("they fit");
    for (what, length) in [("32 bytes", 32), ("4096 bytes", Message::LONGEST)] {
        open_many(&signers, &own, &dealt.shares, what, length);
    }
}

fn open_many(
    signers: &Signers,
    own: &[SigningKey],
    shares: &[KeyShare],
    what: &str,
    length: usize,
) {
    let limits = Limits::default();
    let mut server = Signing::new(signers.clone(), Shares::Kept, limits, random).expect("random");
    let before = resident();
    let mut announcing = Duration::ZERO;
    let mut requests = Vec::new();
    let all = Index::all(3).zip(own).flat_map(|owner| {
        // Each participant's part.
        (0..limits.open / 3).map(move |_| owner)
    });
    for (index, own) in all {
        let mut bytes = vec![0; length];
        random(&mut bytes).expect("random");
        let subject = Subject::new(Message::bytes(&bytes).expect("not long"), purpose());
        let announcement = signers.announce(server.session(), &subject, own);
        let begun = Instant::now();
        let id = server.announce(START, index, subject.clone(), &announcement, random);
        announcing += begun.elapsed();
        requests.push((id.expect("it is genuine"), subject));
    }
    let mut first = Duration::ZERO;
    let mut second = Duration::ZERO;
    let tried = requests.len().min(500);
    // In between, so that neither end of the map is favoured.
    for (id, subject) in requests.iter().step_by(requests.len() / tried) {
        for (place, total) in [(0, &mut first), (2, &mut second)] {
            let (partial, approval) = signers.sign(*id, subject, &shares[place], &own[place]);
            let begun = Instant::now();
            let open = server.open(START, *id).expect("it is open");
            let taken = open.submit(partial.index, Some(partial.signature), &approval);
            *total += begun.elapsed();
            taken.expect("it verifies");
        }
    }
    // What the bench itself keeps of them is not the server's.
    let kept = requests.len() * length;
    let begun = Instant::now();
    let open = server.count(START);
    let counting = begun.elapsed();
    let grown = resident().saturating_sub(before).saturating_sub(kept);
    let begun = Instant::now();
    assert_eq!(server.count(START.plus(limits.life)), 0);
    println!(
        "{open} open requests of {what}: about {} KiB; to announce {:.3} ms, to submit the first partial signature \
         {:.3} ms and the second, which combines, {:.3} ms; to expire all {:.1} ms (none: {:.3} ms)",
        grown / 1024,
        millis(announcing) / open as f64,
        millis(first) / tried as f64,
        millis(second) / tried as f64,
        millis(begun.elapsed()),
        millis(counting),
    );
}

/// In bytes, of this process.
fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").expect("Linux");
    let pages = statm.split(' ').nth(1).and_then(|pages| pages.parse().ok());
    4096 * pages.unwrap_or(0_usize)
}

fn terms(threshold: u8, own: &[SigningKey]) -> Terms {
    let participants = own.iter().map(SigningKey::public).collect();
    let participants = Participants::new(participants).expect("distinct");
    let threshold = Threshold::new(threshold).expect("two or more");
    let (manifest, image) = (ManifestDigest([1; 32]), ImageDigest([2; 32]));
    Terms::new(manifest, image, threshold, participants).expect("they fit")
}

fn purpose() -> Purpose {
    "sign the releases of Example".parse().expect("ASCII")
}

fn signing_key() -> SigningKey {
    let der = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).expect("random");
    SigningKey::from_pkcs8(der.as_ref()).expect("just made")
}

fn random(bytes: &mut [u8]) -> Result<(), ring::error::Unspecified> {
    SystemRandom::new().fill(bytes)
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
