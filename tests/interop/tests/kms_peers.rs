//! kms-mtls and TLS stacks of others, in both roles, with keys of each kind.

use mcbn_tests_interop::kms::Kms;
use mcbn_tests_support::google_cloud::Algorithm;

fn p256() -> Kms {
    Kms::tls13(Algorithm::EcP256Sha256)
}

fn pss() -> Kms {
    Kms::tls13(Algorithm::RsaPss2048Sha256)
}

fn pkcs1() -> Kms {
    Kms::tls12(Algorithm::RsaPkcs1_2048Sha256)
}

mod openssl {
    use mcbn_tests_interop::kms;
    use mcbn_tests_interop::mtls::Ours;
    use mcbn_tests_interop::openssl::OpenSsl;

    mod p256 {
        mcbn_tests_interop::kms_scenarios!(super::OpenSsl, crate::p256());
    }

    mod pss {
        mcbn_tests_interop::kms_scenarios!(super::OpenSsl, crate::pss());
    }

    mod pkcs1_over_tls12 {
        mcbn_tests_interop::kms_scenarios!(super::OpenSsl, crate::pkcs1());
    }

    #[test]
    fn our_client_resumes_at_its_server() {
        kms::our_client_resumes_at_its_server::<OpenSsl>(&crate::p256());
    }

    #[test]
    fn its_client_resumes_without_a_signature() {
        let kms = crate::p256();
        let server = kms.checking_server(&[]);
        let before = kms.scene.signatures();
        let first = kms::s_client_says(&kms, &server, &["-sess_out", "session.pem"]);
        assert!(first.contains("New, TLSv1.3"), "{first}");
        assert_eq!(kms.scene.signatures() - before, 1);
        let second = kms::s_client_says(&kms, &server, &["-sess_in", "session.pem"]);
        assert!(second.contains("Reused, TLSv1.3"), "{second}");
        assert_eq!(kms.scene.signatures() - before, 1);
    }
}

mod node {
    use mcbn_tests_interop::kms;
    use mcbn_tests_interop::node::Node;

    mod p256 {
        mcbn_tests_interop::kms_scenarios!(super::Node, crate::p256());
    }

    mod pss {
        mcbn_tests_interop::kms_scenarios!(super::Node, crate::pss());
    }

    #[test]
    fn our_client_resumes_at_its_server() {
        kms::our_client_resumes_at_its_server::<Node>(&crate::pss());
    }
}

mod curl {
    use mcbn_tests_interop::curl::{curl, curl_certified};
    use mcbn_tests_interop::kms::Kms;
    use mcbn_tests_interop::mtls::Ours;
    use mcbn_tests_support::plain::Plain;
    use mcbn_tests_support::process::Process;

    fn is_answered_ok(kms: &Kms) {
        let server = kms.checking_server(&[]);
        let ended = Process::start(curl_certified(kms.folder(), server.address())).end();
        ended.expect_code(0);
        assert_eq!(ended.stdout(), "ok\n");
        server.drain();
    }

    #[test]
    fn it_is_answered_ok_with_an_ec_key() {
        is_answered_ok(&crate::p256());
    }

    #[test]
    fn it_is_answered_ok_with_an_rsa_key() {
        is_answered_ok(&crate::pss());
    }

    #[test]
    fn it_is_refused_without_a_certificate() {
        let service = Plain::http();
        let kms = crate::p256();
        let server = kms.checking_server(&[&format!("--forward={}", service.address())]);
        let ended = Process::start(curl(kms.folder(), server.address())).end();
        assert_ne!(ended.code, Some(0), "{ended}");
        assert_eq!(ended.stdout(), "");
        assert_eq!(server.refusal(), "no_certificate");
        assert_eq!(service.connections(), 0);
    }

    #[test]
    fn it_is_refused_with_a_certificate_of_another_ca() {
        let service = Plain::http();
        let kms = crate::p256();
        let server = kms.checking_server(&[&format!("--forward={}", service.address())]);
        let stranger = kms.stranger();
        let ended = Process::start(curl_certified(stranger.path(), server.address())).end();
        assert_ne!(ended.code, Some(0), "{ended}");
        assert_eq!(ended.stdout(), "");
        assert_eq!(server.refusal(), "chain");
        assert_eq!(service.connections(), 0);
    }
}
