//! Session keys are written nowhere, except by a build that is made for it.

mod support;

/// Not as one constant, which this program would then contain itself.
fn variable() -> String {
    ["LOG", "FILE"]
        .iter()
        .fold("SSLKEY".to_owned(), |name, part| name + part)
}

#[cfg(not(feature = "keylog"))]
#[tokio::test]
async fn a_program_does_not_even_know_the_name_of_the_variable() {
    use mcbn_psk::Versions;

    // So that all of it is linked.
    support::connected(Versions::Tls13, Versions::Tls13).await;
    let program = std::fs::read(std::env::current_exe().unwrap()).unwrap();
    let name = variable().into_bytes();
    assert!(!program.windows(name.len()).any(|window| window == name));
    // The search would find it.
    let here = b"So that the search is shown to find something";
    let shown = std::hint::black_box(here);
    assert!(program.windows(shown.len()).any(|window| window == shown));
}

#[cfg(feature = "keylog")]
#[test]
fn a_build_for_debugging_writes_them() {
    use std::process::Command;

    const INNER: &str = "MCBN_KEYLOG_TEST_INNER";
    if std::env::var_os(INNER).is_some() {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let versions = mcbn_psk::Versions::Tls13;
        drop(runtime.block_on(support::connected(versions, versions)));
        return;
    }
    let file = std::env::temp_dir().join(format!("mcbn-keylog-{}", std::process::id()));
    let status = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "a_build_for_debugging_writes_them"])
        .env(INNER, "1")
        .env(variable(), &file)
        .status()
        .unwrap();
    let written = std::fs::read_to_string(&file);
    let _ = std::fs::remove_file(&file);
    assert!(status.success());
    assert!(written.unwrap().contains("CLIENT_TRAFFIC_SECRET_0 "));
}
