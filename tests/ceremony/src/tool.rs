//! Participants as they are with `mcbn threshold`: each has a folder with a key that the tool itself has made.

use std::path::Path;
use std::process::Command;

use mcbn_share::text;
use mcbn_tests_support::confidential_space::Image;
use mcbn_tests_support::folder::Folder;
use mcbn_tests_support::process::{Ended, Process};
use mcbn_tests_support::workload::mcbn;
use rcgen::KeyPair;

use crate::{GENERATE, House, Key, NAMES, Person, SIGN};

pub fn done(command: Command) -> Ended {
    let ended = Process::start(command).end();
    ended.expect_code(0);
    ended
}

impl House {
    /// Each has the file `key` in the folder of its name.
    pub fn to_generate_by_tool() -> Self {
        let folder = Folder::new();
        let people = people(&folder);
        let digest = Image::named(GENERATE).digest;
        Self::of(people, 2, GENERATE, digest, "", folder)
    }

    /// Each has its share of the key in the file `share`, too, as the tool leaves it; what may be done with it, the
    /// manifest's derivation says.
    pub fn to_sign_by_tool(derivation: &str) -> (Self, Key) {
        let folder = Folder::new();
        let people = people(&folder);
        let key = Key::dealt();
        let lines = key.lines(derivation);
        let house = Self::of(people, 2, SIGN, Image::named(SIGN).digest, &lines, folder);
        for (name, share) in NAMES.iter().zip(&key.shares) {
            let text = text::signing_share_hex(&share.secret());
            let line = format!("{}\n", *text);
            house.folder.file(&format!("{name}/share"), line);
        }
        (house, key)
    }
}

fn people(folder: &Folder) -> Vec<Person> {
    let people = NAMES.into_iter().zip(1..).take(3).map(|(name, number)| {
        let own = folder.path().join(name);
        std::fs::create_dir(&own).expect("a new folder");
        let printed = make_key(&own.join("key"));
        let pem = std::fs::read_to_string(own.join("key")).expect("it was made");
        let key = KeyPair::from_pem(&pem).expect("a key");
        let person = Person::with(name, number, &key);
        let public = mcbn_manifest::SigningKey(person.signing_key().public().to_bytes());
        assert_eq!(printed, public.to_string());
        person
    });
    people.collect()
}

/// Gives its public half.
fn make_key(path: &Path) -> String {
    let mut command = mcbn();
    command.args(["threshold", "key", "--out"]).arg(path);
    done(command).stdout().trim().to_owned()
}
