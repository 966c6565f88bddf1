//! What every peer must be able to do with ours.

use crate::{Credentials, Peer, Version, exchange, ours};

/// The tests of one peer.
#[macro_export]
macro_rules! scenarios {
    ($peer:ty) => {
        $crate::scenarios!($peer, over_tls13, $crate::Version::Tls13);
        $crate::scenarios!($peer, over_tls12, $crate::Version::Tls12);
    };
    ($peer:ty, $module:ident, $version:expr) => {
        mod $module {
            use $crate::scenario;

            #[test]
            fn its_client_is_answered_ok() {
                scenario::its_client_is_answered_ok::<$peer>($version);
            }

            #[test]
            fn its_client_reaches_the_service_behind_our_server() {
                scenario::its_client_reaches_the_service_behind_our_server::<$peer>($version);
            }

            #[test]
            fn our_client_gets_a_page_from_its_server() {
                scenario::our_client_gets_a_page_from_its_server::<$peer>($version);
            }

            #[test]
            fn our_client_tunnels_to_its_server() {
                scenario::our_client_tunnels_to_its_server::<$peer>($version);
            }
        }
    };
}

pub fn its_client_is_answered_ok<P: Peer>(version: Version) {
    let server = ours::Server::start(version, &[]);
    let client = P::connect(server.address(), version, Credentials::RIGHT);
    exchange::is_answered_ok(client);
    server.drain();
}

pub fn its_client_reaches_the_service_behind_our_server<P: Peer>(version: Version) {
    let mut server = None;
    exchange::reaches_a_service(P::HALF_CLOSE, |service| {
        let server = server.insert(ours::Server::start(
            version,
            &[&format!("--forward={service}")],
        ));
        P::connect(server.address(), version, Credentials::RIGHT)
    });
}

pub fn our_client_gets_a_page_from_its_server<P: Peer>(version: Version) {
    let server = P::serve_http(version, Credentials::RIGHT);
    let client = ours::client(version, server.address, &["--get=/"]);
    exchange::gets_a_page(client, P::PAGE);
}

pub fn our_client_tunnels_to_its_server<P: Peer>(version: Version) {
    let server = P::serve(version, Credentials::RIGHT);
    let tunnel = ours::tunnel(version, server.address);
    exchange::tunnels(tunnel, &server, P::answer);
}
