//! `tpm-psk key create` and `tpm-psk key import`.

use std::path::PathBuf;

use mcbn_consent::settings as shares;
use mcbn_place::{Inheritance, write_new};
use mcbn_psk::Identity;
use mcbn_psk::settings::IDENTITY;
use mcbn_runtime::admin::Admin;
use mcbn_runtime::process;
use mcbn_runtime::settings::{Given, Program, Reported, Setting};
use mcbn_runtime::suite::Command;
use mcbn_runtime::units::Period;
use mcbn_tpm::{KeyFile, Order, Parent, Pcrs, Tcti};
use mcbn_tunnel::settings::{DNS_SERVER, dns_server};
use std::net::SocketAddr;
use std::time::Duration;

use super::BESIDE;
use crate::error::Error;
use crate::key::{Auths, KEY_AUTH, Outside, PARENT_AUTH, SECRET, TCTI, TPM_TIMEOUT};

pub const CREATE: Command = Command {
    program: &CREATE_PROGRAM,
    main: || process::once(&CREATE_PROGRAM, Making::read, create),
};

pub const IMPORT: Command = Command {
    program: &IMPORT_PROGRAM,
    main: || process::once(&IMPORT_PROGRAM, Import::read, import),
};

static CREATE_PROGRAM: Program = Program::tool(
    "tpm-psk",
    env!("CARGO_PKG_VERSION"),
    "Has the TPM make up a permanent key that nobody ever sees, and writes the file with which this TPM, and no other, can \
     use it. Both ends of a connection must then use this TPM: where they cannot, key import brings one key to each.",
    &[OUT, PARENT, PARENT_AUTH, KEY_AUTH, PCRS, TCTI, TPM_TIMEOUT],
)
.under("key create", BESIDE);

static IMPORT_PROGRAM: Program = Program::tool(
    "tpm-psk",
    env!("CARGO_PKG_VERSION"),
    "Brings a permanent key that the other end has as well into this TPM, from a file or made of the participants' shares, \
     and writes the file with which this TPM, and no other, can use it. What the key came from stays where it is.",
    &[
        OUT,
        SECRET,
        shares::SHARE,
        shares::MANIFEST,
        shares::DERIVATION,
        shares::THRESHOLD,
        shares::MANIFEST_DIGEST,
        shares::CONSENT_TIMEOUT,
        shares::TOKEN_SOCKET,
        IDENTITY,
        PARENT,
        PARENT_AUTH,
        KEY_AUTH,
        PCRS,
        TCTI,
        TPM_TIMEOUT,
        DNS_SERVER,
    ],
)
.under("key import", BESIDE);

/// Those that no other program here has.
pub const ROWS: &[Setting] = &[OUT, PARENT, PCRS];

const OUT: Setting = Setting::value(
    "out",
    "PATH",
    "the new key's file, which gets mode 0600; one that is there is never overwritten",
)
.required();

const PARENT: Setting = Setting::value(
    "parent",
    "owner|endorsement|platform|null|0x81NNNNNN",
    "which key of the TPM encrypts the new one in its file: the primary key that a hierarchy makes of the standard P-256 \
     template (what hangs on null is gone after a reset), or the persistent one with this handle",
)
.default("owner");

const PCRS: Setting = Setting::value(
    "pcrs",
    "sha256:N,...",
    "seal the key: it can be used only while these registers, such as sha256:0,7, are as they are now",
);

/// What both commands ask of the new key.
struct Making {
    out: PathBuf,
    parent: Parent,
    pcrs: Option<Pcrs>,
    auths: Auths,
    tcti: Tcti,
    limit: Duration,
}

impl Making {
    fn read(given: &mut Given) -> Result<Self, Reported> {
        Self::with(given, &mut Inheritance::new())
    }

    fn with(given: &mut Given, inheritance: &mut Inheritance) -> Result<Self, Reported> {
        let auths = Auths::read(given, inheritance);
        let out = given.one(&OUT);
        let parent = given.one(&PARENT);
        let pcrs = given.optional(&PCRS);
        let tcti = given.one(&TCTI);
        let limit = given.one::<Period>(&TPM_TIMEOUT).map(Period::get);
        Ok(Self {
            out: out?,
            parent: parent?,
            pcrs: pcrs?,
            auths: auths?,
            tcti: tcti?,
            limit: limit?,
        })
    }

    fn make(
        self,
        make: impl FnOnce(&Order) -> Result<KeyFile, mcbn_tpm::Error>,
    ) -> Result<(), Error> {
        let (key_auth, parent_auth) = self.auths.values()?;
        let order = Order {
            tcti: self.tcti,
            parent: self.parent,
            parent_auth,
            key_auth,
            pcrs: self.pcrs,
            limit: self.limit,
        };
        let file = make(&order).map_err(Error::NotMade)?;
        write_new(&self.out, file.to_pem().as_bytes()).map_err(Error::NotWritten)
    }
}

fn create(making: Making) -> Result<(), Error> {
    making.make(Order::create)
}

struct Import {
    making: Making,
    outside: Outside,
    identity: Identity,
    dns_server: Option<SocketAddr>,
}

impl Import {
    fn read(given: &mut Given) -> Result<Self, Reported> {
        let mut inheritance = Inheritance::new();
        let outside = Outside::read(given, &mut inheritance, &[]);
        let making = Making::with(given, &mut inheritance);
        let identity = given.one(&IDENTITY);
        let dns_server = dns_server(given);
        Ok(Self {
            making: making?,
            outside: outside?,
            identity: identity?,
            dns_server: dns_server?,
        })
    }
}

fn import(import: Import) -> Result<(), Error> {
    let Import {
        making,
        outside,
        identity,
        dns_server,
    } = import;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Error::Runtime)?;
    // Nobody looks at it: a tool has no admin port.
    let admin = Admin::new(&IMPORT_PROGRAM);
    let (key, _consent) = runtime.block_on(outside.gather(&identity, dns_server, &admin))?;
    making.make(|order| order.import(&key))
}
