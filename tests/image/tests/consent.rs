//! The demonstration, with the real images: what runs is what the manifest names.

use mcbn_tests_demo::scenes::{Digests, Play};
use mcbn_tests_image::{Images, digest};

#[test]
fn consent_is_given_to_the_images_that_the_manifest_names_and_withdrawn() {
    let digests = Digests {
        server: digest("psk-server"),
        client: digest("psk-client"),
    };
    Play::begin(&Images, digests, &mut |_| {}).play();
}
