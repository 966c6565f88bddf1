//! The file that participants agree on. A workload gets it from an operator whom nobody trusts.

use mcbn_manifest::{Address, Ciphertext, CloudShare, Manifest, Member, Mistakes, Rule};
use std::collections::BTreeSet;

pub fn manifest(data: &[u8]) {
    match Manifest::parse(data) {
        Ok(manifest) => assert_sound(&manifest),
        Err(mistakes) => assert_presentable(&mistakes, data),
    }
}

fn assert_sound(manifest: &Manifest) {
    let members = manifest.participants();
    assert!((1..=255).contains(&members.len()));
    assert_distinct(members.iter().map(|member| member.name.as_str()));
    let keepers = || members.iter().filter_map(Member::keeper);
    assert_distinct(keepers().map(|keeper| keeper.pin));
    let addresses = keepers().map(|keeper| keeper.address.to_string());
    assert_distinct(addresses.inspect(|text| assert!(text.parse::<Address>().is_ok())));
    let clouds = members.iter().filter_map(Member::cloud);
    assert_distinct(clouds.map(|cloud| match &cloud.share {
        CloudShare::Secret(version) => version.secret().to_owned(),
        CloudShare::Sealed {
            key, ciphertext, ..
        } => {
            assert!((1..=Ciphertext::MAX_LEN).contains(&ciphertext.as_bytes().len()));
            key.to_string()
        }
    }));
    if let Rule::Threshold(threshold) = manifest.rule() {
        assert!((2..=members.len()).contains(&threshold.get()));
    }
    assert!((10..=86400).contains(&manifest.lease().as_secs()));
    assert!(!manifest.workloads().is_empty());
    assert_distinct(manifest.workloads().iter().map(|workload| &workload.name));
    assert_distinct(manifest.workloads().iter().flat_map(|w| &w.images));
    for workload in manifest.workloads() {
        assert!(!workload.images.is_empty());
        for image in &workload.images {
            assert_eq!(manifest.workload_of(image), Some(workload));
        }
    }
    let policy = manifest.policy();
    assert!(!policy.support.is_empty() && !policy.hardware.is_empty());
    if let Some(signatures) = &policy.signatures {
        assert!(usize::from(signatures.threshold.get()) <= signatures.keys.len());
    }
}

fn assert_distinct<T: Ord>(items: impl Iterator<Item = T>) {
    let items: Vec<_> = items.collect();
    let count = items.len();
    assert_eq!(items.into_iter().collect::<BTreeSet<_>>().len(), count);
}

/// A terminal can show it, and an editor finds the places.
fn assert_presentable(mistakes: &Mistakes, data: &[u8]) {
    let places: Vec<_> = mistakes.iter().map(|m| (m.line(), m.column())).collect();
    assert!(!places.is_empty() && places.is_sorted(), "{mistakes}");
    let lines: Vec<_> = data.split(|b| *b == b'\n').collect();
    for mistake in mistakes.iter() {
        let line = lines.get(mistake.line() - 1).expect("such a line");
        assert!((1..=line.len() + 1).contains(&mistake.column()));
        let message = mistake.message();
        assert!((1..=400).contains(&message.len()), "{message:?}");
        let printable = |b: u8| b.is_ascii_graphic() || b == b' ';
        assert!(message.bytes().all(printable), "{message:?}");
    }
}
