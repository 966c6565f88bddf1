//! Deterministic RSA keys and what others make of them: GnuTLS verifies and makes the provable ones, OpenSSL and Java read
//! what is exported.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use mcbn_detrsa::export::{self, Passphrase};
use mcbn_detrsa::{Algorithm, RsaKey, Seed, Size, generate};
use mcbn_tests_support::folder::Folder;
use mcbn_tests_support::peer::peer;

const PASSPHRASE: &str = "correct horse";

/// 32 bytes, and in hex.
fn seed(number: u8) -> (Seed, String) {
    let bytes: [u8; 32] = std::array::from_fn(|i| (7 * i as u8) ^ number);
    let hex = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    (Seed::copied_from(&bytes), hex)
}

fn pem_file(folder: &Folder, key: &RsaKey) -> PathBuf {
    let exported = export::pem(key).unwrap();
    // GnuTLS and OpenSSL are to read it.
    folder.file("key.pem", exported.expose_secret())
}

#[track_caller]
fn run(command: &mut Command) -> Output {
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {said}");
    output
}

/// DER of the public key of a private key in PEM.
fn public_key(private: &Path) -> Vec<u8> {
    let mut openssl = peer("openssl");
    openssl
        .args(["pkey", "-pubout", "-outform", "DER", "-in"])
        .arg(private);
    run(&mut openssl).stdout
}

fn certtool_verifies(key: &Path, seed: &str) -> Command {
    let mut certtool = peer("certtool");
    certtool
        .args([
            "--verify-provable-privkey",
            "--seed",
            seed,
            "--load-privkey",
        ])
        .arg(key);
    certtool
}

#[test]
fn gnutls_verifies_provable_keys() {
    for (number, size) in [
        (1, Size::Bits2048),
        (2, Size::Bits2048),
        (3, Size::Bits3072),
        (4, Size::Bits4096),
    ] {
        let folder = Folder::new();
        let (seed, hex) = seed(number);
        let key = generate(Algorithm::ProvableFips186, size, &seed).unwrap();
        run(&mut certtool_verifies(&pem_file(&folder, &key), &hex));
    }
}

#[test]
fn gnutls_verifies_no_other_key() {
    let (seed_1, hex_1) = seed(1);
    let (_, hex_2) = seed(2);
    for (algorithm, hex) in [
        (Algorithm::ProvableFips186, &hex_2),
        (Algorithm::ChaCha20V1, &hex_1),
    ] {
        let folder = Folder::new();
        let key = generate(algorithm, Size::Bits2048, &seed_1).unwrap();
        let refused = certtool_verifies(&pem_file(&folder, &key), hex)
            .output()
            .unwrap();
        assert!(!refused.status.success(), "{algorithm}");
    }
}

#[test]
fn gnutls_makes_the_same_provable_keys() {
    for (number, size) in [
        (5, Size::Bits2048),
        (6, Size::Bits3072),
        (7, Size::Bits4096),
    ] {
        let folder = Folder::new();
        let (seed, hex) = seed(number);
        let made = folder.path().join("made.pem");
        let mut certtool = peer("certtool");
        certtool
            .args(["--generate-privkey", "--key-type=rsa", "--provable"])
            .args([format!("--bits={size}"), format!("--seed={hex}")])
            .arg("--outfile")
            .arg(&made);
        run(&mut certtool);
        let key = generate(Algorithm::ProvableFips186, size, &seed).unwrap();
        assert!(public_key(&made) == key.spki_der(), "{size}");
    }
}

#[test]
fn openssl_finds_every_key_sound() {
    for algorithm in Algorithm::ALL {
        for size in Size::ALL {
            let folder = Folder::new();
            let key = generate(algorithm, size, &seed(8).0).unwrap();
            let path = pem_file(&folder, &key);
            let mut openssl = peer("openssl");
            openssl.args(["pkey", "-check", "-noout", "-in"]).arg(&path);
            run(&mut openssl);
            assert!(public_key(&path) == key.spki_der(), "{algorithm} {size}");
        }
    }
}

/// A key, and a PKCS#12 file of it, of a certificate that OpenSSL made for it, and of a passphrase that stands in a file.
struct Pkcs12 {
    folder: Folder,
    key: RsaKey,
    file: PathBuf,
    passphrase: PathBuf,
}

impl Pkcs12 {
    fn new() -> Pkcs12 {
        let folder = Folder::new();
        let key = generate(Algorithm::ChaCha20V1, Size::Bits2048, &seed(9).0).unwrap();
        let mut openssl = peer("openssl");
        openssl
            .args([
                "req",
                "-x509",
                "-subj",
                "/CN=example",
                "-config",
                "/dev/null",
            ])
            .args(["-outform", "DER", "-key"])
            .arg(pem_file(&folder, &key));
        let certificate = run(&mut openssl).stdout;
        let passphrase = folder.file("passphrase", format!("{PASSPHRASE}\n"));
        let read = Passphrase::read(File::open(&passphrase).unwrap()).unwrap();
        let exported = export::pkcs12(&key, &certificate, "mcbn", &read).unwrap();
        // OpenSSL and Java are to read it.
        let file = folder.file("key.p12", exported.expose_secret());
        Pkcs12 {
            folder,
            key,
            file,
            passphrase,
        }
    }
}

#[test]
fn openssl_reads_pkcs12() {
    let pkcs12 = Pkcs12::new();
    let read = pkcs12.folder.path().join("read.pem");
    let mut openssl = peer("openssl");
    openssl.args(["pkcs12", "-noenc", "-in"]).arg(&pkcs12.file);
    openssl
        .arg("-passin")
        .arg(format!("file:{}", pkcs12.passphrase.display()));
    openssl.arg("-out").arg(&read);
    run(&mut openssl);
    assert!(public_key(&read) == pkcs12.key.spki_der());
}

/// Java is not always on the PATH.
fn keytool() -> Command {
    let homes = std::fs::read_dir("/usr/lib/jvm")
        .into_iter()
        .flatten()
        .flatten();
    let mut found = homes.map(|home| home.path().join("bin/keytool"));
    match found.find(|keytool| keytool.is_file()) {
        Some(keytool) => {
            let mut command = Command::new(keytool);
            command.env_clear();
            command
        }
        None => peer("keytool"),
    }
}

#[test]
fn java_reads_pkcs12() {
    let pkcs12 = Pkcs12::new();
    let read = pkcs12.folder.path().join("read.p12");
    let mut import = keytool();
    // Takes the key out, which needs it decrypted, and puts it into a keystore of Java's own making.
    import.args([
        "-importkeystore",
        "-noprompt",
        "-srcstoretype",
        "PKCS12",
        "-srckeystore",
    ]);
    import
        .arg(&pkcs12.file)
        .arg("-srcstorepass:file")
        .arg(&pkcs12.passphrase);
    import
        .args(["-deststoretype", "PKCS12", "-destkeystore"])
        .arg(&read);
    import.arg("-deststorepass:file").arg(&pkcs12.passphrase);
    run(&mut import);

    let mut list = keytool();
    list.args(["-list", "-keystore"])
        .arg(&read)
        .arg("-storepass:file")
        .arg(&pkcs12.passphrase);
    let listed = String::from_utf8(run(&mut list).stdout).unwrap();
    assert!(
        listed.contains("mcbn, ") && listed.contains("PrivateKeyEntry"),
        "{listed}"
    );
}
