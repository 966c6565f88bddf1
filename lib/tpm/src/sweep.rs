//! What users before have left in a TPM that has no resource manager.
//!
//! A program that was killed could not flush its key and its session, and a TPM has room for three of each. Who connects
//! to such a TPM has it alone, so that whatever is loaded now belongs to nobody. tpm2-tools keep what they still need
//! in files of their own (saved contexts), and those stay good.

use std::io;
use std::time::Duration;

use crate::transport::Transport;

/// > tag(2) commandSize(4) commandCode(4)
const NO_SESSIONS: [u8; 2] = [0x80, 0x01];
const GET_CAPABILITY: u32 = 0x17a;
const FLUSH_CONTEXT: u32 = 0x165;
const CAP_HANDLES: u32 = 1;

/// The first handle of each kind that takes room: loaded HMAC sessions, loaded policy sessions, transient objects.
const KINDS: [u32; 3] = [0x0200_0000, 0x0300_0000, 0x8000_0000];

/// More than any TPM has room for.
const MOST: u32 = 64;

/// Flushes all of it, and gives how much it was.
pub(crate) fn sweep(transport: &mut dyn Transport, limit: Duration) -> io::Result<usize> {
    let mut flushed = 0;
    for first in KINDS {
        let left = handles(transport, first, limit)?;
        for handle in &left {
            // One that is gone already, or that this TPM will not give up, is met again when there is no room.
            ask(transport, FLUSH_CONTEXT, &[*handle], limit)?;
        }
        flushed += left.len();
    }
    Ok(flushed)
}

fn handles(transport: &mut dyn Transport, first: u32, limit: Duration) -> io::Result<Vec<u32>> {
    let answer = ask(
        transport,
        GET_CAPABILITY,
        &[CAP_HANDLES, first, MOST],
        limit,
    )?;
    // > responseCode(4), then moreData(1) capability(4) count(4) handle(4)...
    let Some([0, 0, 0, 0, list @ ..]) = answer.get(6..) else {
        // A TPM that does not tell has nothing that could be swept.
        return Ok(Vec::new());
    };
    let list = list.get(9..).unwrap_or_default();
    let (list, _) = list.as_chunks();
    // The list goes on with the next kind where there is one.
    let own = |handle: &u32| handle >> 24 == first >> 24;
    Ok(list
        .iter()
        .map(|handle| u32::from_be_bytes(*handle))
        .filter(own)
        .collect())
}

fn ask(
    transport: &mut dyn Transport,
    code: u32,
    parameters: &[u32],
    limit: Duration,
) -> io::Result<Vec<u8>> {
    let words = [code].into_iter().chain(parameters.iter().copied());
    let body: Vec<u8> = words.flat_map(u32::to_be_bytes).collect();
    let size = u32::try_from(body.len() + 6).expect("a few words");
    let command = [&NO_SESSIONS[..], &size.to_be_bytes(), &body].concat();
    transport.transmit(&command)?;
    // Nothing secret: lists of handles.
    Ok(transport.receive(limit)?.to_vec())
}
