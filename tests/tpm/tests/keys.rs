//! Permanent keys: the published answers, what tpm2-tools made and what they take, parents, authorization values, PCRs.

use mcbn_psk::Randoms;
use mcbn_tests_support::session_keys::{self, KEY, published};
use mcbn_tests_support::swtpm::Swtpm;
use mcbn_tests_tpm::host::{Host, STANDARD};
use mcbn_tests_tpm::ours::{
    auth, config, hmac, hmac_in_tpm, imported, load, message, order, persistent_parent,
    published_key, refused, session_key,
};
use mcbn_tests_tpm::pem::parts;
use mcbn_tests_tpm::raw;
use mcbn_tests_tpm::shared::over_tcp;
use mcbn_tpm::key::Hierarchy;
use mcbn_tpm::{Error, KeyConfig, KeyInMemory, KeyInTpm, Metrics, Order, Parent};

/// The published permanent key, as it is used with this configuration, gives what it gives everywhere.
#[track_caller]
fn is_the_published_one(config: &KeyConfig) {
    gives(config, |data| hmac(KEY, data));
}

#[track_caller]
fn gives(config: &KeyConfig, expected: impl Fn(&[u8]) -> [u8; 32]) {
    let mut key = load(config);
    for number in 0..2 {
        let message = message(number);
        assert_eq!(
            hmac_in_tpm(&mut key, &message),
            expected(message.as_bytes())
        );
    }
}

/// As tpm2-tools compute it.
#[track_caller]
fn gives_what_tools_give(host: &Host, config: &KeyConfig, flags: &str) {
    let message = message(1);
    let made = hmac_in_tpm(&mut load(config), &message);
    assert_eq!(host.tools_hmac(flags, message.as_bytes()), made);
}

fn randoms(published: &session_keys::Published) -> Randoms {
    Randoms {
        client: published.client_random,
        server: published.server_random,
    }
}

#[test]
fn the_published_answers_are_made_in_memory() {
    for published in published() {
        let layout = published.layout.parse().unwrap();
        let key = KeyInMemory::new(published_key(), layout);
        let made = session_key(&key, &randoms(&published), None);
        assert_eq!(made, Ok(published.key), "{published:?}");
    }
}

#[test]
fn the_published_answers_are_made_in_a_tpm() {
    let tpm = Swtpm::start();
    let file = imported(&order(&tpm));
    for published in published() {
        let layout = published.layout.parse().unwrap();
        let config = config(&tpm, &file);
        let key = KeyInTpm::open(config, layout, 1, Metrics::default(), |_| ()).unwrap();
        let made = session_key(&key, &randoms(&published), None);
        assert_eq!(made, Ok(published.key), "{published:?}");
    }
}

#[test]
fn a_key_that_the_tpm_draws_is_another_each_time() {
    let tpm = Swtpm::start();
    let keys = [(); 2].map(|()| order(&tpm).create().unwrap());
    let [one, other] = keys.map(|file| hmac_in_tpm(&mut load(&config(&tpm, &file)), &message(1)));
    assert_ne!(one, other);
}

#[test]
fn a_tpm_is_reached_over_tcp() {
    let tpm = Swtpm::start();
    let file = imported(&Order {
        tcti: over_tcp(&tpm),
        ..order(&tpm)
    });
    is_the_published_one(&KeyConfig {
        tcti: over_tcp(&tpm),
        ..config(&tpm, &file)
    });
}

// What tpm2-tools make.

#[test]
fn keys_of_tpm2_create_and_tpm2_encodeobject_load() {
    // The second is what tpm2_createprimary makes unless told otherwise.
    for attributes in [format!(" -a {STANDARD}"), String::new()] {
        let host = Host::new();
        host.tool(&format!("createprimary -C o -G ecc -c parent{attributes}"));
        host.tool("create -C parent -G hmac -u public -r private");
        host.tool("encodeobject -C parent -u public -r private -o key.pem");
        host.tool("load -C parent -u public -r private -c key");
        let config = config(&host.tpm, &host.key("key.pem"));
        gives_what_tools_give(&host, &config, "-c key");
    }
}

#[test]
fn a_key_with_an_authorization_value_by_tpm2_tools_loads() {
    let host = Host::new();
    host.tool("createprimary -C o -G ecc -c parent");
    host.tool("create -C parent -G hmac -p opensesame -u public -r private");
    host.tool("load -C parent -u public -r private -c key");
    // Whether -p is given changes what the file says of it, and nothing else.
    for (flag, name) in [("", "without.pem"), (" -p", "with.pem")] {
        host.tool(&format!(
            "encodeobject -C parent -u public -r private -o {name}{flag}"
        ));
        let config = KeyConfig {
            key_auth: auth("opensesame"),
            ..config(&host.tpm, &host.key(name))
        };
        gives_what_tools_give(&host, &config, "-c key -p opensesame");
    }
    let said = ["without.pem", "with.pem"].map(|name| host.key(name).empty_auth);
    assert_ne!(said[0], said[1], "-p says something");
}

#[test]
fn a_key_that_tpm2_import_brought_loads() {
    let host = Host::new();
    host.folder.file("secret", KEY);
    host.tool("createprimary -C o -G ecc -c parent");
    host.tool("import -C parent -G hmac -i secret -u public -r private");
    host.tool("encodeobject -C parent -u public -r private -o key.pem");
    is_the_published_one(&config(&host.tpm, &host.key("key.pem")));
}

// What tpm2-tools take.

#[test]
fn keys_of_ours_load_in_tpm2_tools() {
    let host = Host::new();
    let order = order(&host.tpm);
    for file in [order.create().unwrap(), imported(&order)] {
        let pem = file.to_pem();
        let _ = std::fs::remove_file(host.path("ours.pem"));
        host.folder.file("ours.pem", &pem);
        // They make the parent themselves.
        host.tool("load -r ours.pem -c key");
        gives_what_tools_give(&host, &config(&host.tpm, &file), "-c key");
    }
}

#[test]
fn the_parts_of_a_key_of_ours_load_under_the_standard_primary_key() {
    let host = Host::new();
    host.says("key create --out ours.pem");
    let [public, private] = parts(&host.read("ours.pem"));
    host.folder.file("public", public);
    host.folder.file("private", private);
    host.tool(&format!(
        "createprimary -C o -G ecc -a {STANDARD} -c parent"
    ));
    host.tool("load -C parent -u public -r private -c key");
    let config = config(&host.tpm, &host.key("ours.pem"));
    gives_what_tools_give(&host, &config, "-c key");
}

// Parents.

#[test]
fn every_hierarchy_is_a_parent() {
    let tpm = Swtpm::start();
    for hierarchy in [
        Hierarchy::Owner,
        Hierarchy::Endorsement,
        Hierarchy::Platform,
        Hierarchy::Null,
    ] {
        let file = imported(&Order {
            parent: Parent::Primary(hierarchy),
            ..order(&tpm)
        });
        assert_eq!(file.parent, Parent::Primary(hierarchy));
        is_the_published_one(&config(&tpm, &file));
    }
}

#[test]
fn a_key_under_the_null_hierarchy_is_gone_with_the_next_reset() {
    let mut tpm = Swtpm::start();
    let [null, owner] = [Hierarchy::Null, Hierarchy::Owner].map(|hierarchy| {
        imported(&Order {
            parent: Parent::Primary(hierarchy),
            ..order(&tpm)
        })
    });
    tpm.kill();
    tpm.start_again();
    let refused = refused(&config(&tpm, &null));
    assert!(matches!(refused, Error::AnotherTpms), "{refused:?}");
    is_the_published_one(&config(&tpm, &owner));
}

#[test]
fn a_persistent_key_is_a_key() {
    let mut host = Host::new();
    host.folder
        .file("ours.pem", imported(&order(&host.tpm)).to_pem());
    host.tool("load -r ours.pem -c key");
    host.tool("evictcontrol -C o -c key 0x81000001");
    is_the_published_one(&config(&host.tpm, 0x8100_0001));
    host.tpm.kill();
    host.tpm.start_again();
    is_the_published_one(&config(&host.tpm, 0x8100_0001));
}

#[test]
fn a_persistent_key_is_a_parent() {
    for algorithm in ["ecc", "rsa"] {
        let host = Host::new();
        host.tool(&format!("createprimary -C o -G {algorithm} -c parent"));
        host.tool("evictcontrol -C o -c parent 0x81000002");
        let file = imported(&Order {
            parent: persistent_parent(0x8100_0002),
            ..order(&host.tpm)
        });
        assert_eq!(file.parent, persistent_parent(0x8100_0002));
        is_the_published_one(&config(&host.tpm, &file));
        // And one that tpm2-tools have put under it.
        host.folder.file("secret", KEY);
        host.tool("import -C 0x81000002 -G hmac -i secret -u public -r private");
        host.tool("encodeobject -C 0x81000002 -u public -r private -o theirs.pem");
        let theirs = host.key("theirs.pem");
        assert_eq!(theirs.parent, persistent_parent(0x8100_0002));
        is_the_published_one(&config(&host.tpm, &theirs));
    }
}

// Authorization values.

#[test]
fn an_owner_with_an_authorization_value_is_a_parent() {
    let host = Host::new();
    host.tool("changeauth -c o ownerword");
    let file = imported(&Order {
        parent_auth: auth("ownerword"),
        ..order(&host.tpm)
    });
    is_the_published_one(&KeyConfig {
        parent_auth: auth("ownerword"),
        ..config(&host.tpm, &file)
    });
}

#[test]
fn a_persistent_parent_with_an_authorization_value_is_a_parent() {
    let host = Host::new();
    host.tool("createprimary -C o -G ecc -p parentword -c parent");
    host.tool("evictcontrol -C o -c parent 0x81000002");
    let file = imported(&Order {
        parent: persistent_parent(0x8100_0002),
        parent_auth: auth("parentword"),
        ..order(&host.tpm)
    });
    is_the_published_one(&KeyConfig {
        parent_auth: auth("parentword"),
        ..config(&host.tpm, &file)
    });
}

#[test]
fn a_key_has_an_authorization_value() {
    // As long as may be, too.
    for word in ["opensesame", "0123456789abcdef0123456789abcdef"] {
        let host = Host::new();
        let file = imported(&Order {
            key_auth: auth(word),
            ..order(&host.tpm)
        });
        is_the_published_one(&KeyConfig {
            key_auth: auth(word),
            ..config(&host.tpm, &file)
        });
        host.folder.file("ours.pem", file.to_pem());
        host.tool("load -r ours.pem -c key");
        host.tool("evictcontrol -C o -c key 0x81000001");
        is_the_published_one(&KeyConfig {
            key_auth: auth(word),
            ..config(&host.tpm, 0x8100_0001)
        });
    }
}

// PCRs.

/// Sealed to two registers, one of which programs can reset.
fn sealed(tpm: &Swtpm) -> Order {
    Order {
        pcrs: Some("sha256:0,16".parse().unwrap()),
        ..order(tpm)
    }
}

const EXTEND: &str =
    "pcrextend 16:sha256=000000000000000000000000000000000000000000000000000000000000abcd";

#[test]
fn a_sealed_key_works_while_its_pcrs_are_the_same() {
    let mut host = Host::new();
    // Not all zeros.
    host.tool(&EXTEND.replacen("16", "0", 1));
    let file = imported(&sealed(&host.tpm));
    is_the_published_one(&config(&host.tpm, &file));
    host.tool(EXTEND);
    let refused = refused(&config(&host.tpm, &file));
    assert!(matches!(refused, Error::OtherPcrs), "{refused:?}");
    host.tpm.kill();
    host.tpm.start_again();
    host.tool(&EXTEND.replacen("16", "0", 1));
    is_the_published_one(&config(&host.tpm, &file));
}

#[test]
fn registers_that_a_key_is_not_sealed_to_do_not_matter() {
    let host = Host::new();
    let file = imported(&sealed(&host.tpm));
    host.tool(&EXTEND.replacen("16", "7", 1));
    is_the_published_one(&config(&host.tpm, &file));
}

#[test]
fn a_sealed_key_may_have_an_authorization_value_too() {
    let host = Host::new();
    let file = imported(&Order {
        key_auth: auth("opensesame"),
        ..sealed(&host.tpm)
    });
    let config = KeyConfig {
        key_auth: auth("opensesame"),
        ..config(&host.tpm, &file)
    };
    is_the_published_one(&config);
    host.tool(EXTEND);
    let refused = refused(&config);
    assert!(matches!(refused, Error::OtherPcrs), "{refused:?}");
}

#[test]
fn a_sealed_key_cannot_be_used_without_its_policy() {
    let host = Host::new();
    host.folder
        .file("ours.pem", imported(&sealed(&host.tpm)).to_pem());
    let parts = parts(&host.read("ours.pem"));
    host.folder.file("public", &parts[0]);
    host.folder.file("private", &parts[1]);
    host.tool(&format!(
        "createprimary -C o -G ecc -a {STANDARD} -c parent"
    ));
    host.tool("load -C parent -u public -r private -c key");
    host.folder.file("data", "data");
    let ended = host.tool_by(&host.tpm.tcti(), "hmac -c key data");
    assert_ne!(ended.code, Some(0), "{ended}");
    raw::flush_objects(&host.tpm);
}
