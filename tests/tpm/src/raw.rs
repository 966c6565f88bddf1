//! Commands to a TPM as raw bytes ([TPM 2.0 Library, Part 3: Commands]): what none of the libraries under test has a part in.
//!
//! [TPM 2.0 Library, Part 3: Commands]: https://trustedcomputinggroup.org/resource/tpm-library-specification/

use mcbn_tests_support::swtpm::Swtpm;

/// Codes of commands.
pub const CREATE: u32 = 0x153;
pub const HMAC: u32 = 0x155;
pub const FLUSH_CONTEXT: u32 = 0x165;
pub const GET_CAPABILITY: u32 = 0x17a;

const NO_SESSIONS: [u8; 2] = [0x80, 0x01];
const CAP_HANDLES: u32 = 1;

/// First handles of a kind, as `TPM2_GetCapability` takes them.
const LOADED_SESSIONS: u32 = 0x0200_0000;
const SAVED_SESSIONS: u32 = 0x0300_0000;
const TRANSIENT: u32 = 0x8000_0000;

/// The handles of all that takes room in the TPM: loaded sessions, then objects.
pub fn loaded(tpm: &Swtpm) -> Vec<u32> {
    [handles(tpm, LOADED_SESSIONS), handles(tpm, TRANSIENT)].concat()
}

/// Sessions whose contexts somebody keeps elsewhere.
pub fn saved_sessions(tpm: &Swtpm) -> Vec<u32> {
    handles(tpm, SAVED_SESSIONS)
}

/// Makes room.
pub fn flush_objects(tpm: &Swtpm) {
    for handle in handles(tpm, TRANSIENT) {
        ask(tpm, FLUSH_CONTEXT, &[handle]);
    }
}

fn handles(tpm: &Swtpm, first: u32) -> Vec<u32> {
    let answer = ask(tpm, GET_CAPABILITY, &[CAP_HANDLES, first, 64]);
    // > moreData(1) capability(4) count(4) handle(4)...
    let (head, list) = answer.split_at(9);
    assert_eq!(head[0], 0, "there are no more than were asked for");
    let (list, rest) = list.as_chunks();
    assert!(rest.is_empty(), "{answer:02x?}");
    list.iter().copied().map(u32::from_be_bytes).collect()
}

/// A command without sessions, and the parameters of its answer.
#[track_caller]
fn ask(tpm: &Swtpm, code: u32, parameters: &[u32]) -> Vec<u8> {
    let words = [code].into_iter().chain(parameters.iter().copied());
    let body: Vec<u8> = words.flat_map(u32::to_be_bytes).collect();
    let size = u32::try_from(body.len() + 6).expect("a few words");
    let command = [&NO_SESSIONS[..], &size.to_be_bytes(), &body].concat();
    let answer = tpm.execute(&command).expect("the TPM answers");
    // > tag(2) responseSize(4) responseCode(4)
    assert_eq!(answer[6..10], [0; 4], "{code:#x}: {answer:02x?}");
    answer[10..].to_vec()
}
